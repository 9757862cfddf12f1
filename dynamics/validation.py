"""Checks of single arguments, in one wording: the argument's name, what was expected, what came."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

from dynamics.arrays import Array

Randomness = int | np.random.Generator
"""A seed (a non-negative integer) or a generator, which is used up as it is drawn from."""


def number(
    name: str, value: Any, *, positive: bool = False, least: float | None = None, below: float | None = None
) -> float:
    """``value`` as a finite float, ``> 0`` where ``positive``, ``>= least`` and ``< below`` where these are given.

    Raises TypeError for what is no number (booleans, texts and arrays are none), ValueError for one out of range.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a real number, got {value!r}")
    result = float(value)
    if not math.isfinite(result) or (positive and result <= 0):
        raise ValueError(f"{name}: expected a {'positive ' if positive else ''}finite number, got {value!r}")
    low, high = -math.inf if least is None else least, math.inf if below is None else below
    if not low <= result < high:
        bounds = {True: f">= {low:g}", False: f"< {high:g}"}[below is None]
        expected = bounds if least is None or below is None else f"in [{low:g}, {high:g})"
        raise ValueError(f"{name}: expected a number {expected}, got {value!r}")
    return result


def real_array(name: str, value: Any) -> Array:
    """``value`` as an array of float64 with finite entries; ``value`` itself where it is one.

    Raises TypeError for what is no array of real numbers, ValueError for entries that are not finite.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: expected an array of real numbers, got {type(value).__name__}") from None
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name}: expected finite entries, got {int((~np.isfinite(array)).sum())} NaN or Inf"
        )
    return array


def integer(name: str, value: Any, *, least: int | None = None) -> int:
    """``value`` as an int, ``>= least`` where that is given.

    Raises TypeError for what is no integer (booleans and whole floats are none), ValueError for one out of range.
    """
    known = {None: "an integer", 0: "a non-negative integer", 1: "a positive integer"}
    expected = known.get(least, f"an integer >= {least}")
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected {expected}, got {value!r}")
    if least is not None and value < least:
        raise ValueError(f"{name}: expected {expected}, got {value!r}")
    return int(value)


def positive_int(name: str, value: Any) -> int:
    """``value`` as an int from 1 on; see :func:`integer`."""
    return integer(name, value, least=1)


def one_of(name: str, value: Any, known: Iterable[str]) -> str:
    """``value`` where it is among ``known`` names; raises ValueError, listing them, for anything else."""
    names = list(known)
    if value not in names:
        raise ValueError(f"{name}: expected one of {', '.join(names)}, got {value!r}")
    return str(value)


def generator(name: str, value: Any, *, of: str) -> np.random.Generator:
    """``value`` itself where it is a generator, and from a seed the stream of what is drawn, ``of``.

    Things drawn with one seed are thus independent where they differ in kind, the start from the teacher, say; drawn
    twice, they are the same. Raises TypeError or ValueError for anything but a generator or an integer >= 0.
    """
    if isinstance(value, np.random.Generator):
        return value
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected a seed or a numpy.random.Generator, got {value!r}")
    seed = integer(name, value, least=0)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(of.encode())))


def checked_dimension(dim: int) -> int:
    """The dimension of a measure's inputs, from 1 on."""
    return positive_int("dim", dim)


def checked_size(size: int) -> int:
    """A number of samples, from 0 on."""
    return integer("size", size, least=0)
