"""The command as a process of its own: the toy statements' or the real one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOYS = [sys.executable, str(Path(__file__).with_name("toy_command.py"))]
WAITING = [sys.executable, str(Path(__file__).with_name("waiting_command.py"))]
REAL = [sys.executable, "-m", "luckproof"]


def environment(**more: str) -> dict[str, str]:
    """That of the tests (in which processes find this tree) on one thread, and ``more``."""
    return {**os.environ, "OMP_NUM_THREADS": "1", **more}


def command(
    *words: object, program: list[str] = TOYS, cwd: Path = ROOT, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run the command on toy statements (or the real one) outside any terminal; ``more`` goes to its environment."""
    arguments = [*program, *map(str, words)]
    options: dict[str, Any] = {"cwd": cwd, "timeout": 120, "env": environment(**more)}
    return subprocess.run(arguments, capture_output=True, text=True, check=False, **options)
