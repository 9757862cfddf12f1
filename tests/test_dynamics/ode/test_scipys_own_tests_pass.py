"""Our methods are SciPy's to use: its own tests of ``solve_ivp`` pass with each in place of one of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("scipys_tests.py")
FEWEST = 50
"""Tests in SciPy's file; 58 in version 1.17."""


@pytest.mark.parametrize("name", ["CVODE", "RK45", "DOP853", "ROCK4"])
def test_scipys_own_tests_pass_with(name: str, tmp_path: Path) -> None:
    """Integration both ways, complex and empty states, events, dense output, step limits, unknown options."""
    root = PROGRAM.parents[3]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), name],
        cwd=tmp_path,
        env={"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed.group(1)) >= FEWEST
