"""Whatever test folder Python is started in, what stands there hides no package that the tests need."""

from __future__ import annotations

import sys
from pathlib import Path

TESTS = Path(__file__).parent


def test_no_file_or_folder_has_the_name_of_an_importable_package() -> None:
    """``tests/nets`` hid ``nets`` from plain pytest; a ``random.py`` would hide the standard library's."""
    taken = {path.parent.name for path in TESTS.parent.glob("*/__init__.py")} - {"tests"}
    taken |= sys.stdlib_module_names | {name.partition(".")[0] for name in sys.modules}
    mine = {part for path in TESTS.rglob("*.py") for part in path.relative_to(TESTS).with_suffix("").parts}
    assert {"dynamics", "nets", "verify", "torch"} <= taken
    assert not (mine - {"__init__", "conftest"}) & taken
