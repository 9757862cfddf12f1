"""Checks of single arguments, in one wording: the argument's name, what was expected, what came."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.memory import check_fits

Randomness = int | np.random.Generator
"""A seed (a non-negative integer) or a generator, which is used up as it is drawn from."""


LONGEST_SHOWN = 120
"""Characters after which an error leaves out the rest of the value that came."""


def shown(value: Any) -> str:
    """What came, for an error: arrays by shape and kind, tensors by kind, anything else written out, cut where long."""
    if isinstance(value, np.ma.MaskedArray):
        return f"a masked array of shape {value.shape}"
    if isinstance(value, np.ndarray) and (value.ndim or value.dtype.kind not in "biufc"):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    if is_tensor(value):
        return f"a torch {type(value).__name__}"
    try:
        text = repr(value)
    except Exception:  # an integer of more digits than Python writes, a repr of someone else's that fails
        return f"a value of type {type(value).__name__} that cannot be written out"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def is_integer(value: Any) -> bool:
    """Whether an integer; truth values and spans of time, which Python and NumPy count among them, are none."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_ | np.timedelta64)


def is_real(value: Any) -> bool:
    """Whether a real number, of Python or NumPy; the same are none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_ | np.timedelta64)


def takes(function: Any, count: int) -> bool:
    """Whether ``function`` can be called with so many arguments; also where it does not tell its signature."""
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*[None] * count)
    except TypeError:
        return False
    except ValueError:  # a function of C without a signature
        pass
    return True


def number(
    name: str, value: Any, *, positive: bool = False, least: float | None = None, below: float | None = None
) -> float:
    """``value`` as a finite float, ``> 0`` where ``positive``, ``>= least`` and ``< below`` where these are given.

    Raises TypeError for what is no number (booleans, texts and arrays are none), ValueError for one out of range.
    """
    if not is_real(value):
        raise TypeError(f"{name}: expected a real number, got {shown(value)}")
    try:
        result = float(value)
    except OverflowError:  # an integer or a fraction beyond the largest float
        result = math.inf
    if not math.isfinite(result) or (positive and result <= 0):
        raise ValueError(
            f"{name}: expected a {'positive ' if positive else ''}finite number, got {shown(value)}"
        )
    low, high = -math.inf if least is None else least, math.inf if below is None else below
    if not low <= result < high:
        bounds = {True: f">= {low:g}", False: f"< {high:g}"}[below is None]
        expected = bounds if least is None or below is None else f"in [{low:g}, {high:g})"
        raise ValueError(f"{name}: expected a number {expected}, got {shown(value)}")
    return result


def real_numbers(name: str, value: Any) -> Array:
    """``value`` as an array of float64, NaN and Inf included; ``value`` itself where it is one.

    Nothing is lost on the way: complex and masked numbers, texts, truth values, dates, objects, tensors and numbers of
    more than 64 bits are refused, alone and inside lists. Integers beyond 2^53 round, as ``float`` rounds them.

    Raises TypeError for what is no array of real numbers.
    """
    if type(value) is np.ndarray and value.dtype == np.float64:
        return value if value.dtype.isnative else value.astype(np.float64)
    refused = _refused_part(value)
    if refused is not None:
        raise TypeError(f"{name}: expected an array of real numbers, got {refused}")
    try:
        array = np.asarray(value)
    except Exception:  # ragged lists, and whatever another library's array does when asked
        raise TypeError(f"{name}: expected an array of real numbers, got {type(value).__name__}") from None
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        what = "objects" if array.dtype == object else f"dtype {array.dtype}"
        raise TypeError(f"{name}: expected an array of real numbers, got {type(value).__name__} of {what}")
    return array.astype(np.float64, copy=False)


def real_array(name: str, value: Any) -> Array:
    """``value`` as an array of float64 with finite entries; ``value`` itself where it is one.

    Raises TypeError for what is no array of real numbers (see :func:`real_numbers`), ValueError for entries that are
    not finite.
    """
    array = real_numbers(name, value)
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name}: expected finite entries, got {int((~np.isfinite(array)).sum())} NaN or Inf"
        )
    return array


def broadcast_lead(arrays: Mapping[str, Array], *, trailing: int) -> tuple[int, ...]:
    """The shape to which the leading axes of named arrays broadcast, the last ``trailing`` ones left out.

    Raises ValueError, naming the arrays, where they do not.
    """
    try:
        return np.broadcast_shapes(*(array.shape[: array.ndim - trailing] for array in arrays.values()))
    except ValueError:
        shapes = {name: array.shape for name, array in arrays.items()}
        raise ValueError(
            f"{', '.join(arrays)}: leading axes: expected broadcastable ensembles, got shapes {shapes}"
        ) from None


def _refused_part(value: Any, depth: int = 0) -> str | None:
    """What NumPy would make numbers of and lose something: a tensor, a mask, a text, perhaps inside lists."""
    if isinstance(value, list | tuple):
        if depth > 64:  # NumPy's largest number of axes; a list that holds itself ends here
            return "lists inside lists without end"
        found = (_refused_part(part, depth + 1) for part in value if type(part) not in (float, int))
        inside = next((part for part in found if part is not None), None)
        return inside if inside is None or depth else f"{type(value).__name__} that holds {inside}"
    if isinstance(value, str | bytes):
        return shown(value) if depth else type(value).__name__
    if isinstance(value, np.ma.MaskedArray) or is_tensor(value):
        return shown(value)
    if depth and isinstance(value, bool | np.bool_):
        return shown(value)  # among numbers it would count as 0 or 1
    return None


def is_tensor(value: Any) -> bool:
    """Whether ``value`` is torch's; told by its type's home, since this side does not import torch."""
    return any(kind.__module__.partition(".")[0] == "torch" for kind in type(value).__mro__)


def integer(name: str, value: Any, *, least: int | None = None) -> int:
    """``value`` as an int, ``>= least`` where that is given.

    Raises TypeError for what is no integer (booleans and whole floats are none), ValueError for one out of range.
    """
    known = {None: "an integer", 0: "a non-negative integer", 1: "a positive integer"}
    expected = known.get(least, f"an integer >= {least}")
    if not is_integer(value):
        raise TypeError(f"{name}: expected {expected}, got {shown(value)}")
    if least is not None and value < least:
        raise ValueError(f"{name}: expected {expected}, got {shown(value)}")
    return int(value)


def positive_int(name: str, value: Any) -> int:
    """``value`` as an int from 1 on; see :func:`integer`."""
    return integer(name, value, least=1)


def one_of(name: str, value: Any, known: Iterable[str]) -> str:
    """``value`` where it is among ``known`` names; raises ValueError, listing them, for anything else."""
    names = list(known)
    if not isinstance(value, str) or value not in names:
        raise ValueError(f"{name}: expected one of {', '.join(names)}, got {shown(value)}")
    return str(value)


def generator(name: str, value: Any, *, of: str) -> np.random.Generator:
    """``value`` itself where it is a generator, and from a seed the stream of what is drawn, ``of``.

    Things drawn with one seed are thus independent where they differ in kind, the start from the teacher, say; drawn
    twice, they are the same. Raises TypeError or ValueError for anything but a generator or an integer >= 0.
    """
    if isinstance(value, np.random.Generator):
        return value
    if not is_integer(value):
        raise TypeError(f"{name}: expected a seed or a numpy.random.Generator, got {shown(value)}")
    seed = integer(name, value, least=0)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=tuple(of.encode())))


def checked_dimension(dim: int) -> int:
    """The dimension of a measure's inputs, from 1 on, of which one input fits the memory."""
    check_fits("dim", positive_int("dim", dim))
    return int(dim)


def checked_size(size: int, dim: int) -> int:
    """A number of samples, from 0 on, of ``dim`` numbers each, which fit the memory."""
    check_fits("size", integer("size", size, least=0) * dim)
    return int(size)
