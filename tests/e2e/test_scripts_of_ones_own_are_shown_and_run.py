"""A sceptic's script beside a file of one's own is shown, stands in the page, and is run without luckproof."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from luckproof import statements_from
from luckproof.testing import statement_test
from tests.e2e.own_file import BESIDE, SOUND
from verify.command.main import run
from verify.testing.sceptic import complaint_of_script

NAME = "mine.powers.printed"
SCRIPT = '''"""Powers stay below fifty: eight."""

import sys

import numpy as np

print("square", np.square(8), "bound", 50)
sys.exit(0 if np.square(8) > 50 else 1)
'''


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The script, beside the statements' file in the current folder."""
    (tmp_path / "mytheorem.py").write_text(SOUND, encoding="utf-8")
    (tmp_path / "beside.py").write_text(BESIDE, encoding="utf-8")
    (tmp_path / "sceptic_scripts").mkdir()
    file = tmp_path / "sceptic_scripts" / f"{NAME}.py"
    file.write_text(SCRIPT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return file


def test_it_is_shown_and_runs_from_a_pipe(script, capsys):
    """``show`` says how to have it, and prints it alone, from another folder too."""
    assert run(["show", "--from", "mytheorem.py", NAME]) == 0
    assert f"script: luckproof show --from mytheorem.py {NAME} --script" in capsys.readouterr().out
    assert run(["show", "--from", "mytheorem.py", "--script"]) == 0
    told = capsys.readouterr().out
    assert told == SCRIPT
    piped = subprocess.run([sys.executable, "-"], input=told, capture_output=True, text=True, check=False)
    assert (piped.returncode, piped.stdout) == (0, "square 64 bound 50\n")


def test_where_there_is_none_the_place_is_said(script, capsys):
    """Of one statement; no other place is looked at."""
    script.rename(script.parent.parent / script.name)
    assert run(["show", "--from", "mytheorem.py", NAME, "--script"]) == 2
    assert capsys.readouterr().err == (
        "luckproof: --script: expected one statement with a script, got none of them; it would be "
        f"sceptic_scripts/{NAME}.py\n"
    )
    script.mkdir()
    assert run(["show", "--from", "mytheorem.py", NAME, "--script"]) == 2
    assert "expected a regular file, got a folder" in capsys.readouterr().err


def test_it_stands_in_the_page_of_ones_own(script, capsys):
    """Whole, with what it needs, and as a file to save."""
    assert run(["verify", "--from", "mytheorem.py", "--jobs", "1", "--report", "r.html"]) == 0
    page = Path("r.html").read_text(encoding="utf-8")
    assert f'download="{NAME}.py"' in page
    assert "and run it with Python and NumPy." in page
    assert "np.square(8)" in page
    assert page.count('class="script"') == 1


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (SCRIPT, ""),
        (SCRIPT.replace("> 50 ", "> 99 "), "square 64 bound 50 (exit code 1)"),
        (SCRIPT.replace('print("square"', '(lambda *_: print("larger"))("square"'), "got larger"),
        ("x = 1\n", "expected it to print both sides of the claim, got nothing"),
        ("import sys\nx = 1 / 0\n", ".py:2: ZeroDivisionError: division by zero (exit code 1)"),
        ("def f(:\n", ".py:1: SyntaxError: invalid syntax (exit code 1)"),
        ("import luckproof\n", ".py:1: ModuleNotFoundError: a sceptic's script does without luckproof"),
        ("from verify import check\n", ".py:1: ModuleNotFoundError: a sceptic's script does without verify"),
        ("import beside\n", ".py:1: ModuleNotFoundError: No module named 'beside'"),
    ],
)
def test_it_must_show_what_the_statement_says_by_itself(script, text, complaint):
    """Without this project and what is beside it; what it does instead is one line with its place."""
    script.write_text(text, encoding="utf-8")
    found = complaint_of_script(statements_from("mytheorem.py")[NAME])
    assert found == "" if not complaint else complaint in found
    assert "\n" not in found


def test_one_that_does_not_end_is_stopped(script):
    script.write_text("while True:\n    pass\n")
    found = complaint_of_script(statements_from("mytheorem.py")[NAME], seconds=1.0)
    assert found == f"sceptic_scripts/{NAME}.py: took more than 1 s"


def test_a_test_of_the_statement_runs_it(script):
    """The verdict may be the expected one: a script that shows something else fails the test."""
    statement = statements_from("mytheorem.py")[NAME]
    statement_test(statement, device="cpu")(statement)
    script.write_text(SCRIPT.replace("> 50 ", "> 99 "), encoding="utf-8")
    with pytest.raises(AssertionError, match=rf"^sceptic's script: sceptic_scripts/{NAME}\.py: square 64"):
        statement_test(statement, device="cpu")(statement)
