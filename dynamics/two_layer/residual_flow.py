"""Student Specialization's two-layer dynamics: the residual r_k of Eqn 10 in four forms, for spherical input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.geometry.angles import norms, tangent_projection
from dynamics.two_layer.observables import population_loss
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.student_flow import StudentFlow
from dynamics.validation import one_of

Form = Literal["projected", "plain", "multiplicative", "exact"]
"""``projected``: w' = P_perp(w) r; ``plain``: w' = r; ``multiplicative``: w' = ||w|| r; ``exact``: w' = r + xi w."""


def node_residuals(problem: TeacherStudent, W: Array, V: Array) -> tuple[Array, Array]:
    """The residual vectors r_k of Eqn 10 and the scalars xi_k that complete the gradient.

    ``r_k = sum_j a_kj psi(t_kj) w*_j - sum_i b_ki psi(t_ki) w_i`` with ``a = V V*^T``, ``b = V V^T``, angles t and
    ``psi(t) = c (pi - t) / 2 pi``;
    ``xi_k = c / (2 pi ||w_k||) [sum_j a_kj sin t_kj ||w*_j|| - sum_i b_ki sin t_ki ||w_i||]``.
    Then ``r_k + xi_k w_k`` is exactly minus the population gradient in w_k.

    Args:
        problem: teachers, and a measure whose ``spherical_variance`` c is known: of bias-free input with spherical
            symmetry nothing but ``c = E||x||^2 / d`` matters here.
        W, V: students (..., d, n) and (..., n, C).
    Returns:
        r (..., d, n) and xi (..., n), 0 for a zero column.
    Raises:
        TypeError: the measure is not known to be spherical.
    Cost: O(n (n + m) (d + C)).
    Source: Student Specialization, Theorem 6, Assumption 2 and Eqn 10.
    """
    measure = problem.measure
    own, size = norms(W), norms(problem.teacher_W)
    pull, along = np.zeros_like(W), np.zeros_like(own)
    for sign, nodes, fan_out, lengths in ((1, problem.teacher_W, problem.teacher_V, size), (-1, W, V, own)):
        overlap = measure.psi_d(W, nodes)
        alignment = V @ np.swapaxes(fan_out, -1, -2)
        pull = pull + sign * nodes @ np.swapaxes(overlap * alignment, -1, -2)
        sines = np.sin(2 * np.pi * overlap)  # sin t = sin(pi - t), and pi - t = 2 pi psi_d
        along = along + sign * ((alignment * sines) @ lengths[..., None])[..., 0]
    c = _second_moment(problem)
    xi = c / (2 * np.pi) * np.divide(along, own, out=np.zeros_like(own), where=own > 0)
    return c * pull, xi


def _second_moment(problem: TeacherStudent) -> float:
    variance = problem.measure.spherical_variance
    if variance is None:
        raise TypeError(
            "measure: expected IsotropicGaussian or another with a spherical_variance,"
            f" got {type(problem.measure).__name__}"
        )
    return variance


class ResidualFlow(StudentFlow):
    """W moved by Eqn 10's residual in one of the four forms of :data:`Form`; V fixed, or learned by its exact gradient.

    The paper simplifies the gradient ``r_k + xi_k w_k`` to the residual and leaves open how fast a node moves and
    grows: ``exact`` is the gradient flow, ``projected`` keeps every norm, ``plain`` and ``multiplicative`` (what
    ``||v_k|| = ||w_k||`` of Eqn 8 suggests) let it grow. The direction ``w_k / ||w_k||`` turns by ``P_perp r_k`` in all
    of them, at a speed ``1 / ||w_k||``, or 1 in the multiplicative form.

    State: W (..., d, n) and, where learned, V (..., n, C), flat in C order. Observables: ``cosine`` (..., n, m) to each
    teacher; ``fan_in_norm``, ``fan_out_norm`` (..., n); ``loss`` (...).

    Args:
        problem: with any number of students; leading axes are an ensemble. Its measure is ``IsotropicGaussian``, which
            stands for any spherical input with ``c = std^2``, or another with a ``spherical_variance``.
        form: one of :data:`Form`.
        trains_V: whether V is learned.
    Raises:
        ValueError: an unknown form.
        TypeError: a measure that is not known to be spherical.
    Cost: O(n (n + m) (d + C)) an evaluation.
    Source: Student Specialization, Eqns 6 and 10, section 5.2.
    """

    dimensions: Mapping[str, tuple[str, ...]] = {
        "W": ("input", "node"),
        "V": ("node", "output"),
        "cosine": ("node", "teacher"),
        "fan_in_norm": ("node",),
        "fan_out_norm": ("node",),
        "loss": (),
    }

    @checked
    def __init__(self, problem: TeacherStudent, *, form: Form = "exact", trains_V: bool = False) -> None:
        one_of("form", form, get_args(Form))
        _second_moment(problem)
        super().__init__(problem, trains_V=trains_V)
        self.form = form

    def __call__(self, t: float, y: Array) -> Array:
        W, V = self.matrices(y)
        r, xi = node_residuals(self.problem, W, V)
        if self.form == "projected":
            r = tangent_projection(W, r)
        elif self.form == "multiplicative":
            r = norms(W)[..., None, :] * r
        elif self.form == "exact":
            r = r + xi[..., None, :] * W
        if not self.trains_V:
            return self.of_matrices(r, V)
        psi_l = self.problem.measure.psi_l
        dV = psi_l(W, self.problem.teacher_W) @ self.problem.teacher_V - psi_l(W, W) @ V
        return self.of_matrices(r, dV)

    def observables(self, y: Array) -> dict[str, Array]:
        """Cosines to the teachers, norms and the population loss."""
        W, V = self.matrices(y)
        return {
            "cosine": cosines(W, self.problem.teacher_W),
            "fan_in_norm": norms(W),
            "fan_out_norm": np.asarray(np.linalg.norm(V, axis=-1)),
            "loss": population_loss(self.problem, W, V),
        }

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        return {**super().configuration(), "form": self.form}


def cosines(W: Array, targets: Array) -> Array:
    """Cosine of the angle of every pair of columns, 0 for a zero one: (..., d, n), (..., d, m) -> (..., n, m)."""
    sizes = norms(W)[..., :, None] * norms(targets)[..., None, :]
    product = np.swapaxes(W, -1, -2) @ targets
    return np.clip(np.divide(product, sizes, out=np.zeros_like(product), where=sizes > 0), -1.0, 1.0)
