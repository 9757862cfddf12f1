"""The problems on which the rate bounds are benchmarked, with the rates that flow and networks really have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from dynamics.basins.two_layer.distance import distance_to_solution
from luckproof import (
    ProjectedFlow,
    TeacherStudent,
    Trajectory,
    TwoLayerDynamics,
    TwoLayerFlow,
    TwoLayerStudents,
    fit_decay,
    integrate,
    spectral_rate,
    train,
    unit_columns,
)
from verify.mathematics.bounds.comparison import deviation
from verify.mathematics.families import theorem4_starts, two_layer_starts
from verify.mathematics.rates import mean_rate
from verify.mathematics.runs import overparameterised_runs

NETWORKS, LR, BATCH = 16, 0.1, 256
FOLDS = 27.0
"""e-folds to follow: from order one to 1e-12."""


@dataclass(frozen=True)
class Case:
    """A named problem; ``theorem`` says which flow it starts."""

    name: str
    theorem: int
    problem: TeacherStudent


@dataclass(frozen=True)
class Measured:
    """Late rate and slowest average decay of the flow, and the networks' late rate (NaN where it is not theirs).

    ``slowest`` is what a bound of the form ``size(t) <= exp(-rate t) size(0)`` must stay below; ``distance`` the same
    for the size that a basin bounds, ``||W - W*||_F`` (Theorem 4) or ``|z|`` (Theorem 5).
    """

    late: float
    slowest: float
    distance: float
    networks: float
    networks_low: float
    networks_high: float


def _angle_case(name: str, **fields: Any) -> Case:
    return Case(name, 4, theorem4_starts.problem_of(theorem4_starts.Theorem4Instance(**fields)))


def _near_case(name: str, **fields: Any) -> Case:
    return Case(name, 5, two_layer_starts.problem_of(two_layer_starts.TwoLayerStart(**fields)))


CASES = (
    _angle_case("m=1, θ₀=0.3", m=1, d=10, theta0=0.3),
    _angle_case("m=1, θ₀=1", m=1, d=10, theta0=1.0),
    _angle_case("m=2, θ₀=0.05", m=2, d=10, theta0=0.05),
    _angle_case("m=5, θ₀=0.3", m=5, d=10, theta0=0.3),
    _angle_case("m=20, θ₀=0.3", m=20, d=30, theta0=0.3),
    _angle_case("m=20, θ₀=0.1", m=20, d=30, theta0=0.1),
    _angle_case("threshold 2, m=2", m=2, d=6, theta0=1e-3, threshold=2.0),
    _angle_case("threshold 3, m=5", m=5, d=8, theta0=1e-3, threshold=3.0),
    _angle_case("threshold 4, m=20", m=20, d=24, theta0=1e-3, threshold=4.0),
    Case("d,m,n,c = 6,2,4,3", 5, overparameterised_runs.problem_of(overparameterised_runs.SMALL)),
    Case("d,m,n,c = 8,3,5,4", 5, overparameterised_runs.problem_of(overparameterised_runs.MIDDLE)),
    Case("d,m,n,c = 10,4,8,6", 5, overparameterised_runs.problem_of(overparameterised_runs.LARGE)),
    Case(
        "6,2,4,3 near",
        5,
        overparameterised_runs.problem_of(
            overparameterised_runs.OverparameterisedRun(6, 2, 4, 3, theta0=0.05, v_error=0.05, r_fan_out=0.1)
        ),
    ),
    _near_case("1+1 orthogonal, near", c=2, theta0=1e-3, v_error=1e-3, r_fan_out=0.05, seed=1),
    _near_case("1+1 antipodal", c=2, alpha=3.0, theta0=0.2, v_error=0.2, r_fan_out=0.2, seed=2),
    _near_case(
        "4+4, threshold 3", m=4, r=4, c=4, threshold=3.0, theta0=1e-3, v_error=0.03, r_fan_out=0.03, seed=3
    ),
)


def _flow(case: Case, problem: TeacherStudent) -> TwoLayerDynamics:
    return ProjectedFlow(problem) if case.theorem == 4 else TwoLayerFlow(problem)


def _size(case: Case, problem: TeacherStudent, run: Trajectory) -> np.ndarray:
    """Largest sin theta (Theorem 4) or the norm of all deviations (Theorem 5), ``(T, ...)``."""
    if case.theorem == 4:
        return np.asarray(np.linalg.norm(run.observables["sin_theta"], axis=-1))
    return np.asarray(np.linalg.norm(deviation(problem, run.state["W"], run.state["V"]), axis=-1))


@lru_cache
def run_flow(index: int) -> Trajectory:
    """The flow of ``CASES[index]`` from order one to rounding, integrated once a session."""
    case = CASES[index]
    flow = _flow(case, case.problem)
    times = np.linspace(0.0, 1.6 * FOLDS / float(np.asarray(spectral_rate(flow))), 500)
    return integrate(flow, (0.0, times[-1]), t_eval=times, rtol=1e-12, atol=1e-16)


@lru_cache
def at_limit(index: int) -> TeacherStudent:
    """The problem with its irrelevant students where the run has left them: Theorem 5's late rate depends on it."""
    case = CASES[index]
    one = case.problem
    if case.theorem == 4:
        return one
    ended = unit_columns(run_flow(index).state["W"][-1])
    students = np.concatenate([one.student_W[:, : one.m], ended[:, one.m :]], axis=1)
    return TeacherStudent(one.teacher_W, students, one.teacher_V, one.student_V, one.measure)


@lru_cache
def measure(index: int) -> Measured:
    """The rates of ``CASES[index]``, measured once a session."""
    case, run = CASES[index], run_flow(index)
    expected = float(np.asarray(spectral_rate(_flow(case, at_limit(index)))))
    size = _size(case, case.problem, run)
    late = float(fit_decay(run.t, size, floor=1e-9).rate)
    slowest, distance = _slowest(run, size), _slowest(run, _distance(case, run))
    return Measured(late, slowest, distance, *_network_rate(case, expected))


def _distance(case: Case, run: Trajectory) -> np.ndarray:
    """The distance to the solution in which basins are balls, (T,)."""
    if case.theorem == 4:
        return np.asarray(np.linalg.norm(run.state["W"] - case.problem.teacher_W, axis=(-2, -1)))
    one = case.problem
    states = TeacherStudent(
        one.teacher_W, unit_columns(run.state["W"]), one.teacher_V, run.state["V"], one.measure
    )
    return distance_to_solution(states)


def _slowest(run: Trajectory, size: np.ndarray) -> float:
    """Slowest average decay of ``size`` from the start, above rounding."""
    above = size[1:] > 1e-9
    return float(np.min(-np.log(size[1:][above] / size[0]) / run.t[1:][above]))


def _network_rate(case: Case, expected: float) -> tuple[float, float, float]:
    """Mean and 95 % interval over ``NETWORKS``; where the flow is not their gradient flow, NaN."""
    if case.problem.measure.spherical_variance is None:
        return (float("nan"),) * 3
    one = case.problem
    teachers = np.broadcast_to(one.teacher_W, (NETWORKS, *one.teacher_W.shape))
    ensemble = TeacherStudent(teachers, one.student_W, one.teacher_V, one.student_V)
    students = TwoLayerStudents.from_problem(ensemble, device="auto")
    steps = int(FOLDS / expected / LR)
    run = train(students, lr=LR, batch_size=BATCH, steps=steps, seed=0, train_V=case.theorem == 5)
    estimate = mean_rate(fit_decay(run.t, _size(case, ensemble, run)).rate)
    return estimate.mean, estimate.low, estimate.high
