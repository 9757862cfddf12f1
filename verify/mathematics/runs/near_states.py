"""States near their teachers and the speeds of their angles: Theorem 4's remarks point by point, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import tangent_projection, unit_columns
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import Context
from verify.mathematics.runs.near_starts import Start

STATES = 32
"""States looked at in one instance."""

FOLLOWED = 16
"""Beyond ``quick`` every instance is looked at point by point, one in so many is followed along the flow as well."""


def followed(start: Start, context: Context) -> bool:
    """Whether the flow from this start is integrated too."""
    return not context.budget.full or start.seed % FOLLOWED == 0


@dataclass(frozen=True)
class Turned:
    """Students ``size * (cos theta w* + sin theta t)``, t a random direction: ``theta (S, m)``, ``outward (S, d, m)``.

    ``outward`` is the unit derivative of the direction in theta; ``size (S, 1)`` the norm of the columns.
    """

    problem: TeacherStudent
    theta: Array
    outward: Array
    size: Array

    def speeds(self, *, projected: bool = True) -> tuple[Array, Array, Array]:
        """``(theta', size', aside)``, ``(S, m)`` each; ``aside``: the speed out of the plane of w and w*."""
        flow = ProjectedFlow(self.problem, projected=projected)
        velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
        along = self.problem.student_W / self.size[..., None]
        turning = (self.outward * velocity).sum(axis=-2)
        growing = (along * velocity).sum(axis=-2)
        rest = velocity - turning[..., None, :] * self.outward - growing[..., None, :] * along
        return turning / self.size, growing, np.linalg.norm(rest, axis=-2)


def turned(teacher: Array, theta: Array, rng: np.random.Generator, size: Array | float = 1.0) -> Turned:
    """Students at angles ``theta (S, m)`` from the columns of ``teacher (d, m)``, of norm ``size (S, 1)``."""
    centre = np.broadcast_to(teacher, (len(theta), *teacher.shape))
    tangent = unit_columns(tangent_projection(centre, rng.standard_normal(centre.shape)))
    # Once more, because a draw may be almost along the centre.
    tangent = unit_columns(tangent_projection(centre, tangent))
    cosine, sine = np.cos(theta)[:, None], np.sin(theta)[:, None]
    size = np.broadcast_to(size, (len(theta), 1))
    W = size[..., None] * (cosine * centre + sine * tangent)
    return Turned(TeacherStudent(centre, W), theta, cosine * tangent - sine * centre, size)


def rates_at(teacher: Array, x: float, rng: np.random.Generator) -> Array:
    """``-x'/x`` of ``x = ||(sin theta_j)||`` at ``STATES`` states of that x in random directions, ``(S,)``."""
    share = np.abs(rng.standard_normal((STATES, teacher.shape[1])))
    sine = x * share / np.linalg.norm(share, axis=1, keepdims=True)
    states = turned(teacher, np.arcsin(sine), rng)
    return np.asarray(-(sine * np.cos(states.theta) * states.speeds()[0]).sum(axis=1) / x**2)
