"""Rates of the projected flow late in a run: means over decades of ``x = ||(sin theta_j)||``, and a late state."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.linearization import spectral_rate
from verify.judging import CannotJudgeError
from verify.mathematics.runs.near_starts import RTOL, Start, decay, mean_rate, time_to

EARLIER, LATER = (1e-3, 1e-4), (1e-5, 1e-6)
"""The two decades of x, two apart, in which mean rates are compared: from the first value down to the second."""

EARLIER_ACCURACY, LATER_ACCURACY = 1e-2, 1e-4
"""Accuracy of a mean rate in either decade: the nonlinear terms leave ten times the x at which the decade begins."""


@lru_cache(maxsize=512)
def late_run(start: Start) -> tuple[Array, Array]:
    """``(t, x)`` along the flow down to the end of the later decade."""
    problem = start.problem()
    slowest = float(np.asarray(spectral_rate(ProjectedFlow(problem))))
    return decay(problem, 16.0 / slowest)  # e^-16 is 1e-7


def rate_within(start: Start, decade: tuple[float, float]) -> float:
    """Mean of ``-x'/x`` in a decade along the flow.

    Raises:
        CannotJudgeError: x does not fall so far, because the students end elsewhere or are late.
    """
    rate = mean_rate(*late_run(start), *decade)
    if not np.isfinite(rate):
        raise CannotJudgeError("x does not fall to the end of its late decades within 16 / λ_min")
    return rate


def late_rate(start: Start) -> float:
    """Mean of ``-x'/x`` in the later decade; see :func:`rate_within`."""
    return rate_within(start, LATER)


def late_state(start: Start) -> tuple[Array, Array]:
    """Teacher and students once every angle is below 1e-4, from the float64 run."""
    problem = start.problem()
    time = time_to(problem, 1e-4, 1e4)
    run = integrate(ProjectedFlow(problem), (0.0, time), t_eval=[time], rtol=RTOL, atol=1e-13)
    return problem.teacher_W, run.state["W"][-1]
