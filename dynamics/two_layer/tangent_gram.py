"""The Gram matrix of a two-layer network's tangent features: minus the Jacobian of its gradient flow at a solution."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair
from dynamics.geometry.columns import tangent_projection
from dynamics.measures.input_measure import InputMeasure
from dynamics.validation import shown


class TangentGram:
    """Applies ``E[phi phi^T]``, ``phi = {f'_j(x) P_perp(w_j) x (x) v_j, f_j(x) (x) e_i}``, to a tangent step (dW, dV).

    ``dw_j -> P_perp(w_j) sum_k [v_j^T v_k (D_jk dw_k + S_jk w_k (w_j^T dw_k)) + D_jk w_k (v_j^T dv_k)]`` and
    ``dv_k -> sum_l L_kl dv_l + sum_j D_jk (w_k^T dw_j) v_j``, with ``D_jk = s^2 (pi - t_jk) / 2pi``,
    ``S_jk = s^2 / (2 pi sin t_jk)`` (0 where w_j and w_k are parallel) and ``L = psi_l(W, W)``. Where ``trains_V`` is
    False the terms of dV are left out.

    Args:
        W, V: unit columns (..., d, n) and fan-outs (..., n, c).
        measure: one whose ``spherical_variance`` s^2 is known.
    Raises:
        ValueError: it is not.
    Cost: O(n^2 d) once, O(n^2 (d + c)) an application.
    Source: Luck Matters, Theorems 4 and 5 (the sharp form of their rates).
    """

    def __init__(self, W: Array, V: Array, measure: InputMeasure, *, trains_V: bool) -> None:
        variance = measure.spherical_variance
        if variance is None:
            raise ValueError(f"measure: expected one with a spherical_variance, got {shown(measure)}")
        self.W, self.V, self.trains_V, self.variance = W, V, trains_V, variance
        angle, rest = angle_pair(W, W)
        sine = np.sin(np.minimum(angle, rest))
        twist = np.divide(variance, 2 * np.pi * sine, out=np.zeros_like(sine), where=sine > 0)
        alignment = V @ np.swapaxes(V, -1, -2)
        self._overlap = variance * rest / (2 * np.pi)
        self._alignment = alignment * self._overlap
        self._twist = alignment * twist
        self._psi_l = measure.psi_l(W, W) if trains_V else None

    def __call__(self, dW: Array, dV: Array) -> tuple[Array, Array]:
        """The step (dW (..., d, n), dV (..., n, c)) times the Gram matrix; dV as it is where V is fixed."""
        W, V = self.W, self.V
        projections = np.swapaxes(W, -1, -2) @ dW
        pull = dW @ self._alignment + W @ np.swapaxes(self._twist * projections, -1, -2)
        if self._psi_l is None:
            return tangent_projection(W, pull), dV
        pull = pull + W @ np.swapaxes(self._overlap * (V @ np.swapaxes(dV, -1, -2)), -1, -2)
        return tangent_projection(W, pull), self._psi_l @ dV + (self._overlap * projections) @ V
