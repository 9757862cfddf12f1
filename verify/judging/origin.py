"""Where a statement of one's own comes from: a file, or a package that offers it; and the place of its code."""

from __future__ import annotations

import inspect
import shlex
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = ("dynamics", "luckproof", "nets", "verify")
"""The packages of this project."""


@dataclass(frozen=True)
class Origin:
    """Where a statement was loaded from.

    Attributes:
        file: the absolute path of a file given with ``--from``; empty for a package that offers its statements.
        digest: a hash of its code and of the code beside it that it imports.
    """

    file: str
    digest: str


def options_of(file: str) -> str:
    """``--from FILE`` as the shell reads it; empty for none. A file below the current folder is named from there."""
    return f"--from {shlex.quote(told(file))}" if file else ""


def told(file: str | Path) -> str:
    """The path as it is told: from the current folder where the file is below it."""
    path = Path(file)
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):  # elsewhere, or the folder is gone
        return str(path)


def is_own(function: Callable[..., Any]) -> bool:
    """Whether code is the user's, not this project's."""
    return (getattr(function, "__module__", None) or "").partition(".")[0] not in OURS


def file_of(function: Callable[..., Any]) -> str:
    """The absolute path of the file in which own code stands by itself.

    Empty for this project's code, for a module of a package, and for a notebook or a prompt.
    """
    module = inspect.getmodule(function)
    if not is_own(function) or module is None or getattr(module, "__package__", None):
        return ""
    path = getattr(module, "__file__", None)
    return str(Path(path).resolve()) if path and Path(path).is_file() else ""


def place_of(function: Callable[..., Any]) -> str:
    """``mytheorem.py:12``: file and first line of a function; empty where that is not known."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{told(code.co_filename)}:{code.co_firstlineno}" if code is not None else ""


def raised_at(evidence: Callable[..., Any], error: BaseException) -> str:
    """Where in the user's file the code of a statement of one's own raised; empty for the papers' statements."""
    file = getattr(getattr(evidence, "__code__", None), "co_filename", "")
    return place_in(error, file) if is_own(evidence) else ""


def place_in(error: BaseException, file: str) -> str:
    """``mytheorem.py:31``: the last line of ``file`` on the way to an error; empty where there is none."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    return f"{told(file)}:{lines[-1]}" if lines else ""
