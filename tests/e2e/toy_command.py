"""The luckproof command with the toy statements in place of the papers', for tests that want it cheap.

``TOY_EXPECT`` alters the verdict expected of them; ``TOY_SLOW`` names a file to touch before a long sleep.
"""

import dataclasses
import os
import time
from pathlib import Path
from types import ModuleType

from luckproof import Outcome
from tests.test_verify.judging.toy_statements import ALL, REFUTED
from verify.command.main import main
from verify.judging import registry


def sleep(point, context):
    Path(os.environ["TOY_SLOW"]).touch()
    time.sleep(60)


statements = list(ALL)
if "TOY_EXPECT" in os.environ:
    expected = Outcome(os.environ["TOY_EXPECT"])
    statements = [dataclasses.replace(s, expected=expected, confirm=REFUTED.confirm) for s in ALL]
if "TOY_SLOW" in os.environ:
    statements = [dataclasses.replace(REFUTED, evidence=sleep)]
toys = ModuleType("toys")
toys.STATEMENTS = statements
collected = registry.collect([toys])
registry.registered = lambda: collected
registry.catalogued = lambda: None
if __name__ == "__main__":  # worker processes import this file for the toys alone
    main()
