"""What is watched along a run: the same numbers for flows and for trained networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.geometry.angles import norms, paired_angles
from dynamics.geometry.columns import directions
from dynamics.measures.input_measure import InputMeasure
from dynamics.two_layer.problem import TeacherStudent
from dynamics.validation import real_numbers

DIMENSIONS: dict[str, tuple[str, ...]] = {
    "W": ("input", "node"),
    "V": ("node", "output"),
    "angle": ("teacher",),
    "sin_theta": ("teacher",),
    "fan_out_norm": ("node",),
    "norm_drift": ("node",),
    "loss": (),
}
"""Names of the trailing axes of states and observables; further leading axes are the ensemble."""


@checked
def population_loss(problem: TeacherStudent, W: Array, V: Array, *, teacher: Any = None) -> Array:
    """Loss ``J = 1/2 E||f*(x) - f(x)||^2`` over the whole input measure, from its kernels.

    ``J = 1/2 [<L**, V* V*^T> - 2 <L*, V V*^T> + <L, V V^T>]``, each L a ``psi_l`` matrix of the problem's measure. The
    three terms cancel near the solution: the absolute error is a few ulp of the terms, so that values under about
    1e-15 of the teacher's own second moment are rounding (they may be negative).

    Args:
        problem: the teacher and the measure.
        W, V: students (..., d, n) and (..., n, c); leading axes may come before the problem's: many states at once.
        teacher: the teacher's columns as the measure prepared them, where students are given in a turned basis.
    Returns:
        (...), the leading axes of the students.
    Cost: O(n (n + m) (d + c)), memory O(n (n + m)) an instance.
    Source: Luck Matters, Eqns 1 and 7.
    """
    W, V = _students(problem, W, V)
    psi_l, students = problem.measure.psi_l, problem.measure.prepare(W)
    teacher = problem.prepared_teacher if teacher is None else teacher
    with np.errstate(over="ignore", invalid="ignore"):  # weights of any size: an infinite moment is one
        cross = _overlap(psi_l(students, teacher), V, problem.teacher_V)
        own = _overlap(psi_l(students, students), V, V)
        loss = np.asarray(0.5 * (problem.teacher_second_moment - 2 * cross + own))
    lost = np.isnan(loss)
    if lost.any():  # the difference of two infinite moments of finite weights: the loss is beyond float64 too
        finite = np.isfinite(W).all(axis=(-2, -1)) & np.isfinite(V).all(axis=(-2, -1))
        loss = np.where(lost & finite, np.inf, loss)
    return loss


def _students(problem: TeacherStudent, W: Array, V: Array) -> tuple[Array, Array]:
    """Any number of students for the problem's inputs and outputs; raises TypeError or ValueError, naming them."""
    W, V = real_numbers("W", W), real_numbers("V", V)
    n = W.shape[-1] if W.ndim else 0
    if W.shape[-2:] != (problem.d, n) or V.shape[-2:] != (n, problem.c):
        raise ValueError(
            f"W, V: expected shapes (..., {problem.d}, n) and (..., n, {problem.c}), got {W.shape} and {V.shape}"
        )
    return W, V


def _overlap(kernel: Array, left: Array, right: Array) -> Array:
    """``<kernel, left right^T>``."""
    return np.asarray((left * (kernel @ right)).sum(axis=(-2, -1)))


def sine_from_teacher(angle: Array) -> Array:
    """``sin theta`` up to a right angle and ``2 - sin theta`` beyond it: small at the teacher alone.

    sin theta is 0 opposite the teacher too, where nothing is learned. This rises from 0 to 2, smoothly at the right
    angle, so that it can be watched for a threshold along a run.

    Args:
        angle: theta (...), radians in [0, pi].
    Returns:
        (...).
    """
    sine = np.sin(angle)
    return np.asarray(np.where(angle > np.pi / 2, 2.0 - sine, sine))


@checked
def two_layer_observables(problem: TeacherStudent, W: Array, V: Array) -> dict[str, Array]:
    """What is watched in a state of a two-layer problem, by flows and by trained networks alike.

    Args:
        problem: the teacher, the start and the measure; n >= m.
        W, V: students (..., d, n) and (..., n, c); leading axes may come before the problem's: many states at once.
    Returns:
        ``angle``, ``sin_theta`` (..., m): of student j and its teacher j, radians, accurate down to 1e-140;
        ``fan_out_norm`` (..., n): ``||v_j||``; ``norm_drift`` (..., n): ``||w_j|| / ||w_j(0)|| - 1``; ``loss`` (...).
    Raises:
        ValueError: fewer students than teachers.
    Cost: that of :func:`population_loss`.
    """
    problem.require_u_set()
    W, V = _students(problem, W, V)
    directions("W", W[..., : problem.m])  # a zero column has no angle; said by its name
    angle = paired_angles(W[..., : problem.m], np.broadcast_to(problem.teacher_W, (*W.shape[:-1], problem.m)))
    return {
        "angle": angle,
        "sin_theta": np.sin(angle),
        "fan_out_norm": norms(V.mT),
        "norm_drift": norms(W) / norms(problem.student_W) - 1,
        "loss": population_loss(problem, W, V),
    }


def teacher_second_moment(teacher_W: Array, teacher_V: Array, measure: InputMeasure) -> Array:
    """``E||f*(x)||^2``, the scale of a loss: (..., d, m), (..., m, c) -> (...)."""
    return _overlap(measure.psi_l(teacher_W, teacher_W), teacher_V, teacher_V)
