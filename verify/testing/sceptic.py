"""A sceptic's script run by itself: in a process of its own, in an empty folder, without this project."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from verify.judging.origin import told
from verify.judging.sceptic import script_file
from verify.judging.statement import AnyStatement

SECONDS = 120.0
"""The longest that a script may take."""

_NUMBER = re.compile(r"\d+(\.\d+)?")


def complaint_of_script(statement: AnyStatement, seconds: float = SECONDS) -> str:
    """What is wrong with the statement's script, with its place; empty where there is none, or it does what it must.

    It must end within ``seconds`` with exit code 0, by which it says that it shows what the statement says; import
    nothing of this project and nothing from beside it; and print both sides of the claim.
    """
    file = script_file(statement)
    if file is None or not file.exists():
        return ""
    alone = Path(__file__).with_name("alone.py")
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(alone), str(file.resolve())],
                cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"{told(file)}: took more than {seconds:g} s"
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    if done.returncode:
        return f"{_place(file, err)}: {_last_line(err) or _last_line(out) or 'no word'} (exit code {done.returncode})"
    if len(_NUMBER.findall(out)) < 2:
        return (
            f"{told(file)}: expected it to print both sides of the claim, got {_last_line(out) or 'nothing'}"
        )
    return ""


def _place(file: Path, err: str) -> str:
    """The last line of the script on the way to an error."""
    lines = re.findall(rf'File "{re.escape(str(file.resolve()))}", line (\d+)', err)
    return f"{told(file)}:{lines[-1]}" if lines else told(file)


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
