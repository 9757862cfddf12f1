"""Theorem 4's flows once more in mpmath, by fixed Runge-Kutta steps: for confirming times and rates."""

from __future__ import annotations

from typing import Any

import mpmath as mp

from dynamics.arrays import Array
from dynamics.two_layer.problem import TeacherStudent
from verify.mathematics.precise.kernels import angle, columns, dot, psi_d_isotropic, unit

DIGITS = 20
STEP = 0.1
"""Fourth order on rates below 1: an error below 1e-5 of the distance over the runs confirmed here."""


def field(W: list[Any], teacher: list[Any], *, projected: bool, matched: bool = False) -> list[Any]:
    """``[P_perp] (W* h*_j - W h_j)`` at columns W; ``matched`` keeps each node's own terms only."""
    result = []
    for j, w in enumerate(W):
        pull = mp.matrix(len(w), 1)
        for k in range(len(W)):
            if not matched or k == j:
                pull += psi_d_isotropic(w, teacher[k]) * teacher[k] - psi_d_isotropic(w, W[k]) * W[k]
        u = unit(w)
        result.append(pull - u * dot(u, pull) if projected else pull)
    return result


def arrival(problem: TeacherStudent, target: float, horizon: float, **options: bool) -> float:
    """Time until every angle is at most ``target``, interpolated in its logarithm within one step; or ``horizon``."""
    with mp.workdps(DIGITS):
        W, teacher = columns(problem.student_W), columns(problem.teacher_W)
        before = _largest_angle(W, teacher)
        for step in range(int(horizon / STEP)):
            if before <= target:
                return step * STEP
            W = _runge_kutta(W, teacher, **options)
            after = _largest_angle(W, teacher)
            if after <= target:
                share = mp.log(before / target) / mp.log(before / after)
                return float((step + share) * STEP)
            before = after
        return horizon


def _largest_angle(W: list[Any], teacher: list[Any]) -> Any:
    return max(angle(w, t) for w, t in zip(W, teacher, strict=True))


def _runge_kutta(W: list[Any], teacher: list[Any], **options: bool) -> list[Any]:
    def moved(slope: list[Any], h: float) -> list[Any]:
        return [w + h * s for w, s in zip(W, slope, strict=True)]

    first = field(W, teacher, **options)
    second = field(moved(first, STEP / 2), teacher, **options)
    third = field(moved(second, STEP / 2), teacher, **options)
    fourth = field(moved(third, STEP), teacher, **options)
    slopes = zip(W, first, second, third, fourth, strict=True)
    moved_W = [w + STEP / 6 * (a + 2 * b + 2 * c + d) for w, a, b, c, d in slopes]
    return [unit(w) for w in moved_W] if options["projected"] else moved_W


def rate_at(teacher_W: Array, W: Array, shrink: float, digits: int = 60) -> float:
    """``-x'/x`` of ``x = ||(sin theta_j)_j||`` at W, moved towards the teacher by the factor ``shrink``."""
    with mp.workdps(digits):
        teacher = [unit(w) for w in columns(teacher_W)]
        moved = [unit(t + mp.mpf(shrink) * (w - t)) for w, t in zip(columns(W), teacher, strict=True)]
        velocity = field(moved, teacher, projected=True)
        falls, squares = mp.mpf(0), mp.mpf(0)
        for w, t, v in zip(moved, teacher, velocity, strict=True):
            cosine = dot(w, t)
            falls += cosine * dot(t, v)
            squares += 1 - cosine**2
        return float(falls / squares)
