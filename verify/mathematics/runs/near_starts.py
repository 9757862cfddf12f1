"""Starts near the teachers and the time a flow needs from there: the instances of Theorem 4's remarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.ode.events import converged
from dynamics.ode.integrate import integrate
from dynamics.ode.status import Status
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import SEED, Assumption, Budget, Instance, fixed, integers, reals

RTOL = 1e-8
"""Relative tolerance of the runs; times to a target are good to about ten times that."""

FINE = 1e-10
"""Tolerance of runs whose angles are read down to 1e-6: absolute in effect, for the columns are of unit norm."""


@dataclass(frozen=True)
class Start(Instance):
    """m orthonormal teachers in d dimensions, each student at angle ``theta0`` from its own in a random direction.

    Every remark has its own ranges of m and ``theta0``; d is drawn from max(m, 2) to m + 4 (:func:`starts`).
    """

    m: int = fixed(1, integers(1))
    d: int = fixed(2, integers(2))
    theta0: float = fixed(0.5, reals(0.0, np.pi, low_open=True))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """Orthonormal teachers need as many dimensions."""
        return "expected d >= m" if self.m > self.d else ""

    def problem(self) -> TeacherStudent:
        """The teacher-student problem, isotropic Gaussian input."""
        rng = np.random.default_rng(self.seed)
        return TeacherStudent.at_angle(teachers.orthonormal(self.d, self.m, rng), self.theta0, rng)


def starts(m: st.SearchStrategy[int], theta0: st.SearchStrategy[float]) -> st.SearchStrategy[Start]:
    """Starts with d from max(m, 2) to m + 4."""

    def of_size(size: int) -> st.SearchStrategy[Start]:
        seed = st.integers(0, 10_000)
        return st.builds(Start, st.just(size), st.integers(max(size, 2), size + 4), theta0, seed)

    return m.flatmap(of_size)


NEAR = st.sampled_from((0.5, 0.2, 0.7))
"""Angles (radians) from which students usually reach their own teachers."""


def few_nodes(budget: Budget) -> st.SearchStrategy[Start]:
    """Up to three nodes, up to five beyond ``quick``."""
    return starts(st.integers(1, 5 if budget.full else 3), NEAR)


def own_teacher_wins(start: Start) -> tuple[Assumption, ...]:
    """Starts from which the students reach their own teachers (others end at a permutation or a saddle).

    For one that ends elsewhere all the same, late rates cannot be judged.
    """
    its_own = (
        Assumption.below("θ₀ of several nodes", start.theta0, 0.8, "rad")
        if start.m > 1
        else Assumption.below("θ₀ of one node", start.theta0, 3, "rad")
    )
    return its_own, Assumption.above("θ₀", start.theta0, 2e-3, "rad")  # late rates are read below that angle


def path(problem: TeacherStudent, times: Array, **flow: Any) -> Array:
    """Largest angle (over the nodes) at ``times`` along :class:`ProjectedFlow` with the given options."""
    span = (0.0, float(times[-1]))
    run = integrate(ProjectedFlow(problem, **flow), span, t_eval=times, rtol=RTOL, atol=1e-12)
    if not run.success:
        raise ArithmeticError(run.message)
    return np.asarray(run.observables["angle"].max(axis=-1))


def time_to(problem: TeacherStudent, target: float, horizon: float, **flow: Any) -> float:
    """First time at which every node is within ``target`` of its teacher; ``inf`` if not before ``horizon``."""
    arrival = converged(target, observable="angle")
    run = integrate(ProjectedFlow(problem, **flow), (0.0, horizon), rtol=RTOL, atol=1e-12, events=[arrival])
    if not run.success:
        raise ArithmeticError(run.message)
    return float(run.t[-1]) if run.status is Status.CONVERGED else float("inf")


def times_to(problem: TeacherStudent, target: float, horizon: float, **flow: Any) -> Array:
    """:func:`time_to` of every instance of an ensemble at once, ``(...)``; interpolated in the logarithm of the angle.

    Between 600 output times the rate changes so little that this is good to about 1e-4 of the time.
    """
    times = np.linspace(0.0, horizon, 600)
    level = np.log(np.maximum(path(problem, times, **flow), 1e-300) / target)
    below = level <= 0
    last = np.argmax(below, axis=0)
    before, after = (np.take_along_axis(level, np.maximum(i, 0)[None], axis=0)[0] for i in (last - 1, last))
    share = np.divide(before, before - after, out=np.zeros_like(before), where=before > after)
    reached = times[np.maximum(last - 1, 0)] + share * times[1]
    return np.where(below.any(axis=0), np.where(last == 0, 0.0, reached), np.inf)


def own_time(theta0: float, target: Array | float) -> Array:
    """Time from theta0 to ``target (...)`` of a node alone: ``theta' = -(pi - theta) sin theta / 2 pi``.

    ``2 pi int dtheta / ((pi - theta) sin theta)``, by Gauss-Legendre in ``u = log tan(theta/2)``, where the
    integrand is ``1 / (pi - theta)``.
    """
    nodes, weights = np.polynomial.legendre.leggauss(64)
    low, high = np.log(np.tan(np.asarray(target) / 2)), np.log(np.tan(theta0 / 2))
    u = (low + high)[..., None] / 2 + (high - low)[..., None] / 2 * nodes
    return np.asarray(np.pi * (high - low) * (1 / (np.pi - 2 * np.arctan(np.exp(u))) @ weights))


def decay(problem: TeacherStudent, span: float, points: int = 240) -> tuple[Array, Array]:
    """``(t, x)`` with ``x = ||(sin theta_j)_j||`` along the projected flow, at equal times over ``span``."""
    times = np.linspace(0.0, span, points)
    run = integrate(ProjectedFlow(problem), (0.0, span), t_eval=times, rtol=FINE, atol=FINE, method="LSODA")
    if not run.success:
        raise ArithmeticError(run.message)
    return times, np.asarray(np.linalg.norm(run.observables["sin_theta"], axis=-1))


def mean_rate(t: Array, x: Array, high: float, low: float) -> float:
    """Mean of ``-x'/x`` while x falls from ``high`` to ``low``; NaN where it does not get there."""
    level = -np.log(np.maximum(x, 1e-300))
    if not (x[0] >= high and x.min() <= low):
        return float("nan")
    moments = [np.interp(-np.log(v), np.maximum.accumulate(level), t) for v in (high, low)]
    return float(np.log(high / low) / (moments[1] - moments[0]))
