"""Isotropic Gaussian input: the arc-cosine kernels of degree 0 and 1 in closed form."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.geometry.angles import Pairs
from dynamics.geometry.columns import Columns, Directions
from dynamics.measures.gaussian_kernels import arc_cosine_from
from dynamics.measures.input_measure import InputMeasure
from dynamics.validation import checked_dimension, checked_size

# Elements of teacher's and students' columns, and of their pairs with the students, up to which one call makes all.
_JOINED_COLUMNS = 1 << 14
_JOINED_PAIRS = 1 << 16


class IsotropicGaussian(InputMeasure):
    """``x ~ N(0, std^2 I)``.

    With ``theta`` the angle of w and w': ``psi_d = (pi - theta)/2pi`` and
    ``psi_l = std^2 ||w|| ||w'|| (sin theta + (pi - theta) cos theta)/2pi``.
    Accuracy: relative error of a few ulp times sqrt(d), near parallel and near antiparallel alike (times d for columns
    of one constant, whose norms round worst).
    Cost: one matrix product and O(1) per pair; memory at the peak 6 arrays of the pairs.
    Source: Cho & Saul (2009), arc-cosine kernels of degree 0 and 1.
    """

    def __init__(self, dim: int, std: float = 1.0) -> None:
        self.dim = checked_dimension(dim)
        if not (math.isfinite(std) and std > 0):
            raise ValueError(f"std: expected a positive finite number, got {std!r}")
        self.std = float(std)

    def __repr__(self) -> str:
        return f"IsotropicGaussian(dim={self.dim}, std={self.std})"

    def prepare(self, A: ArrayLike | Columns) -> Columns:
        """``A`` with the norms and directions of its columns."""
        return A if isinstance(A, Columns) else Columns("A", self._shaped("A", A))

    def prepare_unit(self, columns: Columns) -> Columns:
        """The directions as columns of norm one: nothing is left to be found."""
        return columns.on_sphere()

    def _of(self, name: str, A: ArrayLike | Directions) -> Directions:
        return A if isinstance(A, Directions) else Columns(name, self._shaped(name, A))

    def _prepared(
        self, A: ArrayLike | Directions, B: ArrayLike | Directions
    ) -> tuple[Directions, Directions]:
        one = self._of("A", A)
        return one, (one if A is B else self._of("B", B))

    def kernels(self, A: ArrayLike | Directions, B: ArrayLike | Directions) -> tuple[Array, Array]:
        one, two = self._prepared(A, B)
        pairs = Pairs(one, two)
        supplement = _supplements(pairs, one, two)
        psi_l = arc_cosine_from(supplement, pairs.sines(), pairs.cosines(), out=pairs.cosine)
        size_a, size_b = (self.std / math.sqrt(2.0 * np.pi) * x.norms for x in (one, two))
        # One product, not two: kernels of a matrix with itself are symmetric to the last bit.
        psi_l *= size_a[..., :, None] * size_b[..., None, :]
        supplement *= 0.5 / np.pi
        return psi_l, supplement

    def psi_d(self, A: ArrayLike | Directions, B: ArrayLike | Directions) -> Array:
        one, two = self._prepared(A, B)
        supplement = _supplements(Pairs(one, two), one, two)
        supplement *= 0.5 / np.pi
        return supplement

    def kernels_onto(
        self, teacher: ArrayLike | Columns, students: ArrayLike | Columns
    ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        teachers, own = self._prepared(teacher, students)
        if not _joinable(teachers, own):
            return self.kernels(teachers, own), self.kernels(own, own)
        psi_l, psi_d = self.kernels(teachers.beside(own), own)
        m = teachers.unit.shape[-1]
        return (psi_l[..., :m, :], psi_d[..., :m, :]), (psi_l[..., m:, :], psi_d[..., m:, :])

    def psi_d_onto(self, teacher: ArrayLike | Columns, students: ArrayLike | Columns) -> tuple[Array, Array]:
        teachers, own = self._prepared(teacher, students)
        if not _joinable(teachers, own):
            return self.psi_d(teachers, own), self.psi_d(own, own)
        psi_d = self.psi_d(teachers.beside(own), own)
        m = teachers.unit.shape[-1]
        return psi_d[..., :m, :], psi_d[..., m:, :]

    def gradient_term(self, W: ArrayLike | Columns, U: ArrayLike | Columns, coefficients: ArrayLike) -> Array:
        """``sum_k c_jk G(w_j, u_k)`` for each column j: the exact first-layer gradient of a ReLU network.

        ``G(w, u) = E[1(w.x>0) 1(u.x>0) x x^T] u = std^2/2pi [(pi - theta) u + ||u|| sin theta w/||w||]``,
        which is the gradient of psi_l(w, u) in w.

        Shapes: W (..., d, n), U (..., d, m), coefficients (..., n, m) -> (..., d, n).
        Accuracy: a few ulp of the largest term of the sum (near antiparallel the two parts of G cancel).
        Cost: two matrix products and O(1) per pair; no (d, n, m) temporary. A zero w_j gives 0.
        """
        one = self.prepare(W)
        two = one if W is U else self.prepare(U)
        c = np.asarray(coefficients, dtype=np.float64)
        n, m = one.unit.shape[-1], two.unit.shape[-1]
        if c.ndim < 2 or c.shape[-2:] != (n, m):
            raise ValueError(f"coefficients: expected shape (..., {n}, {m}), got {c.shape}")
        pairs = Pairs(one, two)
        supplement = _supplements(pairs, one, two)
        along = np.matmul(c * pairs.sines(), two.norms[..., None])[..., 0]
        if one.zero is not None:
            along *= ~one.zero
        total = np.matmul(two.array, (c * supplement).mT) + one.unit * along[..., None, :]
        return np.asarray(self.std**2 / (2.0 * np.pi) * total)

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        return self.std * rng.standard_normal((checked_size(size), self.dim))

    def second_moment(self) -> Array:
        return self.std**2 * np.eye(self.dim)


def _supplements(pairs: Pairs, one: Directions, two: Directions) -> Array:
    """``pi - theta`` of all pairs; a zero column counts as antiparallel to all, so that its gates never open."""
    supplement = pairs.supplements()
    if one.zero is not None:
        supplement *= ~one.zero[..., :, None]
    if two.zero is not None:
        supplement *= ~two.zero[..., None, :]
    return supplement


def _joinable(teachers: Directions, own: Directions) -> bool:
    """Whether one call on the columns joined costs less than two: where overhead outweighs the copying of columns,
    the symmetry of the students' product and the memory of pairs held at once."""
    (*_, d, m), n = teachers.unit.shape, own.unit.shape[-1]
    alike = teachers.unit.shape[:-2] == own.unit.shape[:-2]
    return alike and d * (m + n) <= _JOINED_COLUMNS and n * (m + n) <= _JOINED_PAIRS
