"""The reduced dynamics of two-layer students: Theorem 4's flow, Eqn 6 with W and V, the exact gradient flow."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.ode.flow import Coordinates
from dynamics.two_layer.deviations.flow import DeviationFlow
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.tangent_gram import TangentGram
from dynamics.two_layer.teacher_basis import in_teacher_basis
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from dynamics.validation import one_of


class ProjectedFlow(TwoLayerDynamics):
    """Theorem 4's flow: as many students as teachers, uniform top-down modulation.

    ``w_j' = P_perp(w_j) L_0 (W* h*_j - W h_j)`` with ``h*_jk = beta_jk psi_d(w_j, w*_k)``,
    ``h_jk = beta_jk psi_d(w_j, w_k)`` and ``L_0 = E[x x^T]``. For isotropic Gaussian input this is the exact population
    gradient flow of ``f(x) = sum_j relu(w_j^T x)`` on the product of spheres. State W; V is fixed.

    Args:
        problem: n = m, all fan-outs one, unit columns when projected.
        projected: False drops P_perp.
        modulation: ``"uniform"``, beta = 1, the theorem's; ``"matched"``, beta the identity: each student sees its own
            teacher and itself only.
    Raises:
        ValueError: n != m, other fan-outs, columns that are not unit, or another modulation.
    Cost: O(m^2 d) an evaluation, memory O(m^2 + m d) an instance.
    Source: Luck Matters, Theorem 4.
    """

    @checked
    def __init__(
        self,
        problem: TeacherStudent,
        *,
        projected: bool = True,
        modulation: Literal["uniform", "matched"] = "uniform",
    ) -> None:
        super().__init__(problem, projected=projected, trains_V=False)
        if problem.n != problem.m:
            raise ValueError(
                f"student_W: expected n = m = {problem.m} columns in Theorem 4's flow, got n = {problem.n}"
            )
        if not (np.all(problem.teacher_V == 1) and np.all(problem.student_V == 1)):
            raise ValueError("teacher_V, student_V: expected fan-outs of one in Theorem 4's flow")
        one_of("modulation", modulation, ("uniform", "matched"))
        self.modulation = modulation

    def field(self, W: Array, V: Array) -> tuple[Array, Array]:
        """``L_0 (W* h*_j - W h_j)``, and V, which does not move."""
        problem = self.problem
        of_teachers, of_students = problem.measure.psi_d_onto(self.teacher, self.prepare(W))
        if self.modulation == "matched":
            of_teachers, of_students = (np.eye(problem.m) * x for x in (of_teachers, of_students))
        pull = self.teacher_times(of_teachers)
        pull -= W @ of_students
        return problem.measure.second_moment_times(pull), V

    def in_deviations(self) -> DeviationFlow | None:
        return self._deviations(ones=self.projected, matched=self.modulation == "matched")

    def tangent_gram(self, y: Array) -> TangentGram | None:
        return self._gram_at_solution(y) if self.modulation == "uniform" else None

    def cheaper_coordinates(self) -> Coordinates | None:
        """The teachers' own basis (:func:`in_teacher_basis`), where the measure is spherical."""
        return in_teacher_basis(
            self.problem,
            lambda turned: ProjectedFlow(turned, projected=self.projected, modulation=self.modulation),
        )

    def configuration(self) -> dict[str, Any]:
        return {**super().configuration(), "modulation": self.modulation}


class TwoLayerFlow(TwoLayerDynamics):
    """Eqn 6 for two layers: over-parameterised students with W and V learned.

    ``w_j' = [P_perp(w_j)] L_0 (W* h*_j - W h_j)``, ``h*_jk = psi_d(w_j, w*_k) v_j^T v*_k``,
    ``h_jk = psi_d(w_j, w_k) v_j^T v_k``; ``V' = L* V* - L V`` with ``L* = psi_l(W, W*)``, ``L = psi_l(W, W)``.

    Args:
        problem: n >= m, unit columns when projected.
        projected: True is Theorem 5's flow and, for isotropic Gaussian input, the exact population gradient flow on
            unit columns; False is Eqn 6 as printed, off the exact gradient by O(1).
        trains_V: False keeps V where it starts.
    Raises:
        ValueError: fewer students than teachers, or columns that are not unit.
    Cost: O(n (n + m) (d + c)) an evaluation, memory O(n^2 + n d) an instance.
    Source: Luck Matters, Eqn 6 and Theorem 5.
    """

    @checked
    def __init__(self, problem: TeacherStudent, *, projected: bool = True, trains_V: bool = True) -> None:
        super().__init__(problem, projected=projected, trains_V=trains_V)

    def field(self, W: Array, V: Array) -> tuple[Array, Array]:
        """``L_0 (W* h*_j - W h_j)`` and ``L* V* - L V``."""
        problem = self.problem
        (teachers_l, teachers_d), (students_l, students_d) = problem.measure.kernels_onto(
            self.teacher, self.prepare(W)
        )
        dV = teachers_l.mT @ problem.teacher_V
        dV -= students_l @ V
        teachers_d *= problem.teacher_V @ V.mT  # in place: the measure leaves the arrays to the caller
        students_d *= V @ V.mT
        pull = self.teacher_times(teachers_d)
        pull -= W @ students_d
        return problem.measure.second_moment_times(pull), dV

    def in_deviations(self) -> DeviationFlow | None:
        return self._deviations()

    def tangent_gram(self, y: Array) -> TangentGram | None:
        return self._gram_at_solution(y)

    def cheaper_coordinates(self) -> Coordinates | None:
        """The teachers' own basis (:func:`in_teacher_basis`), where the measure is spherical."""
        return in_teacher_basis(
            self.problem,
            lambda turned: TwoLayerFlow(turned, projected=self.projected, trains_V=self.trains_V),
        )


class GradientFlow(TwoLayerDynamics):
    """The exact population gradient flow ``W' = -dJ/dW``, ``V' = -dJ/dV`` of ``J = 1/2 E||f* - f||^2``.

    ``w_j' = sum_k G(w_j, w*_k) v_j^T v*_k - sum_k G(w_j, w_k) v_j^T v_k`` with
    ``G(w, u) = E[1(w^T x > 0) 1(u^T x > 0) x x^T] u``, the measure's ``gradient_term``.

    Args:
        problem: n >= m; its measure knows its gradient term, as ``IsotropicGaussian`` does.
        projected: True keeps the columns at unit norm (and equals ``TwoLayerFlow`` for isotropic Gaussian input).
        trains_V: False keeps V where it starts.
    Raises:
        TypeError: the measure does not know its gradient term.
        ValueError: fewer students than teachers, or columns that are not unit where projected.
    Cost: as ``TwoLayerFlow``.
    Source: Luck Matters, Eqn 15; Student Specialization, Theorem 6.
    """

    @checked
    def __init__(self, problem: TeacherStudent, *, projected: bool = False, trains_V: bool = True) -> None:
        super().__init__(problem, projected=projected, trains_V=trains_V)
        if not problem.measure.has_gradient_term:
            raise TypeError(
                f"measure: expected one with a gradient_term, got {type(problem.measure).__name__}"
            )
        # Where a sample's gate switches, the gradient jumps by that sample's share of the residual: small, and ever
        # smaller as the teacher is learned, so that an ordinary method keeps its tolerance.
        self.discontinuous = False

    def field(self, W: Array, V: Array) -> tuple[Array, Array]:
        """Minus the gradient of the loss in W (before any projection) and in V."""
        problem = self.problem
        term = problem.measure.gradient_term
        students, teacher = self.prepare(W), self.teacher
        pull = term(students, teacher, V @ np.swapaxes(problem.teacher_V, -1, -2))
        pull -= term(students, students, V @ np.swapaxes(V, -1, -2))
        if not self.trains_V:
            return pull, V
        psi_l = problem.measure.psi_l
        return pull, psi_l(students, teacher) @ problem.teacher_V - psi_l(students, students) @ V

    def in_deviations(self) -> DeviationFlow | None:
        return self._deviations(along=not self.projected)
