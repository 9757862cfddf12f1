"""Every sceptic's script runs without this project and shows what its statement shows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import verify.judging
from luckproof import statements

FOLDER = Path(verify.judging.__file__).parent / "sceptic_scripts"
SCRIPTS = sorted(FOLDER.glob("*.py"))
ALLOWED = {"__future__", "fractions", "itertools", "math", "mpmath", "numpy", "random", "sys"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_shows_the_failure_by_itself(script, tmp_path):
    """Isolated from user, environment and this tree it prints both sides and exits 0; it is short."""
    text = script.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= ALLOWED
    assert len([line for line in text.splitlines() if line.strip()]) <= 45
    done = subprocess.run(
        [sys.executable, "-I", "-c", text],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert sum(character.isdigit() for character in done.stdout) >= 2


def test_every_script_is_of_a_statement_whose_claim_fails():
    """No script is left behind when a statement is renamed, and none shows a failure that is not claimed."""
    failing = {s.name for s in statements.values() if s.expected in ("refuted", "needed", "not observed")}
    assert {script.stem for script in SCRIPTS} <= failing
    assert len(SCRIPTS) >= 30
