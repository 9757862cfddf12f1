"""Checks of single arguments, in one wording: the argument's name, what was expected, what came."""

from __future__ import annotations

import math
import numbers
from typing import Any

import numpy as np


def number(name: str, value: Any, *, positive: bool = False) -> float:
    """``value`` as a finite float; booleans, strings and arrays are errors."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a real number, got {value!r}")
    result = float(value)
    if not math.isfinite(result) or (positive and result <= 0):
        raise ValueError(f"{name}: expected a {'positive ' if positive else ''}finite number, got {value!r}")
    return result


def positive_int(name: str, value: Any) -> int:
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected a positive integer, got {value!r}")
    if value < 1:
        raise ValueError(f"{name}: expected a positive integer, got {value!r}")
    return int(value)


def checked_dimension(dim: int) -> int:
    if isinstance(dim, bool) or not isinstance(dim, int | np.integer):
        raise TypeError(f"dim: expected a positive integer, got {dim!r}")
    if dim < 1:
        raise ValueError(f"dim: expected a positive integer, got {dim}")
    return int(dim)


def checked_size(size: int) -> int:
    if isinstance(size, bool) or not isinstance(size, int | np.integer):
        raise TypeError(f"size: expected a non-negative integer, got {size!r}")
    if size < 0:
        raise ValueError(f"size: expected a non-negative integer, got {size}")
    return int(size)
