"""H of Theorem 4's networks with thresholded teachers: moments of gated Gaussian inputs with a bias."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.geometry.columns import tangent_projection
from dynamics.measures.input_measure import InputMeasure

ORTHOGONAL = 1e-9
"""How far directions may be from orthonormal, and thresholds from each other."""


class ThresholdedGram:
    """Applies ``E[phi phi^T]``, ``phi = {f'_j(x) P_perp(w_j) x}``, for unit columns (u_j, -h) / sqrt(1 + h^2).

    ``dw_j -> P_perp(w_j) sum_k E_jk dw_k`` with ``E_jk = E[f'_j f'_k x x^T]``, x a standard normal vector and a last
    entry 1. With u_j orthonormal the gates are independent, and the truncated moments of one normal number
    ``p = P(z > h)``, ``m1 = E[z; z > h] = phi(h)``, ``m2 = E[z^2; z > h] = p + h phi(h)`` give every entry. All
    fan-outs are one.

    This is the Gram matrix of the *network*. Theorem 4's flow has ``psi_d(w_j, w_k) L_0`` in place of E_jk, which is
    the same only for inputs without a bias: there the rates of the two differ.

    Raises:
        ValueError: directions that are not orthonormal, different thresholds, or another input law.
    Cost: O(m^2 d) an application.
    """

    def __init__(self, W: Array, measure: InputMeasure) -> None:
        if not measure.biased_normal:
            raise ValueError(f"measure: expected a spherical law or BiasedGaussian, got {measure!r}")
        size = np.linalg.norm(W[..., :-1, :], axis=-2, keepdims=True)
        threshold = -W[..., -1:, :] / size
        U = W[..., :-1, :] / size
        skew = np.abs(np.swapaxes(U, -1, -2) @ U - np.eye(W.shape[-1])).max()
        if not max(skew, np.ptp(threshold)) < ORTHOGONAL:
            raise ValueError("W: expected orthonormal directions with one threshold")
        self.W, self.U, self.threshold = W, U, float(threshold.flat[0])
        h = self.threshold
        self.p = float(ndtr(-h))
        self.m1 = math.exp(-h * h / 2) / math.sqrt(2 * math.pi)
        self.m2 = self.p + h * self.m1

    def __call__(self, dW: Array, dV: Array) -> tuple[Array, Array]:
        """The step (dW (..., d + 1, m), dV) times the Gram matrix; dV as it is."""
        U, p, m1, m2 = self.U, self.p, self.m1, self.m2
        D, b = dW[..., :-1, :], dW[..., -1:, :]
        q = np.swapaxes(U, -1, -2) @ D
        own = np.diagonal(q, axis1=-2, axis2=-1)[..., None, :]
        # Sums over k, less k = j: of D_k, of u_k own_k, of u_k q_jk, of q_jk, of own_k, of b_k, of u_k b_k.
        across = np.sum(q, axis=-1)[..., None, :] - own
        owns = own.sum(axis=-1, keepdims=True) - own
        biases = b.sum(axis=-1, keepdims=True) - b
        others = D.sum(axis=-1, keepdims=True) - D
        turned = (U * own).sum(axis=-1, keepdims=True) - U * own
        crossed = U @ np.swapaxes(q, -1, -2) - U * own
        lifted = (U * b).sum(axis=-1, keepdims=True) - U * b
        directions = (
            p * p * others
            + (p * m2 - p * p) * (U * across + turned)
            + m1 * m1 * (U * owns + crossed)
            + m1 * p * (U * biases + lifted)
            + p * D
            + (m2 - p) * U * own
            + m1 * U * b
        )
        bias = m1 * p * (across + owns) + p * p * biases + m1 * own + p * b
        return tangent_projection(self.W, np.concatenate([directions, bias], axis=-2)), dV
