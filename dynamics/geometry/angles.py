"""Accurate angles between the columns of weight matrices.

A weight matrix is (..., d, n): each column is the fan-in of one node, leading axes hold an ensemble. ``arccos`` of a
matrix product loses half the digits of a small angle (1e-12 comes out as 0 or 2e-8), which puts a floor under every
convergence measurement. Here the matrix product serves pairs well apart; the few pairs near 0 or pi are narrow, and
redone one by one from the part of one column orthogonal to the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.arrays import Array
from dynamics.geometry.columns import (
    Columns,
    Directions,
    checked_columns,
    directions,
    norms,
    require_same_fan_in,
    tangent_projection,
    unit_columns,
)
from dynamics.geometry.narrow_pairs import blocks, line_angles, narrow_angles

__all__ = [
    "Columns",
    "Pairs",
    "angle_pair",
    "angles",
    "norms",
    "paired_angles",
    "paired_sines",
    "supplementary_angles",
    "tangent_projection",
    "unit_columns",
]

Indices = NDArray[np.intp]

# A pair is narrow beyond this |cos|: arccos amplifies the rounding of the cosine by cos / (theta sin theta), here 4.6.
_NARROW_COSINE = 0.9


class Pairs:
    """All pairs of two matrices' columns: their cosines, and the narrow pairs redone as angles between lines.

    Each method gives one (..., n, m) array, every entry to full relative accuracy (see :func:`angle_pair`). Where the
    last columns of the first matrix are the second's, *shared* (``A is B``, or :meth:`Directions.beside`), the angle
    of a column with itself is exactly 0, and a narrow pair of two shared columns is redone once, not twice.

    Args:
        A, B: (..., d, n) and (..., d, m), leading axes broadcast.
    Raises:
        ValueError: a zero column, or unequal numbers of rows.
    Cost: as :func:`angle_pair`.
    """

    def __init__(self, A: ArrayLike | Directions, B: ArrayLike | Directions) -> None:
        one = directions("A", A)
        two = one if A is B else directions("B", B)
        require_same_fan_in(one.unit, two.unit)
        with np.errstate(invalid="ignore"):  # columns that are not finite give NaN
            self.cosine = one.cosines(two)
        self.shared = _shared_from(one, two)
        if self.shared is not None:
            own = self._shared_diagonal(self.cosine)
            own *= 0.0  # known exactly, so not to be redone; NaN stays NaN
        self._spare: Array | None = np.abs(self.cosine)
        self._redo_narrow(one, two, self._spare > _NARROW_COSINE)

    def _redo_narrow(self, one: Directions, two: Directions, narrow: NDArray[np.bool_]) -> None:
        """Find the angle between the lines of each narrow pair, and clear its cosine, which may exceed 1.

        Sets ``self.narrow``, the flat indices of the pairs that are redone; ``self.line_angle``, the acute angle of
        each; ``self.opposite``, which of them are nearly antiparallel (None where none is, the rule along a run); and
        ``self.mirror``, where the transposes of the pairs ``narrow[mirrored]`` stand, which have the same angle.
        """
        flat = self.cosine.reshape(-1)
        self.narrow = narrow.reshape(-1).nonzero()[0]
        self.mirrored = self.mirror = self.narrow[:0]
        self.opposite: NDArray[np.bool_] | None = None
        self.line_angle = np.empty(0)
        if not self.narrow.size:
            return
        at = np.unravel_index(self.narrow, self.cosine.shape)
        if self.shared is not None:
            at = self._upper(at, self.shared)
        opposite = flat[self.narrow] < 0
        self.opposite = opposite if opposite.any() else None
        self.line_angle = self._line_angles(one, two, at)
        flat[self.narrow] = flat[self.mirror] = 0.0

    def _upper(self, at: tuple[Indices, ...], shared: int) -> tuple[Indices, ...]:
        """Indices of the narrow pairs without those below the shared columns' diagonal, which repeat those above."""
        row, column = at[-2] - shared, at[-1]
        own = row >= 0
        if not own.any():
            return at
        upper = row < column
        self.narrow, at = self.narrow[upper], tuple(index[upper] for index in at)
        self.mirrored = np.flatnonzero(own[upper])
        row, column = at[-2][self.mirrored] - shared, at[-1][self.mirrored]
        self.mirror = self.narrow[self.mirrored] + (column - row) * (self.cosine.shape[-1] - 1)
        return at

    def _line_angles(self, one: Directions, two: Directions, at: tuple[Indices, ...]) -> Array:
        sign = None if self.opposite is None else np.where(self.opposite, -1.0, 1.0)
        angle = np.empty(len(self.narrow))
        rows_a, rows_b = (_rows(columns.scaled, self.cosine.shape[:-2]) for columns in (one, two))
        unit = one.scaled is one.unit and two.scaled is two.unit
        for block in blocks(len(angle), rows_a.shape[-1]):
            *where, j, k = (index[block] for index in at)
            a, b = rows_a[(*where, j)], rows_b[(*where, k)]
            if sign is not None:
                b *= sign[block, None]
            angle[block] = narrow_angles(a, b) if unit else line_angles(a, b)[0]
        return angle

    def _by_side(self, parallel: Array, antiparallel: Array) -> Array:
        """For each narrow pair, the value of its case: nearly parallel or nearly antiparallel."""
        return parallel if self.opposite is None else np.where(self.opposite, antiparallel, parallel)

    def angles(self) -> Array:
        """``theta``, in [0, pi]."""
        with np.errstate(invalid="ignore"):
            theta = np.arccos(self.cosine, out=self._array())
        return self._corrected(theta, self._by_side(self.line_angle, np.pi - self.line_angle), 0.0)

    def supplements(self, theta: Array | None = None) -> Array:
        """``pi - theta``. ``theta``, where given, is the result of :meth:`angles`, which saves a second arccos."""
        rest = self._array()
        if theta is None:
            with np.errstate(invalid="ignore"):
                theta = np.arccos(self.cosine, out=rest)
        np.subtract(np.pi, theta, out=rest)
        return self._corrected(rest, self._by_side(np.pi - self.line_angle, self.line_angle), np.pi)

    def sines(self) -> Array:
        """``sin theta``."""
        sine = np.square(self.cosine, out=self._array())
        np.subtract(1.0, sine, out=sine)  # where this cancels the pair is narrow, and corrected below
        np.sqrt(sine, out=sine)
        return self._corrected(sine, np.sin(self.line_angle), 0.0)

    def cosines(self) -> Array:
        """``cos theta``, written over ``self.cosine``: the other methods may not be called after it."""
        cosine = np.cos(self.line_angle)
        return self._corrected(self.cosine, self._by_side(cosine, -cosine), 1.0)

    def _corrected(self, rough: Array, redone: Array, own: float) -> Array:
        """``rough`` with the values ``redone`` at the narrow pairs and ``own`` for a shared column with itself.

        ``rough`` is contiguous and changed in place.
        """
        if self.narrow.size:
            flat = rough.reshape(-1)
            flat[self.narrow] = redone
            flat[self.mirror] = redone[self.mirrored]
        if self.shared is not None:
            diagonal = self._shared_diagonal(rough)
            diagonal[...] = own + 0.0 * self._shared_diagonal(self.cosine)  # NaN where the column is
        return rough

    def _array(self) -> Array:
        """An array of the pairs' shape to write in; the first one is that of ``|cos|``, no longer needed."""
        spare, self._spare = self._spare, None
        return np.empty_like(self.cosine) if spare is None else spare

    def _shared_diagonal(self, array: Array) -> Array:
        """The entries of ``array`` (in C order) for each shared column with itself: a view of it."""
        *lead, rows, n = array.shape
        return array.reshape(*lead, rows * n)[..., (rows - n) * n :: n + 1]


def _shared_from(one: Directions, two: Directions) -> int | None:
    """The index of the column of ``one`` from which on its columns are those of ``two``; None where they are not."""
    if one is two:
        return 0
    return one.unit.shape[-1] - two.unit.shape[-1] if one.tail is two else None


def _rows(A: Array, lead: tuple[int, ...]) -> Array:
    """``A^T``, its leading axes broadcast to ``lead``."""
    rows = A.mT
    return rows if rows.shape[:-2] == lead else np.broadcast_to(rows, (*lead, *rows.shape[-2:]))


def angle_pair(A: ArrayLike | Columns, B: ArrayLike | Columns) -> tuple[Array, Array]:
    """Angles and supplementary angles of every pair of columns, each to full relative accuracy.

    ``theta_jk = angle(a_j, b_k)`` and ``pi - theta_jk``, which near pi cannot be recovered from the first.
    Accuracy: relative error below 2.6 (d + 4) eps, and in practice a few eps, for every norm (columns are scaled by
    powers of two) and every angle down to 1e-140, below which 0 is returned. The diagonal is exactly 0 when
    ``A is B``. Columns that are not finite give NaN.

    Args:
        A, B: (..., d, n) and (..., d, m), leading axes broadcast; ``Columns`` in place of a matrix save the work of
            finding norms and directions.
    Returns:
        ``theta`` and ``pi - theta`` in radians, two arrays (..., n, m).
    Raises:
        ValueError: a zero column, or unequal numbers of rows.
    Cost: one matrix product, one arccos per pair, and O(d) for each pair with |cos| > 0.9.
    """
    pairs = Pairs(A, B)
    theta = pairs.angles()
    return theta, pairs.supplements(theta)


def angles(A: ArrayLike | Columns, B: ArrayLike | Columns) -> Array:
    """Angle of every pair of columns, accurate near 0.

    Accuracy as :func:`angle_pair`: a relative error of a few eps, for every norm.

    Args:
        A, B: (..., d, n) and (..., d, m), leading axes broadcast; or ``Columns``.
    Returns:
        ``theta_jk`` in [0, pi], radians, (..., n, m).
    Raises:
        ValueError: a zero column, or unequal numbers of rows.
    Cost: as :func:`angle_pair`; memory the copies of the columns and 4 arrays of the result's size at the peak.
    """
    return Pairs(A, B).angles()


def supplementary_angles(A: ArrayLike | Columns, B: ArrayLike | Columns) -> Array:
    """``pi - angle`` of every pair of columns, accurate near antiparallel.

    Arguments, shapes, errors, accuracy and cost as :func:`angles`.
    """
    return Pairs(A, B).supplements()


def _paired_line_angles(A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
    A, B = checked_columns("A", A), checked_columns("B", B)
    require_same_fan_in(A, B, paired=True)
    one, two = directions("A", A), directions("B", B)
    rows_a, rows_b = np.broadcast_arrays(one.scaled.mT, two.scaled.mT)
    shape, dim = rows_a.shape[:-1], rows_a.shape[-1]
    rows_a, rows_b = rows_a.reshape(-1, dim), rows_b.reshape(-1, dim)
    line_angle, sign = np.empty(len(rows_a)), np.empty(len(rows_a))
    with np.errstate(invalid="ignore"):
        for block in blocks(len(rows_a), dim):
            a, b = rows_a[block], rows_b[block]
            turned = np.where(np.vecdot(a, b) < 0, -1.0, 1.0)
            line_angle[block], side = line_angles(a, turned[:, None] * b)
            sign[block] = turned * side
    return line_angle.reshape(shape), sign.reshape(shape)


def paired_angles(A: ArrayLike, B: ArrayLike) -> Array:
    """Angle between column j of one matrix and column j of another, accurate near 0.

    Accuracy as :func:`angle_pair`.

    Args:
        A, B: (..., d, n), leading axes broadcast.
    Returns:
        Radians in [0, pi], (..., n).
    Raises:
        ValueError: a zero column, or unequal shapes.
    Cost: O(d) a column, no matrix product; memory 12 arrays of the size of ``A`` at the peak.
    """
    line_angle, sign = _paired_line_angles(A, B)
    return np.where(sign < 0, np.pi - line_angle, line_angle)


def paired_sines(A: ArrayLike, B: ArrayLike) -> Array:
    """Sine of the angle between column j of one matrix and of another, accurate near 0 and near pi alike.

    Arguments, shapes, errors and cost as :func:`paired_angles`.
    """
    return np.asarray(np.sin(_paired_line_angles(A, B)[0]))
