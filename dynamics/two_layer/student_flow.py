"""What every flow of a two-layer problem's students has in common: its state, W and perhaps V, and its description."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.ode.flow import Flow
from dynamics.two_layer.problem import TeacherStudent


class StudentFlow(Flow):
    """A flow of the students' fan-ins ``W (..., d, n)`` and, with ``trains_V``, of their fan-outs ``V (..., n, c)``."""

    def __init__(self, problem: TeacherStudent, *, trains_V: bool) -> None:
        self.problem = problem
        self.trains_V = trains_V
        self.discontinuous = (
            problem.measure.atoms is not None
        )  # gates of finitely many samples switch one by one

    def _told(self) -> str:
        return repr(self.problem)

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        """The problem's students."""
        W, V = self.problem.student_W, self.problem.student_V
        return {"W": W, "V": V} if self.trains_V else {"W": W}

    def matrices(self, y: Array) -> tuple[Array, Array]:
        """``(W, V)`` of a flat state ``(..., size)``, with the fixed V where it is not learned."""
        y = self.checked_states(y)
        state = self.unpack(y)
        fixed = np.broadcast_to(self.problem.student_V, y.shape[:-1] + self.problem.student_V.shape)
        return state["W"], state.get("V", fixed)

    def of_matrices(self, W: Array, V: Array) -> Array:
        """Flat state of ``W`` and, where it is learned, of ``V``."""
        return self.pack({"W": W, "V": V})

    def of_tangent(self, dW: Array, dV: Array) -> Array:
        """Flat form of derivatives that were projected to the tangent spaces."""
        return self.of_matrices(dW, dV)

    def problem_description(self) -> dict[str, Any]:
        """The teacher and the start; :meth:`TeacherStudent.from_description` makes the problem of it again."""
        return self.problem.description()

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        return {
            **super().configuration(),
            "trains_V": self.trains_V,
            "measure": repr(self.problem.measure),
            **self.problem.sizes,
        }
