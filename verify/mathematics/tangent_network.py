"""Trained networks near a solution: a deviation, its per-sample features, and the Gram matrix that shrinks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.columns import tangent_projection
from dynamics.measures.input_measure import InputMeasure
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.tangent_gram import TangentGram
from verify.mathematics.thresholded_gram import ThresholdedGram

Step = Callable[[Array, Array], tuple[Array, Array]]


@dataclass(frozen=True)
class TangentNetwork:
    """Networks ``V^T relu(W^T x)`` with unit columns, linearised where they solve their problem.

    A deviation is one vector of N = n d (+ n c where V is trained) numbers: the tangent parts ``P_perp(w_j) dw_j`` and
    ``dV``. On one input the residual is ``-Phi delta`` with ``Phi (c, N) = {f'_j v_j (x) P_perp(w_j) x, f_j e_i}``, so
    that a step of projected descent on a batch is

        delta <- (I - lr / B sum_b Phi_b^T Phi_b) delta,      H = E Phi^T Phi.

    Attributes:
        W, V: unit columns (..., d, n) and fan-outs (..., n, c); leading axes are networks with points of their own.
        measure: the law of the inputs.
        trains_V: whether V moves.
        gram: H in closed form, as a map of (dW, dV).
    Source: Luck Matters, Theorems 4 and 5 (the linearisation is ours).
    """

    W: Array
    V: Array
    measure: InputMeasure
    trains_V: bool
    gram: Step

    @classmethod
    def at_solution(cls, problem: TeacherStudent, W: Array, V: Array, *, trains_V: bool) -> Self:
        """The point that students ``W (..., d, n)``, ``V (..., n, c)`` have come near.

        The u-set stands at the teacher, the r-set where it is, with fan-outs of zero.

        Raises:
            ValueError: an input law without a closed form of H.
        """
        point_W, point_V = np.array(W), np.zeros_like(V)
        point_W[..., : problem.m] = problem.teacher_W
        point_V[..., : problem.m, :] = problem.teacher_V
        gram: Step
        if problem.measure.spherical_variance is not None:
            gram = TangentGram(point_W, point_V, problem.measure, trains_V=trains_V)
        else:
            gram = ThresholdedGram(point_W, problem.measure)
        return cls(point_W, point_V, problem.measure, trains_V, gram)

    @property
    def size(self) -> int:
        """Coordinates N of a deviation; those normal to the spheres are always zero."""
        d, n = self.W.shape[-2:]
        return int(n * (d + self.V.shape[-1] * self.trains_V))

    def deviation(self, W: Array, V: Array) -> Array:
        """Deviations (..., N) of students near the point: of node j the size is ``sin theta_j``."""
        return self.flat(tangent_projection(self.W, W - self.W), V - self.V)

    def flat(self, dW: Array, dV: Array) -> Array:
        """One vector of a step."""
        parts = [dW.reshape(*dW.shape[:-2], -1)]
        if self.trains_V:
            parts.append(dV.reshape(*dV.shape[:-2], -1))
        return np.concatenate(parts, axis=-1)

    def matrices(self, delta: Array) -> tuple[Array, Array]:
        """``(dW, dV)`` of deviations (..., N); dV is zero where V is fixed."""
        (d, n), c = self.W.shape[-2:], self.V.shape[-1]
        dW = delta[..., : d * n].reshape(*delta.shape[:-1], d, n)
        if not self.trains_V:
            return dW, np.zeros((*delta.shape[:-1], n, c))
        return dW, delta[..., d * n :].reshape(*delta.shape[:-1], n, c)

    def tangent(self, delta: Array) -> Array:
        """Vectors (..., N) without their parts normal to the spheres."""
        dW, dV = self.matrices(delta)
        return self.flat(tangent_projection(np.broadcast_to(self.W, dW.shape), dW), dV)

    def shrink(self, delta: Array) -> Array:
        """``H delta`` for deviations (..., N) whose leading axes broadcast against those of the networks."""
        return self.flat(*self.gram(*self.matrices(delta)))

    def features(self, x: Array) -> Array:
        """``Phi (..., K, c, N)`` of inputs ``x (..., K, d)``."""
        return tangent_features(self.W, self.V, x, trains_V=self.trains_V)

    def sample(self, count: int, rng: np.random.Generator) -> Array:
        """Features of ``count`` fresh inputs for each network, ``(..., count, c, N)``."""
        networks = self.W.shape[:-2]
        x = self.measure.sample(int(np.prod(networks, dtype=int)) * count, rng)
        return self.features(x.reshape(*networks, count, x.shape[-1]))


def tangent_features(W: Array, V: Array, x: Array, *, trains_V: bool) -> Array:
    """``Phi (..., K, c, N)`` of inputs ``x (..., K, d)``: ``f'_j v_j (x) P_perp(w_j) x`` and, with V, ``f_j e_i``.

    W (..., d, n) unit columns, V (..., n, c).
    """
    (d, n), c = W.shape[-2:], V.shape[-1]
    before = x @ W
    gate = before > 0
    tangent = x[..., :, None] - W[..., None, :, :] * before[..., None, :]
    tangent *= gate[..., None, :]
    turned = tangent[..., None, :, :] * np.swapaxes(V, -1, -2)[..., None, :, None, :]
    parts = [turned.reshape(*turned.shape[:-2], d * n)]
    if trains_V:
        moved = np.where(gate, before, 0.0)[..., None, :, None] * np.eye(c)[:, None, :]
        parts.append(moved.reshape(*moved.shape[:-2], n * c))
    return np.concatenate(parts, axis=-1)
