"""Mixtures of Gaussians: each component is an affine image of a standard normal, with kernels in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.measures.anisotropic_gaussian import checked_covariance
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.input_measure import InputMeasure
from dynamics.validation import checked_size, real_array, shown


class GaussianMixture(InputMeasure):
    """Input from one of K Gaussians ``N(mu_k, C_k)``, chosen with probability ``p_k``: everything in closed form.

    With R_k the root of C_k, ``x = R_k z + mu_k`` and ``w.x = (R_k w).z + mu_k.w``: a node with fan-in ``R_k w`` and
    bias ``mu_k.w``. Kernels and the gradient term are sums of those of :class:`BiasedGaussian` at these columns.

    Args:
        means: mu, (K, d).
        covariances: C, (K, d, d), or (d, d) for all; the identity where not given.
        weights: p, (K,), positive; normalised to sum to 1. Equal where not given.
    Raises:
        ValueError, TypeError: shapes that do not agree, a covariance that is not positive definite, other weights.
    Cost: K times that of :class:`BiasedGaussian`.
    """

    def __init__(
        self, means: ArrayLike, covariances: ArrayLike | None = None, weights: ArrayLike | None = None
    ) -> None:
        mu = np.array(real_array("means", means))
        if mu.ndim != 2 or 0 in mu.shape:
            raise ValueError(f"means: expected a non-empty array of shape (K, d), got shape {mu.shape}")
        count, d = mu.shape
        C = np.eye(d) if covariances is None else real_array("covariances", covariances)
        if C.shape not in ((d, d), (count, d, d)):
            raise ValueError(f"covariances: expected shape ({count}, {d}, {d}) or ({d}, {d}), got {C.shape}")
        pairs = [checked_covariance("covariances", one) for one in np.broadcast_to(C, (count, d, d))]
        p = np.ones(count) if weights is None else real_array("weights", weights)
        if p.shape != (count,) or not np.all(p > 0):
            raise ValueError(f"weights: expected {count} positive numbers, one per component, got {shown(p)}")
        shares = p / p.max()  # their sum does not overflow
        self.means, self.weights = mu, shares / shares.sum()
        self.covariances = np.stack([pair[0] for pair in pairs])
        self.dim = d
        # (R_k; mu_k^T): (d + 1, d), which makes of a fan-in that of the standard normal with a bias.
        self._images = [np.concatenate([root, mean[None]]) for (_, root), mean in zip(pairs, mu, strict=True)]
        self._standard = BiasedGaussian(d)
        parts = [(m.tobytes(), C.tobytes(), w) for m, C, w in zip(mu + 0.0, self.covariances, p, strict=True)]
        mirrored = [(m.tobytes(), C, w) for m, (_, C, w) in zip(0.0 - mu, parts, strict=True)]
        self._symmetric = sorted(parts) == sorted(mirrored)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.means)} components of dimension {self.dim})"

    def description(self) -> dict[str, Any]:
        return {
            **super().description(),
            "measure_means": self.means,
            "measure_covariances": self.covariances,
            "measure_weights": self.weights,
        }

    @property
    def symmetric(self) -> bool:
        """Whether every component has its mirror image, of the same covariance and weight."""
        return self._symmetric

    @np.errstate(over="ignore", invalid="ignore")  # inf where an expectation overflows
    def kernels(self, A: ArrayLike, B: ArrayLike) -> tuple[Array, Array]:
        one, two = self._columns(A, B)
        psi_l = psi_d = np.zeros(())
        for p, image in zip(self.weights, self._images, strict=True):
            left = self._standard.prepare(image @ one)
            right = left if one is two else self._standard.prepare(image @ two)
            part_l, part_d = self._standard.kernels(left, right)
            psi_l, psi_d = psi_l + p * part_l, psi_d + p * part_d
        return psi_l, psi_d

    @np.errstate(over="ignore", invalid="ignore")  # inf or NaN where the sum overflows
    def gradient_term(self, W: ArrayLike, U: ArrayLike, coefficients: ArrayLike) -> Array:
        one, two, c = self._pairs(W, U, coefficients)
        total: Array = np.zeros(())
        for p, image in zip(self.weights, self._images, strict=True):
            left = self._standard.prepare(image @ one)
            right = left if one is two else self._standard.prepare(image @ two)
            total = total + p * (image.T @ self._standard.gradient_term(left, right, c))
        return total

    @checked
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        chosen = rng.choice(len(self.means), size=checked_size(size, self.dim), p=self.weights)
        z = rng.standard_normal((len(chosen), self.dim))
        roots = np.stack([image[:-1] for image in self._images])
        return np.asarray(np.matmul(z[:, None, :], roots[chosen])[:, 0] + self.means[chosen])

    def second_moment(self) -> Array:
        L = np.zeros((self.dim, self.dim))
        for p, mean, C in zip(self.weights, self.means, self.covariances, strict=True):
            L += p * (C + np.outer(mean, mean))
        return L
