"""Gaussian input with any covariance: the isotropic kernels of turned and stretched columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.measures.random_stream import RandomStream
from dynamics.validation import checked_size, real_array

_SYMMETRY = 1e-12
"""How far a covariance may be from symmetric, as a share of its largest entry."""


class AnisotropicGaussian(InputMeasure):
    """Centred Gaussian input ``x ~ N(0, C)``: everything in closed form.

    With R the symmetric root of C, ``x = R z`` for standard normal z, so that ``w.x = (R w).z`` and all kernels are
    those of :class:`IsotropicGaussian` at the columns ``R w``; the gradient term is ``R G(R w, R u)``. Assumption 1's
    ``E[gate x x^T] = P(gate) L_0`` does not hold here: :class:`GradientFlow` is the flow that networks follow, Eqn 6
    is not.

    Args:
        covariance: C, (d, d), symmetric and positive definite.
    Raises:
        ValueError, TypeError: no such matrix.
    Cost: as for the isotropic Gaussian, and a product with R.
    """

    def __init__(self, covariance: ArrayLike) -> None:
        self.covariance, self.root = checked_covariance("covariance", covariance)
        self.dim = len(self.covariance)
        self._standard = IsotropicGaussian(self.dim)

    def __repr__(self) -> str:
        variances = np.linalg.eigvalsh(self.covariance)
        return f"{type(self).__name__}(dim={self.dim}, variances {variances[0]:.3g} to {variances[-1]:.3g})"

    def description(self) -> dict[str, Any]:
        return {**super().description(), "measure_covariance": self.covariance}

    @property
    def symmetric(self) -> bool:
        return True

    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        return self._standard.kernels(*self._turned(A, B))

    @np.errstate(over="ignore", invalid="ignore")  # inf or NaN where the sum overflows
    def gradient_term(self, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        one, two, c = self._pairs(W, U, coefficients)
        return np.asarray(self.root @ self._standard.gradient_term(*self._turned(one, two), c))

    @np.errstate(over="ignore", invalid="ignore")
    def _turned(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        one, two = self._columns(A, B)
        turned = self.root @ one
        return turned, (turned if one is two else self.root @ two)

    @checked
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        return rng.standard_normal((checked_size(size, self.dim), self.dim)) @ self.root

    def fill_batches(self, rows: Any, stream: RandomStream) -> None:
        stream.fill_normal(rows)
        if isinstance(rows, np.ndarray):
            rows[...] = self.root @ rows
        else:
            rows.copy_(rows.new_tensor(self.root) @ rows)

    def second_moment(self) -> Array:
        return self.covariance.copy()


def checked_covariance(name: str, value: Any) -> tuple[Array, Array]:
    """A covariance and its symmetric root; raises ValueError or TypeError unless it is positive definite."""
    C = np.array(real_array(name, value))
    if C.ndim != 2 or C.shape[0] != C.shape[1] or C.size == 0:
        raise ValueError(f"{name}: expected a square matrix (d, d), got shape {C.shape}")
    gap = np.abs(C - C.T).max()
    if gap > _SYMMETRY * np.abs(C).max():
        raise ValueError(f"{name}: expected a symmetric matrix, got one off by {gap:.3g}")
    variances, axes = np.linalg.eigh(0.5 * (C + C.T))
    if not variances[0] > 0:
        raise ValueError(f"{name}: expected positive variances, got {variances[0]:.3g}")
    root = (axes * np.sqrt(variances)) @ axes.T
    return 0.5 * (C + C.T), 0.5 * (root + root.T)
