"""The teacher as the centre of deviations: its directions, its norms, and students beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair
from dynamics.geometry.columns import column_dots, directions

# Scales below which a deviation changes no cosine of columns a decent angle apart: odd functions of slope 1 are linear.
LINEAR_BELOW = 1e-10
# Teachers count as orthonormal where their products are those of the identity to this: rounding.
_ORTHONORMAL_TO = 4e-15


@dataclass(frozen=True)
class Apart:
    """Students in a state: the first m by their scaled distance from the teachers, the rest (the r-set) as they are.

    ``unit`` (..., d, n): the students' directions. ``difference`` (..., d, m): ``(w^_j - w^*_j) / scale``, of unit
    columns. ``norms`` (..., n). ``longer``, ``excess`` (..., m): ``(||w_j|| - ||w*_j||) / scale`` and
    ``(||w_j||^2 - ||w*_j||^2) / scale``. ``scale`` (..., 1, 1). ``scales``: the smallest and the largest of these.
    """

    unit: Array
    difference: Array
    norms: Array
    longer: Array
    excess: Array
    scale: Array
    scales: tuple[float, float]

    @property
    def linear(self) -> bool:
        """Whether all deviations are so small that only terms of first order in them are left."""
        return self.scales[1] < LINEAR_BELOW

    def over_scale(self, function: np.ufunc, x: Array, scale: Array) -> Array:
        """``function(scale x) / scale`` for an odd function of slope 1 at 0: x itself where the scale is tiny.

        ``scale`` is this one's in a shape that broadcasts against x.
        """
        if self.linear:
            return x.copy()
        value = scale * x
        function(value, out=value)
        if self.scales[0] >= LINEAR_BELOW:
            value /= scale
            return value
        tiny = scale < LINEAR_BELOW
        return np.where(tiny, x, value / np.where(tiny, 1.0, scale))


class TeacherColumns:
    """Teachers by direction and norm, and what students are beside them.

    Orthonormal teachers are the first axes of a basis of their own, in which two of the four products of an evaluation
    are nothing: all columns here are in that basis.

    Args:
        W: the teacher's columns (..., d, m), none zero.
        unit_norms: whether the columns count as unit columns, as on spheres, where their rounding means nothing.
    """

    def __init__(self, W: Array, *, unit_norms: bool) -> None:
        columns = directions("teacher_W", W)
        self.m = int(W.shape[-1])
        self.norms = np.ones(columns.norms.shape) if unit_norms else columns.norms
        self.given = columns.array
        # Deviations count in the teacher's own lengths where norms mean nothing: students at the teacher have none.
        self.lengths = columns.norms if unit_norms else np.ones(columns.norms.shape)
        self.unit = columns.unit
        self.cosines = self.unit.mT @ self.unit
        self.basis: Array | None = None
        if self.m > 1 and np.abs(self.cosines - np.eye(self.m)).max() < _ORTHONORMAL_TO:
            self.basis = _completed(self.unit)
            self.unit = np.broadcast_to(np.eye(W.shape[-2], self.m), self.unit.shape)
            self.cosines = np.broadcast_to(np.eye(self.m), self.cosines.shape)
        self.columns = self.unit if unit_norms else self.unit * self.norms[..., None, :]
        self.angle, self.supplement = angle_pair(self.unit, self.unit)

    def from_given(self, A: Array) -> Array:
        """Columns (..., d, k) in the basis used here."""
        return A if self.basis is None else self.basis.mT @ A

    def to_given(self, A: Array) -> Array:
        """Columns (..., d, k) of the basis used here as those that were given."""
        return A if self.basis is None else self.basis @ A

    def onto(self, A: Array) -> Array:
        """``W^*^T A``, a new array: (..., d, n) -> (..., m, n)."""
        if self.basis is not None:
            return np.array(A[..., : self.m, :])
        return np.asarray(np.matmul(self.unit.mT, A, order="C"))

    def add_product(self, X: Array, total: Array) -> None:
        """Add ``W^* X`` to ``total``: (..., m, n), (..., d, n)."""
        if self.basis is not None:
            total[..., : self.m, :] += X
        else:
            total += self.unit @ X

    def apart(self, Z: Array, scale: Array) -> Apart:
        """The students ``w_j = w*_j + scale z_j``, j < m, followed by the r-set's ``z_j = w_j``.

        Args:
            Z: (..., d, n).
            scale: (..., 1, 1), of the deviations, not negative.
        """
        m, all_paired = self.m, Z.shape[-1] == self.m
        z = Z if all_paired else Z[..., :m]
        W = scale * z
        W += self.columns
        excess = column_dots(z, W + self.columns)
        if not all_paired:
            W = np.concatenate([W, Z[..., m:]], axis=-1)
        size = np.sqrt(column_dots(W, W))
        W /= size[..., None, :]
        of_u = size if all_paired else size[..., :m]
        longer = excess / (of_u + self.norms)
        difference = z - self.unit * longer[..., None, :]
        difference /= of_u[..., None, :]
        ends = (scale.item(),) * 2 if scale.size == 1 else (float(scale.min()), float(scale.max()))
        return Apart(W, difference, size, longer, excess, scale, ends)

    def own_angles(self, apart: Apart) -> Array:
        """``angle(w_k, w*_k) / scale``, (..., m): ``2 arctan(||w - w*|| / ||w + w*||)`` of unit columns."""
        chord = np.sqrt(column_dots(apart.difference, apart.difference))
        if apart.linear:
            return chord
        scale = apart.scale[..., 0]
        length = scale * chord
        if length.max() > 1.0:
            both = self.unit + apart.unit[..., : self.m]
            across = np.sqrt(column_dots(both, both))
            half = np.divide(chord, across, out=np.full_like(chord, np.inf), where=across > 0)
        else:
            half = chord / np.sqrt(4.0 - length * length)
        return 2.0 * apart.over_scale(np.arctan, half, scale)


def _completed(unit: Array) -> Array:
    """Orthonormal columns (..., d, m) followed by others that make a basis, (..., d, d)."""
    d, m = unit.shape[-2:]
    if d == m:
        return unit
    full = np.linalg.qr(unit, mode="complete")[0]
    return np.concatenate([unit, full[..., m:]], axis=-1)
