"""The luckproof command with the toy statements in place of the papers', for tests that want it cheap.

``TOY_EXPECT`` alters the verdict expected of them; ``TOY_SLOW`` names a file to touch before a long sleep. ``TOY_TRAP``
names a file: as long as it is not there, what judges the last statement touches ``TRAP.met`` and then waits or, with
``TOY_FATE=dies``, is killed.
"""

import dataclasses
import functools
import os
import signal
import time
from pathlib import Path
from types import ModuleType

from luckproof import Outcome
from tests.test_verify.judging.toy_statements import ALL, REFUTED
from verify.command.main import main
from verify.judging import registry

TRAPPED = "toy.squares"


def sleep(point, context):
    Path(os.environ["TOY_SLOW"]).touch()
    time.sleep(60)


def trapped(statement):
    """The statement, judged as ever once the trap is open."""

    @functools.wraps(statement.evidence)  # so that it counts as the toys' own code, as without a trap
    def evidence(point, context):
        trap = Path(os.environ["TOY_TRAP"])
        if not trap.exists():
            trap.with_name(f"{trap.name}.met").touch()
            if os.environ.get("TOY_FATE") == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        return statement.evidence(point, context)

    return dataclasses.replace(statement, evidence=evidence)


statements = list(ALL)
if "TOY_EXPECT" in os.environ:
    expected = Outcome(os.environ["TOY_EXPECT"])
    statements = [dataclasses.replace(s, expected=expected, confirm=REFUTED.confirm) for s in ALL]
if "TOY_SLOW" in os.environ:
    statements = [dataclasses.replace(REFUTED, evidence=sleep)]
if "TOY_TRAP" in os.environ:
    statements = [trapped(s) if s.key == TRAPPED else s for s in ALL]
toys = ModuleType("toys")
toys.STATEMENTS = statements
collected = registry.collect([toys])
registry.registered = lambda: collected
registry.catalogued = lambda: None
if __name__ == "__main__":  # worker processes import this file for the toys alone
    main()
