"""The tool that tries mutants tells four ends apart, on a toy of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.e2e.commands import ROOT, environment
from tests.mutants.kept_results import KeptResults
from tests.mutants.mutant import Mutant
from tests.mutants.page import page, share
from tests.mutants.trial import CAUGHT, HUNG, STALE, SURVIVED, Result

CODE = "def answer():\n    total = 0\n    while total < 42:\n        total += 1\n    return total\n"
TEST = "from code_under_test import answer\n\n\ndef test_it():\n    assert answer() == 42\n"
CONFTEST = "def pytest_addoption(parser):\n    parser.addoption('--device')\n"

FAULTS = {
    CAUGHT: ("return total", "return total + 1"),
    HUNG: ("total += 1", "total += 0"),
    SURVIVED: ("total < 42", "total <= 41"),
    STALE: ("nowhere to be found", ""),
}

PROGRAM = """
import json, sys, time
from pathlib import Path
from tests.mutants.mutant import Mutant
from tests.mutants.trial import PASSED, Copy

folder, root, faults = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
copy = Copy(folder, 60.0, root)
began = time.monotonic()
assert copy.run(["test_it.py"]) == PASSED
copy.limit = 3.0 + 4.0 * (time.monotonic() - began)  # many times what a test takes that does not hang
mutants = [Mutant(name, "toys", "code_under_test.py", *fault, ("test_it.py",)) for name, fault in faults.items()]
print(json.dumps({result.mutant.name: result.status for result in copy.results(mutants)}))
assert copy.run(["test_it.py"]) == PASSED, "a fault was left in place"
"""


def test_each_end_is_told(tmp_path: Path) -> None:
    """Caught, hung, survived and stale; the checkout itself is never touched, and the copy is whole again."""
    toys = tmp_path / "toys"
    toys.mkdir()
    for name, text in {"code_under_test.py": CODE, "test_it.py": TEST, "conftest.py": CONFTEST}.items():
        (toys / name).write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "work"), str(toys), json.dumps(FAULTS)],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout) == {status: status for status in FAULTS}
    assert (toys / "code_under_test.py").read_text() == CODE


def results() -> list[Result]:
    """One of each end, and one more survivor that is equivalent."""
    excuses = {SURVIVED: ("", "equivalent: nothing changes")}
    return [
        Result(Mutant(f"{status} {excuse}", "toys", "file.py", "a", "b", ("tests",), excuse), status, 1.0)
        for status in (CAUGHT, HUNG, SURVIVED)
        for excuse in excuses.get(status, ("",))
    ]


def test_an_excuse_counts_for_nothing() -> None:
    """A hang is noticed; an equivalent mutant is left out of the share, and its reason stands on the page."""
    assert share(results()) == 2 / 3
    text = page(results())
    assert "2 of 4 noticed, 1 cannot be (below): 66.7% of the others" in text
    assert "a hole in the tests" in text
    assert "equivalent: nothing changes" in text
    assert "not tried" not in text
    assert "3 more on the lists were not tried" in page(results(), 7)


def test_what_was_tried_is_not_tried_again(tmp_path: Path) -> None:
    """A result is of a fault under its tests, whatever it is called; another fault has none."""
    caught, path = results()[0], tmp_path / "kept.json"
    KeptResults(path).keep(caught)
    kept = KeptResults(path)
    assert kept.find(caught.mutant) == caught
    assert kept.find(replace(caught.mutant, name="by another name")) is not None
    for change in ({"old": "c"}, {"new": "c"}, {"tests": ("others",)}, {"file": "tox.ini"}):
        assert kept.find(replace(caught.mutant, **change)) is None
