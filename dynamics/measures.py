"""Input measures: isotropic Gaussian, Gaussian with biases, and a given set of samples."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.biased_gaussian import BiasedGaussian
from dynamics.gaussian_kernels import arc_cosine
from dynamics.geometry import angle_pair, norms
from dynamics.input_measure import InputMeasure, checked_dimension, checked_size, fill_zero_columns

__all__ = ["BiasedGaussian", "EmpiricalMeasure", "InputMeasure", "IsotropicGaussian"]

Array = NDArray[np.float64]

# Pre-activations of one chunk of samples: 2^21 float64 are 16 MiB.
_CHUNK_ELEMENTS = 1 << 21


def _angles_with_zeros(A: Array, B: Array) -> tuple[Array, Array]:
    """Angles and supplements; a zero column counts as antiparallel to all, so that its gates never open."""
    A_filled, zero_a = fill_zero_columns(A)
    B_filled, zero_b = (A_filled, zero_a) if A is B else fill_zero_columns(B)
    theta, supplement = angle_pair(A_filled, B_filled)
    for zero in (
        zero_a[..., :, None] if zero_a is not None else None,
        zero_b[..., None, :] if zero_b is not None else None,
    ):
        if zero is not None:
            theta, supplement = np.where(zero, np.pi, theta), np.where(zero, 0.0, supplement)
    return theta, supplement


class IsotropicGaussian(InputMeasure):
    """``x ~ N(0, std^2 I)``.

    With ``theta`` the angle of w and w': ``psi_d = (pi - theta)/2pi`` and
    ``psi_l = std^2 ||w|| ||w'|| (sin theta + (pi - theta) cos theta)/2pi``.
    Accuracy: relative error of a few ulp times sqrt(d), near parallel and near antiparallel alike.
    Cost: one matrix product and O(1) per pair.
    Source: Cho & Saul (2009), arc-cosine kernels of degree 0 and 1.
    """

    def __init__(self, dim: int, std: float = 1.0) -> None:
        self.dim = checked_dimension(dim)
        if not (math.isfinite(std) and std > 0):
            raise ValueError(f"std: expected a positive finite number, got {std!r}")
        self.std = float(std)

    def __repr__(self) -> str:
        return f"IsotropicGaussian(dim={self.dim}, std={self.std})"

    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        A, B = self._columns(A, B)
        _, supplement = _angles_with_zeros(A, B)
        size_a = norms(A)
        size_b = size_a if A is B else norms(B)
        scale = (self.std * size_a)[..., :, None] * (self.std * size_b)[..., None, :]
        return scale * arc_cosine(supplement) / (2.0 * np.pi), supplement / (2.0 * np.pi)

    def psi_d(self, A: ArrayLike, B: ArrayLike) -> Array:
        return _angles_with_zeros(*self._columns(A, B))[1] / (2.0 * np.pi)

    def gradient_term(self, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        """``sum_k c_jk G(w_j, u_k)`` for each column j: the exact first-layer gradient of a ReLU network.

        ``G(w, u) = E[1(w.x>0) 1(u.x>0) x x^T] u = std^2/2pi [(pi - theta) u + ||u|| sin theta w/||w||]``,
        which is the gradient of psi_l(w, u) in w.

        Shapes: W (..., d, n), U (..., d, m), coefficients (..., n, m) -> (..., d, n).
        Accuracy: a few ulp of the largest term of the sum (near antiparallel the two parts of G cancel).
        Cost: two matrix products and O(1) per pair; no (d, n, m) temporary. A zero w_j gives 0.
        """
        W, U = self._columns(W, U)
        c = np.asarray(coefficients, dtype=np.float64)
        if c.ndim < 2 or c.shape[-2:] != (W.shape[-1], U.shape[-1]):
            raise ValueError(
                f"coefficients: expected shape (..., {W.shape[-1]}, {U.shape[-1]}), got {c.shape}"
            )
        theta, supplement = _angles_with_zeros(W, U)
        sine = np.sin(np.minimum(theta, supplement))
        along = np.matmul(c * sine, norms(U)[..., None])[..., 0]
        size = norms(W)
        unit = W / np.where(size > 0, size, 1.0)[..., None, :]
        total = np.matmul(U, (c * supplement).mT) + unit * along[..., None, :]
        return np.asarray(self.std**2 / (2.0 * np.pi) * total)

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        return self.std * rng.standard_normal((checked_size(size), self.dim))

    def second_moment(self) -> Array:
        return self.std**2 * np.eye(self.dim)


class EmpiricalMeasure(InputMeasure):
    """N given inputs with weights p: ``psi_l = F^T diag(p) F'``, ``psi_d`` the same with gates ``F > 0``.

    Exact for any data set and any layer's activations; piecewise constant in the gates, so flows on it have a
    discontinuous right-hand side.

    ``weights`` are normalised to sum to 1, and equal when not given.

    Cost: O(N n m) in chunks of samples; besides the result, memory stays below about 4 x 16 MiB (or four
    rows of pre-activations, when one sample already needs more).
    """

    def __init__(self, samples: ArrayLike, weights: ArrayLike | None = None) -> None:
        x = np.array(samples, dtype=np.float64)
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(f"samples: expected a non-empty array of shape (N, d), got shape {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError(
                f"samples: expected finite values, got {int((~np.isfinite(x)).sum())} that are not"
            )
        self.samples = x
        self.dim = x.shape[1]
        self.weights = None if weights is None else _normalised(weights, len(x))

    def __repr__(self) -> str:
        kind = "" if self.weights is None else ", weighted"
        return f"EmpiricalMeasure({len(self.samples)} samples of dimension {self.dim}{kind})"

    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        A, B = self._columns(A, B)
        lead = np.broadcast_shapes(A.shape[:-2], B.shape[:-2])
        psi_l = np.zeros((*lead, A.shape[-1], B.shape[-1]))
        psi_d = np.zeros_like(psi_l)
        per_sample = max(1, math.prod(lead) * (A.shape[-1] + B.shape[-1]))
        size = max(1, _CHUNK_ELEMENTS // per_sample)
        for start in range(0, len(self.samples), size):
            chunk = slice(start, start + size)
            x = self.samples[chunk]
            one = np.matmul(x, A)
            two = one if A is B else np.matmul(x, B)
            psi_l += self._mean_product(np.maximum(one, 0.0), np.maximum(two, 0.0), chunk)
            psi_d += self._mean_product(np.heaviside(one, 0.0), np.heaviside(two, 0.0), chunk)
        if self.weights is None:
            psi_l /= len(self.samples)
            psi_d /= len(self.samples)
        return psi_l, psi_d

    def _mean_product(self, F: Array, G: Array, chunk: slice) -> Array:
        if self.weights is not None:
            G = G * self.weights[chunk, None]
        return np.asarray(np.matmul(F.mT, G))

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        """``size`` of the samples, drawn with replacement by weight."""
        return self.samples[rng.choice(len(self.samples), size=checked_size(size), p=self.weights)]

    def second_moment(self) -> Array:
        x = self.samples
        if self.weights is None:
            return np.asarray(x.T @ x / len(x))
        return np.asarray(x.T @ (x * self.weights[:, None]))


def _normalised(weights: ArrayLike, count: int) -> Array:
    p = np.array(weights, dtype=np.float64)
    if p.shape != (count,):
        raise ValueError(f"weights: expected shape ({count},), one per sample, got shape {p.shape}")
    if not np.isfinite(p).all() or (p < 0).any():
        raise ValueError(f"weights: expected finite non-negative values, got minimum {p.min()}")
    total = p.sum()
    if not total > 0:
        raise ValueError(f"weights: expected a positive sum, got {total}")
    return np.asarray(p / total)
