"""Statements of one's own run as tests of pytest, by the plugin and by a test function; failures say what there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from luckproof import statements_from
from luckproof.testing import statement_test
from tests.e2e.commands import environment
from tests.e2e.own_file import BESIDE, SOUND


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository of the user's: a theorem and a test of something else."""
    (tmp_path / "mytheorem.py").write_text(SOUND, encoding="utf-8")
    (tmp_path / "beside.py").write_text(BESIDE, encoding="utf-8")
    (tmp_path / "test_other.py").write_text("def test_other():\n    pass\n")
    return tmp_path


def pytest_in(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    options = ["-p", "luckproof.testing", "-p", "no:cacheprovider", "--luckproof-device", "cpu"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *words],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_the_file_alone_is_judged(folder):
    """One test for each statement, named after it; the other tests of the repository are left out."""
    done = pytest_in(folder, "-v", "--luckproof", "mytheorem.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "mytheorem.py::mine.powers.printed PASSED" in done.stdout
    assert "mytheorem.py::mine.powers.corrected PASSED" in done.stdout
    assert "2 passed" in done.stdout


def test_it_is_judged_beside_other_tests_once(folder):
    """Where other files are named, the file itself too."""
    done = pytest_in(
        folder, "test_other.py", "mytheorem.py", "--luckproof", "mytheorem.py", "-k", "other or printed"
    )
    assert "2 passed, 1 deselected" in done.stdout


def test_without_the_option_nothing_changes(folder):
    """The repository's tests run as ever."""
    assert "1 passed" in pytest_in(folder).stdout


def test_a_failure_says_what_there_is(folder):
    """Claim, outcomes, counterexample and the command that repeats it; a file in error is one line."""
    wrong = SOUND.replace('expected="holds"', 'expected="vacuous"')
    (folder / "mytheorem.py").write_text(wrong.replace("n ≤ n²\n", "n ≤ n², they say\n"), encoding="utf-8")
    done = pytest_in(folder, "--luckproof", "mytheorem.py")
    assert done.returncode == 1
    assert "mine.powers.corrected: expected vacuous, got holds" in done.stdout
    assert "n ≤ n², they say" in done.stdout
    assert "again: luckproof verify --from mytheorem.py mine.powers.corrected\n" in done.stdout
    assert "Traceback" not in done.stdout
    (folder / "mytheorem.py").write_text("x = 1\ny = x.z\n")
    done = pytest_in(folder, "--luckproof", "mytheorem.py")
    assert done.returncode == 2
    assert "mytheorem.py:2: AttributeError: 'int' object has no attribute 'z'" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_test_function_judges_a_file_and_statements(folder):
    """In a test file of one's own; it fails with the counterexample."""
    wrong = SOUND.replace('expected="refuted"', 'expected="holds"')
    (folder / "wrong.py").write_text(wrong.replace("mine.", "yours."), encoding="utf-8")
    (folder / "test_mine.py").write_text(
        "from luckproof.testing import statement_test\n"
        "test_all = statement_test('mytheorem.py', device='cpu')\n"
        "test_wrong = statement_test('wrong.py', device='cpu')\n"
    )
    done = pytest_in(folder, "-v", "test_mine.py")
    assert "test_mine.py::test_all[mine.powers.printed] PASSED" in done.stdout
    assert "test_mine.py::test_wrong[yours.powers.printed] FAILED" in done.stdout
    assert "counterexample: Number(n=8)" in done.stdout
    assert "again: luckproof verify --from wrong.py yours.powers.printed --instance '{" in done.stdout


def test_what_is_no_statement_is_refused(folder):
    """By name, when the test is made; and the test of a sound one passes."""
    with pytest.raises(TypeError, match=r"^statements: expected statements and files of them, got 3$"):
        statement_test(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^statements: expected at least one, got none$"):
        statement_test()
    with pytest.raises(ValueError, match=r"^budget: expected one of quick, full, deep, got 'all'$"):
        statement_test(folder / "mytheorem.py", budget="all")
    held = statements_from(folder / "mytheorem.py")["mine.powers.corrected"]
    statement_test(held, device="cpu")(held)


def test_the_plugin_is_light():
    """It is loaded by every run of pytest in its environment: nothing heavy comes with it."""
    check = (
        "import sys, luckproof.testing\n"
        "print(*{'numpy', 'scipy', 'torch', 'matplotlib', 'hypothesis'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout.split() == []
