"""Accurate angles between the columns of weight matrices.

A weight matrix is ``(..., d, n)``: each column is the fan-in of one node, leading axes hold an ensemble.
``arccos`` of a matrix product loses half the digits of a small angle (1e-12 comes out as 0 or 2e-8), which
puts a floor under every convergence measurement. Here the matrix product serves pairs well apart, and the
few pairs near 0 or pi are redone one by one from the part of one column orthogonal to the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.columns import (
    Columns,
    checked_columns,
    directions,
    norms,
    require_same_fan_in,
    tangent_projection,
    unit_columns,
)
from dynamics.narrow_pairs import blocks, line_angles

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

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

# Beyond this |cos|, arccos(cos) amplifies the rounding of the cosine over 5 times; such pairs are redone.
_NARROW_COSINE = 0.9


class Pairs:
    """All pairs of two matrices' columns: their cosines, and the narrow pairs redone as angles between lines.

    Each method gives one ``(..., n, m)`` array, every entry to full relative accuracy (see :func:`angle_pair`).
    """

    def __init__(self, A: ArrayLike | Columns, B: ArrayLike | Columns) -> None:
        one = directions("A", A)
        two = one if A is B else directions("B", B)
        require_same_fan_in(one.unit, two.unit)
        with np.errstate(invalid="ignore"):  # columns that are not finite give NaN
            self.cosine = np.ascontiguousarray(np.matmul(one.unit.mT, two.unit))
        self.same = A is B
        self.narrow, self.mirror, at = self._narrow_pairs()
        self.opposite = self.cosine.reshape(-1)[self.narrow] < 0
        self.line_angle = self._line_angles(one, two, at)

    def _narrow_pairs(self) -> tuple[Indices, Indices | None, tuple[Indices, ...]]:
        """Flat index of the narrow pairs, that of their transposes in a matrix with itself, and the full index."""
        narrow = np.flatnonzero(np.abs(self.cosine) > _NARROW_COSINE)
        at = np.unravel_index(narrow, self.cosine.shape)
        if not self.same:
            return narrow, None, at
        upper = at[-2] < at[-1]  # the diagonal is exact, the lower triangle mirrors the upper
        narrow, at = narrow[upper], tuple(index[upper] for index in at)
        return narrow, narrow + (at[-1] - at[-2]) * (self.cosine.shape[-1] - 1), at

    def _line_angles(self, one: Columns, two: Columns, at: tuple[Indices, ...]) -> Array:
        sign = np.where(self.opposite, -1.0, 1.0)
        angle = np.empty(len(sign))
        if not len(sign):
            return angle
        rows_a, rows_b = (_rows(columns.scaled, self.cosine.shape[:-2]) for columns in (one, two))
        for block in blocks(len(sign), rows_a.shape[-1]):
            *where, j, k = (index[block] for index in at)
            angle[block], _ = line_angles(rows_a[(*where, j)], rows_b[(*where, k)], sign[block])
        return angle

    def angles(self) -> Array:
        """``theta``, in [0, pi]."""
        with np.errstate(invalid="ignore"):  # a cosine beyond 1 belongs to a narrow pair
            theta = np.arccos(self.cosine)
        return self._corrected(theta, np.where(self.opposite, np.pi - self.line_angle, self.line_angle), 0.0)

    def supplements(self, theta: Array | None = None) -> Array:
        """``pi - theta``; ``theta`` from :meth:`angles` saves the second arccos."""
        if theta is None:
            with np.errstate(invalid="ignore"):
                rest = np.arccos(self.cosine)
            np.subtract(np.pi, rest, out=rest)
        else:
            rest = np.pi - theta
        return self._corrected(rest, np.where(self.opposite, self.line_angle, np.pi - self.line_angle), np.pi)

    def sines(self) -> Array:
        """``sin theta``."""
        with np.errstate(invalid="ignore"):
            sine = self.cosine * self.cosine
            np.subtract(1.0, sine, out=sine)  # pairs for which this cancels are narrow
            np.sqrt(sine, out=sine)
        return self._corrected(sine, np.sin(self.line_angle), 0.0)

    def cosines(self) -> Array:
        """``cos theta``, written over the rough cosines: the last to be asked for."""
        cosine = np.cos(self.line_angle)
        return self._corrected(self.cosine, np.where(self.opposite, -cosine, cosine), 1.0)

    def _corrected(self, rough: Array, redone: Array, diagonal: float) -> Array:
        """``rough`` (contiguous, changed in place) with its narrow pairs ``redone`` and an exact diagonal."""
        flat = rough.reshape(-1)
        flat[self.narrow] = redone
        if self.mirror is not None:
            flat[self.mirror] = redone
            rough_diagonal, cosine = (np.einsum("...jj->...j", x) for x in (rough, self.cosine))  # views
            rough_diagonal[...] = diagonal + 0.0 * cosine  # NaN where the cosine is
        return rough


def _rows(A: Array, lead: tuple[int, ...]) -> Array:
    """The columns of ``A`` as rows, leading axes broadcast to ``lead``."""
    rows = A.mT
    return rows if rows.shape[:-2] == lead else np.broadcast_to(rows, (*lead, *rows.shape[-2:]))


def angle_pair(A: ArrayLike | Columns, B: ArrayLike | Columns) -> tuple[Array, Array]:
    """Angles and supplementary angles of every pair of columns, each to full relative accuracy.

    ``theta_jk = angle(a_j, b_k)`` and ``pi - theta_jk``, which near pi cannot be recovered from the first.

    Shapes: (..., d, n), (..., d, m) -> two arrays (..., n, m); leading axes broadcast.
    Accuracy: relative error below 2.6 (d + 4) eps, and in practice a few eps, for every norm (columns are
    scaled by powers of two) and every angle down to 1e-140, below which 0 is returned. Columns that are not
    finite give NaN.
    Cost: one matrix product, one arccos per pair, and O(d) for each pair with |cos| > 0.9. When ``A is B``
    the diagonal is exactly 0 at no cost, and half of the pairs are redone. ``Columns`` in place of a matrix save
    its norms and directions.
    Raises: ValueError on a zero column or unequal numbers of rows.
    """
    pairs = Pairs(A, B)
    theta = pairs.angles()
    return theta, pairs.supplements(theta)


def angles(A: ArrayLike | Columns, B: ArrayLike | Columns) -> Array:
    """Angle of every pair of columns, (..., d, n), (..., d, m) -> (..., n, m); see :func:`angle_pair`.

    Memory: the copies of the columns and 4 arrays of the result's size at the peak.
    """
    return Pairs(A, B).angles()


def supplementary_angles(A: ArrayLike | Columns, B: ArrayLike | Columns) -> Array:
    """``pi - angle`` of every pair of columns, accurate near antiparallel; cost and memory as :func:`angles`."""
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
            line_angle[block], sign[block] = line_angles(a, b, np.where(np.vecdot(a, b) < 0, -1.0, 1.0))
    return line_angle.reshape(shape), sign.reshape(shape)


def paired_angles(A: ArrayLike, B: ArrayLike) -> Array:
    """Angle between column j of ``A`` and column j of ``B``: (..., d, n), (..., d, n) -> (..., n).

    Full relative accuracy as in :func:`angle_pair`, at O(d) per column and no matrix product; memory at the peak
    12 arrays of the size of ``A``.
    """
    line_angle, sign = _paired_line_angles(A, B)
    return np.where(sign < 0, np.pi - line_angle, line_angle)


def paired_sines(A: ArrayLike, B: ArrayLike) -> Array:
    """Sine of the angle between column j of ``A`` and of ``B``, accurate near 0 and near pi alike."""
    return np.asarray(np.sin(_paired_line_angles(A, B)[0]))
