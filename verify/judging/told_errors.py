"""What code raised, in one line: kind, words, and the name that was probably meant."""

from __future__ import annotations

import difflib
import inspect
import re
import sys
import traceback
from collections.abc import Iterable
from typing import Any

NEAR = 0.6
"""How alike a name must be to be proposed, from 0 to 1 (difflib)."""

_KEYWORD = re.compile(r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'")
_IMPORT = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")


def told_error(error: BaseException) -> str:
    """``AttributeError: 'Pair' object has no attribute 'tetha'; did you mean 'theta'?``

    A name is proposed for attributes, variables, keyword arguments and imports that are not there.
    """
    words = " ".join(str(error).split())
    line = f"{type(error).__name__}: {words}" if words else type(error).__name__
    wanted, known = _missing(error)
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=NEAR) if wanted else []
    return f"{line}; did you mean {near[0]!r}?" if near else line


def _missing(error: BaseException) -> tuple[str, Iterable[str]]:
    """The name that was not found, and those that there are; an empty name where this is no such error."""
    names = _names_where(error)
    if isinstance(error, AttributeError) and error.name is not None:
        return error.name, [name for name in dir(error.obj) if not name.startswith("_")]
    if isinstance(error, NameError) and error.name is not None:
        return error.name, names
    if isinstance(error, TypeError) and (found := _KEYWORD.search(str(error))):
        return found[2], _parameters(names.get(found[1]))
    if isinstance(error, ImportError) and (found := _IMPORT.search(str(error))):
        return found[1], [name for name in dir(sys.modules.get(found[2])) if not name.startswith("_")]
    return "", ()


def _names_where(error: BaseException) -> dict[str, Any]:
    """The variables in the place where it was raised."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return {**frames[-1].f_globals, **frames[-1].f_locals} if frames else {}


def _parameters(called: Any) -> list[str]:
    try:
        return list(inspect.signature(called).parameters)
    except (TypeError, ValueError):
        return []
