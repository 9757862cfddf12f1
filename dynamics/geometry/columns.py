"""Columns of weight matrices with their norms and directions, found once and used in many pairs.

A weight matrix is (..., d, n): each column is the fan-in of one node, leading axes hold an ensemble.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.arrays import Array
from dynamics.validation import broadcast_lead, real_numbers

# Columns whose squared norm lies in this interval, unit ones among them, are used as they are. Others are first
# scaled into it by a power of two, which is exact, so that no square of an entry overflows or underflows.
_UNSCALED_SQUARED_NORMS = (0.5, 2.0)
# Elements of a matrix (2^13 float64: 64 KiB) beyond which sums down its columns are made row by row: vecdot would
# read each column with a stride that misses the cache at every element.
_ROW_BY_ROW_FROM = 1 << 13


def checked_columns(name: str, A: ArrayLike) -> Array:
    """``A`` as a float64 array of shape (..., d, n), d >= 1; ValueError, under ``name``, where it has none."""
    array = real_numbers(name, A)
    if array.ndim < 2 or array.shape[-2] == 0:
        raise ValueError(
            f"{name}: expected a weight matrix of shape (..., d, n) with d >= 1, got shape {array.shape}"
        )
    return array


class Directions:
    """Columns by norm and direction, as pairs of them are compared.

    Attributes:
        scaled: (..., d, n), each column times a power of two, which is exact, so that no square of an entry
            overflows or underflows. Narrow angles are found from it.
        unit: (..., d, n), the columns at norm 1. ``scaled is unit`` where the columns are known by direction only.
        norms: (..., n).
        zero: (..., n), where columns are zero (their direction is then the first axis); None when none are.
        tail: the ``Directions`` that the last columns here repeat (:meth:`beside`); None when there are none.

    A column that is not finite is NaN throughout.
    """

    scaled: Array
    unit: Array
    norms: Array
    zero: NDArray[np.bool_] | None
    tail: Directions | None

    def __init__(
        self,
        scaled: Array,
        unit: Array,
        norms: Array,
        zero: NDArray[np.bool_] | None,
        tail: Directions | None = None,
    ) -> None:
        self.scaled, self.unit, self.norms, self.zero, self.tail = scaled, unit, norms, zero, tail

    def cosines(self, other: Directions) -> Array:
        """Cosine of every pair of columns: (..., d, n) and (..., d, m) -> (..., n, m), in C order, a new array."""
        return np.asarray(np.matmul(self.unit.mT, other.unit, order="C"))

    def beside(self, tail: Directions) -> Directions:
        """These columns followed by those of ``tail``, so that one call makes the pairs of both with ``tail``.

        Raises ValueError where the columns differ in length.
        """
        require_same_fan_in(self.unit, tail.unit)
        unit = _joined(self.unit, tail.unit)
        known_by_unit = self.scaled is self.unit and tail.scaled is tail.unit
        scaled = unit if known_by_unit else _joined(self.scaled, tail.scaled)
        norms = _joined(self.norms, tail.norms, trailing=1)
        zero = None if self.zero is None and tail.zero is None else norms == 0
        return Directions(scaled, unit, norms, zero, tail)


class Columns(Directions):
    """A weight matrix and, of each column, the norm and the direction.

    Args:
        name: what errors call the matrix.
        A: the matrix, (..., d, n).
    Attributes:
        array: the matrix as float64, NaN throughout columns that are not finite.
    Raises:
        ValueError: ``A`` is no matrix with rows.
    Cost: O(d) a column; two passes where all squared norms are between 1/2 and 2, as along a run.
    """

    array: Array

    def __init__(self, name: str, A: ArrayLike) -> None:
        self.array = checked_columns(name, A)
        self.zero = self.tail = None
        self.scaled = self.array
        with np.errstate(all="ignore"):  # a square that overflows fails the comparison, as NaN does
            squared = column_dots(self.array, self.array)
            smallest, largest = (f.reduce(squared, axis=None, initial=1.0) for f in (np.minimum, np.maximum))
            if smallest >= _UNSCALED_SQUARED_NORMS[0] and largest < _UNSCALED_SQUARED_NORMS[1]:
                self.norms = np.sqrt(squared)
                self.unit = np.asarray(self.array / self.norms[..., None, :])
            else:
                self._scale()

    def _scale(self) -> None:
        """Norms and directions by way of ``scaled``: first the largest entry, then the squared norm, to [1/2, 2)."""
        finite = np.asarray(np.isfinite(self.array).all(axis=-2))
        self.array = np.where(finite[..., None, :], self.array, np.nan)
        exponent = np.frexp(np.abs(self.array).max(axis=-2))[1]
        scaled = np.ldexp(self.array, -exponent[..., None, :])
        zero = ~scaled.any(axis=-2)
        if zero.any():
            self.zero = zero
            scaled[..., 0, :] = np.where(zero, 1.0, scaled[..., 0, :])
        shift = (np.frexp(2.0 * column_dots(scaled, scaled))[1] - 1) // 2
        scaled, exponent = np.ldexp(scaled, -shift[..., None, :]), exponent + shift
        length = np.sqrt(column_dots(scaled, scaled))
        self.scaled, self.unit = scaled, np.asarray(scaled / length[..., None, :])
        self.norms = np.where(zero, 0.0, np.ldexp(length, exponent))

    def on_sphere(self) -> Columns:
        """The directions as a matrix of their own, whose norms are taken to be exactly 1 (they are to d eps)."""
        unit = Columns.__new__(Columns)
        unit.array = unit.scaled = unit.unit = self.unit
        unit.norms, unit.zero, unit.tail = np.ones(self.norms.shape), None, None
        return unit

    def require_non_zero(self, name: str) -> None:
        """Raise ValueError, under ``name``, when a column is zero: it has no direction."""
        if self.zero is not None:
            where = tuple(int(i) for i in np.argwhere(self.zero)[0])
            raise ValueError(
                f"{name}: expected non-zero columns, got {int(self.zero.sum())} zero column(s), first at {where}"
            )

    def tangent(self, G: Array) -> Array:
        """``P_perp(w_j) g_j``: each column of ``G (..., d, n)`` without its part along the same column here."""
        along = self.unit * column_dots(self.unit, G)[..., None, :]
        return np.asarray(np.subtract(G, along, out=along))


def column_dots(A: Array, B: Array) -> Array:
    # Not einsum: its fused multiply-adds depend on the shape of the stack, and an instance must come out of a stack
    # to the last bit as it does alone.
    if A.shape[-2] * A.shape[-1] > _ROW_BY_ROW_FROM:
        return np.asarray(np.add.reduce(A * B, axis=-2))
    return np.asarray(np.vecdot(A.mT, B.mT))


def _joined(A: NDArray[Any], B: NDArray[Any], trailing: int = 2) -> NDArray[Any]:
    """``A`` and then ``B`` along the last axis; axes before the last ``trailing`` ones are broadcast."""
    if A.shape[:-trailing] != B.shape[:-trailing]:
        lead = np.broadcast_shapes(A.shape[:-trailing], B.shape[:-trailing])
        A, B = (np.broadcast_to(x, (*lead, *x.shape[-trailing:])) for x in (A, B))
    return np.concatenate([A, B], axis=-1)


@overload
def directions(name: str, A: ArrayLike | Columns) -> Columns: ...
@overload
def directions(name: str, A: ArrayLike | Directions) -> Directions: ...
def directions(name: str, A: ArrayLike | Directions) -> Directions:
    """``A`` with its directions; ValueError, under ``name``, when a column of a matrix is zero.

    ``Directions`` pass as they are: whoever made them has dealt with zero columns.
    """
    if isinstance(A, Directions):
        return A
    columns = Columns(name, A)
    columns.require_non_zero(name)
    return columns


def scaled_columns(A: Array) -> Array:
    """Each column times a power of two, exactly, so that its largest entry is in [1/2, 1); zero columns stay zero.

    Directions are the same, and no square of an entry overflows, nor does that of the largest underflow.

    Args:
        A: (..., d, n), finite.
    """
    exponent = np.frexp(np.abs(A).max(axis=-2, keepdims=True))[1]
    return np.asarray(np.ldexp(A, -exponent))


def norms(A: ArrayLike) -> Array:
    """Euclidean norms of columns, without overflow or underflow.

    Args:
        A: (..., d, n).
    Returns:
        (..., n); NaN for a column that is not finite.
    Raises:
        ValueError: ``A`` is no matrix with rows.
    """
    return Columns("A", A).norms


def unit_columns(A: ArrayLike) -> Array:
    """Columns divided by their norms, for norms of any size.

    Args:
        A: (..., d, n).
    Returns:
        (..., d, n), norms 1 to d eps.
    Raises:
        ValueError: a zero column, or no matrix with rows.
    Cost: O(d) a column; memory 4 arrays like ``A``.
    """
    return directions("A", A).unit


def tangent_projection(W: ArrayLike, G: ArrayLike) -> Array:
    """Each column of one matrix without its part along the same column of another.

    ``P_perp(w_j) g_j = g_j - w^_j (w^_j . g_j)`` with ``w^_j = w_j / ||w_j||``.

    Args:
        W: (..., d, n), of any norms but 0.
        G: (..., d, n).
    Returns:
        (..., d, n).
    Raises:
        ValueError: a zero column of ``W``, or unequal shapes.
    """
    W, G = checked_columns("W", W), checked_columns("G", G)
    require_same_fan_in(W, G, paired=True)
    return directions("W", W).tangent(G)


def require_same_fan_in(A: Array, B: Array, *, paired: bool = False) -> None:
    """Raise ValueError unless the columns have one length (and, where ``paired``, are equally many)."""
    if A.shape[-2] != B.shape[-2] or (paired and A.shape[-1] != B.shape[-1]):
        expected = "equal numbers of rows and columns" if paired else "equal numbers of rows"
        raise ValueError(f"A and B: expected {expected}, got shapes {A.shape} and {B.shape}")
    if A.shape[:-2] != B.shape[:-2]:
        broadcast_lead({"A": A, "B": B}, trailing=2)
