"""How far an over-parameterised student is from the solution along the flow, in float64 and in thirty digits."""

from __future__ import annotations

import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.mathematics.bounds.comparison import deviation
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference

RTOL, ATOL = 1e-12, 1e-16
HORIZON, TIMES = 10.0, 41
STEPS = 24
"""Runge-Kutta steps in thirty digits; they are repeated with half of them, and the difference counts as their error."""


def deviation_path(problem: TeacherStudent) -> tuple[Array, Array]:
    """Times and the deviation ``y (T, 2m + r)`` along the flow."""
    times = np.linspace(0.0, HORIZON, TIMES)
    run = integrate(TwoLayerFlow(problem), (0.0, HORIZON), t_eval=times, rtol=RTOL, atol=ATOL)
    if not run.success:
        raise ArithmeticError(run.message)
    return times, deviation(problem, run.state["W"], run.state["V"])


def path_tolerance(scale: float) -> float:
    """A hundred local errors of the integrator on deviations of size ``scale`` (that of the fan-outs), and rounding."""
    return 100 * RTOL * scale + 1e-14


def precise_deviation(problem: TeacherStudent, part: int, time: float) -> tuple[mp.mpf, mp.mpf, mp.mpf]:
    """Largest deviation of the relevant columns (``part`` 0) or fan-outs (1) at the start and at ``time``, its error.

    Numbers of thirty digits, by fixed Runge-Kutta steps that share nothing with :func:`deviation_path`.
    """
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem)
        start = max(reference.distances(reference.W, reference.V)[part])
        fine = max(reference.distances(*reference.integrate(time, STEPS))[part])
        coarse = max(reference.distances(*reference.integrate(time, STEPS // 2))[part])
        return start, fine, abs(fine - coarse)
