"""Columns of weight matrices with their norms and directions, found once and used in many pairs.

A weight matrix is ``(..., d, n)``: each column is the fan-in of one node, leading axes hold an ensemble.
"""

from __future__ import annotations

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.arrays import Array

# Columns with squared norms from here to there are left as they are, others get there by powers of two: no square
# overflows, nor underflows before 1e-140 of a column is reached. Unit columns are in the middle.
_PLAIN_SQUARES = (0.5, 2.0)
# Elements of a matrix (2^13 float64: 64 KiB) beyond which sums down its columns go row by row, for the cache's sake.
_LONG_STRIDES = 1 << 13


def checked_columns(name: str, A: ArrayLike) -> Array:
    """``A`` as a float64 array of shape (..., d, n)."""
    array = np.asarray(A, dtype=np.float64)
    if array.ndim < 2 or array.shape[-2] == 0:
        raise ValueError(
            f"{name}: expected a weight matrix of shape (..., d, n) with d >= 1, got shape {array.shape}"
        )
    return array


class Directions:
    """Columns by norm and direction, as pairs of them are compared.

    ``scaled (..., d, n)``: the columns times powers of two (exact), so that no square overflows or underflows;
    ``unit``: the columns at norm 1, the same array where nothing more exact is known; ``norms (..., n)``;
    ``zero (..., n)``: where columns are zero (their direction is then the first axis), None when there are none.
    A column that is not finite is NaN throughout. ``tail``: the columns that the last ones here repeat, if any.
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

    def beside(self, tail: Directions) -> Directions:
        """These and then ``tail``; the result knows its tail, so that pairs with it come at one go."""
        require_same_fan_in(self.unit, tail.unit)
        unit = _joined(self.unit, tail.unit)
        known_by_unit = self.scaled is self.unit and tail.scaled is tail.unit
        scaled = unit if known_by_unit else _joined(self.scaled, tail.scaled)
        norms = _joined(self.norms, tail.norms, trailing=1)
        zero = None if self.zero is None and tail.zero is None else norms == 0
        return Directions(scaled, unit, norms, zero, tail)


class Columns(Directions):
    """A weight matrix and, of each column, the norm and the direction.

    ``array (..., d, n)``: the matrix, NaN throughout columns that are not finite.
    Cost: O(d) per column; two passes where all norms are moderate, as along a run.
    """

    array: Array

    def __init__(self, name: str, A: ArrayLike) -> None:
        self.array = checked_columns(name, A)
        self.zero = self.tail = None
        self.scaled = self.array
        with np.errstate(all="ignore"):  # squares out of range are seen by the comparison
            squared = _column_dots(self.array, self.array)
            smallest, largest = (f.reduce(squared, axis=None, initial=1.0) for f in (np.minimum, np.maximum))
            if smallest >= _PLAIN_SQUARES[0] and largest < _PLAIN_SQUARES[1]:  # False when NaN is among them
                self.norms = np.sqrt(squared)
                self.unit = np.asarray(self.array / self.norms[..., None, :])
            else:
                self._scale()

    def _scale(self) -> None:
        """The same by way of columns scaled to squared norms in [1/2, 2)."""
        finite = np.asarray(np.isfinite(self.array).all(axis=-2))
        self.array = np.where(finite[..., None, :], self.array, np.nan)
        exponent = np.frexp(np.abs(self.array).max(axis=-2))[1]
        scaled = np.ldexp(self.array, -exponent[..., None, :])
        zero = ~scaled.any(axis=-2)
        if zero.any():
            self.zero = zero
            scaled[..., 0, :] = np.where(zero, 1.0, scaled[..., 0, :])
        shift = (np.frexp(2.0 * _column_dots(scaled, scaled))[1] - 1) // 2
        scaled, exponent = np.ldexp(scaled, -shift[..., None, :]), exponent + shift
        length = np.sqrt(_column_dots(scaled, scaled))
        self.scaled, self.unit = scaled, np.asarray(scaled / length[..., None, :])
        self.norms = np.where(zero, 0.0, np.ldexp(length, exponent))

    def on_sphere(self) -> Columns:
        """The directions as a matrix of their own; their norms count as 1, to the rounding of a sum of d squares."""
        unit = Columns.__new__(Columns)
        unit.array = unit.scaled = unit.unit = self.unit
        unit.norms, unit.zero, unit.tail = np.ones(self.norms.shape), None, None
        return unit

    def require_non_zero(self, name: str) -> None:
        """Raise ValueError when a column is zero."""
        if self.zero is not None:
            where = tuple(int(i) for i in np.argwhere(self.zero)[0])
            raise ValueError(
                f"{name}: expected non-zero columns, got {int(self.zero.sum())} zero column(s), first at {where}"
            )

    def tangent(self, G: Array) -> Array:
        """Each column of ``G (..., d, n)`` without its part along the same column here."""
        along = self.unit * _column_dots(self.unit, G)[..., None, :]
        return np.asarray(np.subtract(G, along, out=along))


def _column_dots(A: Array, B: Array) -> Array:
    # Not einsum, whose fused multiply-adds depend on the shape of the stack: a stack is its members to the last bit.
    if A.shape[-2] * A.shape[-1] > _LONG_STRIDES:
        return np.asarray(np.add.reduce(A * B, axis=-2))
    return np.asarray(np.vecdot(A.mT, B.mT))


def _joined(A: NDArray[Any], B: NDArray[Any], trailing: int = 2) -> NDArray[Any]:
    """``A`` and ``B`` along the last axis, all but the ``trailing`` axes broadcast."""
    if A.shape[:-trailing] != B.shape[:-trailing]:
        lead = np.broadcast_shapes(A.shape[:-trailing], B.shape[:-trailing])
        A, B = (np.broadcast_to(x, (*lead, *x.shape[-trailing:])) for x in (A, B))
    return np.concatenate([A, B], axis=-1)


@overload
def directions(name: str, A: ArrayLike | Columns) -> Columns: ...
@overload
def directions(name: str, A: ArrayLike | Directions) -> Directions: ...
def directions(name: str, A: ArrayLike | Directions) -> Directions:
    """``A`` with its directions; ValueError when a column is zero, which whoever made them has seen to."""
    if isinstance(A, Directions):
        return A
    columns = Columns(name, A)
    columns.require_non_zero(name)
    return columns


def norms(A: ArrayLike) -> Array:
    """Euclidean norms of the columns of ``A``: (..., d, n) -> (..., n), without overflow or underflow."""
    return Columns("A", A).norms


def unit_columns(A: ArrayLike) -> Array:
    """The columns of ``A`` divided by their norms; ValueError when a column is zero. Memory: 4 arrays like ``A``."""
    return directions("A", A).unit


def tangent_projection(W: ArrayLike, G: ArrayLike) -> Array:
    """Each column of ``G`` without its part along the same column of ``W``.

    ``P_perp(w_j) g_j = g_j - w^_j (w^_j . g_j)`` with ``w^_j = w_j / ||w_j||``.

    Shapes: (..., d, n), (..., d, n) -> (..., d, n). Columns of ``W`` need not be of unit norm; a zero column
    raises ValueError.
    """
    W, G = checked_columns("W", W), checked_columns("G", G)
    require_same_fan_in(W, G, paired=True)
    return directions("W", W).tangent(G)


def require_same_fan_in(A: Array, B: Array, *, paired: bool = False) -> None:
    """Raise ValueError unless the columns have one length (and, where ``paired``, are equally many)."""
    if A.shape[-2] != B.shape[-2] or (paired and A.shape[-1] != B.shape[-1]):
        expected = "equal numbers of rows and columns" if paired else "equal numbers of rows"
        raise ValueError(f"A and B: expected {expected}, got shapes {A.shape} and {B.shape}")
