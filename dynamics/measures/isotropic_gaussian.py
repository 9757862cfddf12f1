"""Isotropic Gaussian input: the arc-cosine kernels of degree 0 and 1 in closed form."""

from __future__ import annotations

import math
import sys
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.geometry.angles import Pairs
from dynamics.geometry.columns import Columns, Directions
from dynamics.measures.gaussian_kernels import arc_cosine_from
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.kernel_bounds import KernelBounds, checked_caps, spherical_kernel_bounds
from dynamics.measures.random_stream import RandomStream
from dynamics.validation import checked_dimension, checked_size, number, real_numbers, shown

# One kernel call on joined columns beats two while the overhead of a call dominates: up to about this many entries
# d (m + n) of the joined columns, which are copied,
_JOINED_COLUMNS = 1 << 14
# and up to about this many pairs n (m + n), which are held at once and lose the symmetry of the students' product.
_JOINED_PAIRS = 1 << 16


class IsotropicGaussian(InputMeasure):
    """Spherical Gaussian input ``x ~ N(0, std^2 I)`` without bias: everything in closed form.

    With theta the angle of w and w': ``psi_d = (pi - theta) / 2pi`` and
    ``psi_l = std^2 ||w|| ||w'|| (sin theta + (pi - theta) cos theta) / 2pi``.
    Accuracy: relative error of a few ulp times sqrt(d), near parallel and near antiparallel alike (times d for columns
    of one constant, whose norms round worst).

    Args:
        dim: d, the length of a weight column and of x.
        std: standard deviation of each coordinate, > 0, its square neither 0 nor infinite in float64.
    Raises:
        ValueError, TypeError: ``dim`` is no positive integer, or ``std`` no positive number.
    Cost: a kernel takes one matrix product and O(1) per pair; memory at the peak 6 arrays of the pairs.
    Source: Cho & Saul (2009), arc-cosine kernels of degree 0 and 1.
    """

    def __init__(self, dim: int, std: float = 1.0) -> None:
        self.dim = checked_dimension(dim)
        self.std = number("std", std, positive=True)
        if not sys.float_info.min <= self.std * self.std <= sys.float_info.max:
            raise ValueError(f"std: expected a number whose square is one of float64, got {shown(std)}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(dim={self.dim}, std={self.std})"

    def description(self) -> dict[str, Any]:
        return {**super().description(), "measure_dim": self.dim, "measure_std": self.std}

    @property
    def spherical_variance(self) -> float | None:
        return self.std**2

    @property
    def symmetric(self) -> bool:
        return True

    def prepare(self, A: ArrayLike | Columns) -> Columns:
        """``A`` with the norms and directions of its columns."""
        return self._of("A", A)

    def prepare_unit(self, columns: Columns) -> Columns:
        """The directions as columns of norm one: nothing is left to be found."""
        return columns.on_sphere()

    @overload
    def _of(self, name: str, A: ArrayLike | Columns) -> Columns: ...
    @overload
    def _of(self, name: str, A: ArrayLike | Directions) -> Directions: ...
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
        # The two norms are multiplied first, so that kernels of a matrix with itself are symmetric to the last bit.
        with np.errstate(over="ignore", invalid="ignore"):  # inf where an expectation overflows
            psi_l *= size_a[..., :, None] * size_b[..., None, :]
        supplement *= 0.5 / np.pi
        return psi_l, supplement

    def psi_d(self, A: ArrayLike | Directions, B: ArrayLike | Directions) -> Array:
        one, two = self._prepared(A, B)
        supplement = _supplements(Pairs(one, two), one, two)
        supplement *= 0.5 / np.pi
        return supplement

    def joined(self, teacher: Any, students: Any) -> Directions | None:
        """Teachers and then students as one set of columns, up to ``_JOINED_COLUMNS`` entries and ``_JOINED_PAIRS``."""
        if not (isinstance(teacher, Directions) and isinstance(students, Directions)):
            return None
        return teacher.beside(students) if _joinable(teacher, students) else None

    def gradient_term(self, W: ArrayLike | Columns, U: ArrayLike | Columns, coefficients: ArrayLike) -> Array:
        """:meth:`InputMeasure.gradient_term` with

        ``G(w, u) = std^2/2pi [(pi - theta) u + ||u|| sin theta w/||w||]``.

        Accuracy: a few ulp of the largest term of the sum (near antiparallel the two parts of G cancel).
        Cost: two matrix products and O(1) per pair; no (d, n, m) temporary. A zero w_j gives 0.
        """
        one = self._of("W", W)
        two = one if W is U else self._of("U", U)
        c = real_numbers("coefficients", coefficients)
        n, m = one.unit.shape[-1], two.unit.shape[-1]
        if c.ndim < 2 or c.shape[-2:] != (n, m):
            raise ValueError(f"coefficients: expected shape (..., {n}, {m}), got {c.shape}")
        pairs = Pairs(one, two)
        supplement = _supplements(pairs, one, two)
        with np.errstate(over="ignore", invalid="ignore"):  # inf or NaN where the sum overflows
            along = np.matmul(c * pairs.sines(), two.norms[..., None])[..., 0]
            if one.zero is not None:
                along *= ~one.zero
            total = np.matmul(two.array, (c * supplement).mT) + one.unit * along[..., None, :]
            return np.asarray(self.std**2 / (2.0 * np.pi) * total)

    @checked
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        return self.std * rng.standard_normal((checked_size(size, self.dim), self.dim))

    def fill_batches(self, rows: Any, stream: RandomStream) -> None:
        stream.fill_normal(rows)
        if self.std != 1:
            rows *= self.std

    def second_moment(self) -> Array:
        return self.std**2 * np.eye(self.dim)

    def second_moment_times(self, A: Array) -> Array:
        return A if self.std == 1 else self.std**2 * A

    def kernel_bounds(self, centres: Array, radii: Array) -> KernelBounds:
        return spherical_kernel_bounds(self.std**2, *checked_caps(self.dim, centres, radii))


def _supplements(pairs: Pairs, one: Directions, two: Directions) -> Array:
    """``pi - theta`` of all pairs; a zero column counts as antiparallel to all, so that its gates never open."""
    supplement = pairs.supplements()
    if one.zero is not None:
        supplement *= ~one.zero[..., :, None]
    if two.zero is not None:
        supplement *= ~two.zero[..., None, :]
    return supplement


def _joinable(teachers: Directions, own: Directions) -> bool:
    """Whether the pairs are few and stacked alike, so that one call costs less than two."""
    (*_, d, m), n = teachers.unit.shape, own.unit.shape[-1]
    alike = teachers.unit.shape[:-2] == own.unit.shape[:-2]
    return alike and d * (m + n) <= _JOINED_COLUMNS and n * (m + n) <= _JOINED_PAIRS
