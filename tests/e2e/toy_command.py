"""The luckproof command with the toy statements in place of the papers', for tests that want it cheap."""

import sys
from pathlib import Path
from types import ModuleType

sys.path.insert(0, str(Path(__file__).parents[1] / "verify"))

from toy_statements import ALL

from verify import registry
from verify.cli import main

toys = ModuleType("toys")
toys.STATEMENTS = ALL
registry.statements = registry.collect([toys])
main()
