"""Theorem 4's instances: teachers, starts, the constants on their balls, and the slowest decay along the flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from dynamics.geometry.angles import paired_angles
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.teachers import orthonormal, thresholded
from verify.judging import (
    SEED,
    Assumption,
    Budget,
    CannotJudgeError,
    Instance,
    fixed,
    integers,
    reals,
)
from verify.mathematics.theorem4_constants import Theorem4Constants, theorem4_isotropic, theorem4_thresholded

METHOD, RTOL, ATOL = "LSODA", 1e-11, 1e-14
HORIZON, TIMES = 8.0, 24
RAREST = 1e-9
"""Least probability of a gate: kernels are checked for thresholds up to 6, where it is this."""
UNRESOLVED = 0.1
"""Uncertainty, as a share of the rate, from which on a run decides nothing."""


@dataclass(frozen=True)
class Theorem4Instance(Instance):
    """m teachers in d dimensions, each student at angle ``theta0`` from its own in a random direction.

    ``threshold = 0``: zero-bias isotropic input, teachers orthonormal, or two at angle ``alpha``. ``threshold > 0``:
    orthogonal directions active above the threshold, Gaussian input with bias (columns have d + 1 rows).
    """

    m: int = fixed(1, integers(1))
    d: int = fixed(2, integers(2))
    theta0: float = fixed(1.0, reals(0.0, np.pi, low_open=True))
    alpha: float = fixed(np.pi / 2, reals(0.0, np.pi, low_open=True))
    threshold: float = fixed(0.0, reals(0.0))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """Orthonormal directions need as many dimensions."""
        return "expected d >= m" if self.m > self.d else ""


def problem_of(instance: Theorem4Instance) -> TeacherStudent:
    """The teacher-student problem that the instance describes."""
    rng = np.random.default_rng(instance.seed)
    if instance.threshold > 0:
        teacher = thresholded(instance.d, instance.m, instance.threshold, rng)
        measure = BiasedGaussian(instance.d)
        return TeacherStudent.at_angle(teacher, instance.theta0, rng, measure=measure)
    teacher = orthonormal(instance.d, instance.m, rng)
    if instance.m == 2:
        bent = np.cos(instance.alpha) * teacher[:, 0] + np.sin(instance.alpha) * teacher[:, 1]
        teacher = np.stack([teacher[:, 0], bent], axis=1)
    return TeacherStudent.at_angle(teacher, instance.theta0, rng)


def constants_of(instance: Theorem4Instance) -> Theorem4Constants:
    """K_d, eps_d, M_d, gamma and the two readings of d-bar on the balls of radius theta0."""
    if instance.threshold > 0:
        problem = problem_of(instance)
        overlap = problem.measure.psi_d(problem.student_W, problem.teacher_W)
        start = float(np.diagonal(overlap).min())
        return theorem4_thresholded(instance.m, instance.theta0, instance.threshold, start)
    alpha = instance.alpha if instance.m == 2 else np.pi / 2
    return theorem4_isotropic(instance.m, instance.theta0, alpha, alpha)


def assumptions(instance: Theorem4Instance) -> tuple[Assumption, ...]:
    """gamma > 0, and a rate above zero (the lower bound of d*_jj may have run out)."""
    constants = constants_of(instance)
    return (
        Assumption.above("γ = cos θ₀ − (m−1) ε_d M_d", constants.gamma, 0),
        Assumption.above("inf d*_jj over the balls", constants.d_lower, 0),
    )


def slowest_decay(instance: Theorem4Instance) -> tuple[float, float]:
    """Smallest rate of ``max_j sin theta_j`` over all times from the start, and its numerical uncertainty.

    The bound ``sin theta_j(t) <= exp(-rate t) sin theta0`` holds for all t just when this is at least the rate. At
    t = 0 it is the derivative ``cos t_j (w*_j . w_j') / sin^2 t_j``, later ``-log(max_j sin t_j / sin theta0) / t``.
    """
    problem = problem_of(instance)
    flow = ProjectedFlow(problem)
    start = flow.initial_state()
    velocity = flow.unpack(flow(0.0, start))["W"]
    theta = paired_angles(problem.student_W, problem.teacher_W)
    approach = np.sum(problem.teacher_W * velocity, axis=0) / np.sin(theta) ** 2
    at_start = np.cos(theta) * approach
    own = np.diagonal(problem.measure.psi_d(problem.student_W, problem.teacher_W)).min()
    if own < RAREST:
        raise CannotJudgeError(f"a student shares fewer than {RAREST:g} of the inputs with its teacher")
    times = np.linspace(0.0, HORIZON / own, TIMES)
    run = integrate(flow, (0.0, times[-1]), t_eval=times, rtol=RTOL, atol=ATOL, method=METHOD)
    if not run.success:
        raise CannotJudgeError(run.message)
    largest = run.observables["sin_theta"][1:].max(axis=-1)
    with np.errstate(divide="ignore"):  # an angle of 0 has an infinite blur and is not judged
        average = -np.log(largest / np.sin(instance.theta0)) / times[1:]
        # Angles were found within one RTOL of a run at 1e-13; ten, relative to the angle, over the time of the average.
        blur = 10 * RTOL / largest / times[1:]
    slowest = int(np.argmin(average))
    if blur.max() > UNRESOLVED * abs(average[slowest]):
        raise CannotJudgeError("the angle falls below what float64 resolves along the flow")
    if at_start.min() <= average[slowest]:
        # Relative errors of the speed, and the angle of the start as it was made, which decides a cosine near 0.
        rounding = (1e-15 / np.sin(instance.theta0) + 1e-12) * abs(at_start.min())
        off = np.abs(theta - instance.theta0).max() + 4 * np.finfo(float).eps
        of_cosine = off * float(np.abs(approach).max())
        return float(at_start.min()), float(rounding + of_cosine)
    return float(average[slowest]), float(blur[slowest])


def instances(budget: Budget) -> st.SearchStrategy[Theorem4Instance]:
    """Four regions: m = 1 any angle, m = 2 near enough, m >= 3 (vacuous without thresholds), thresholded.

    Thresholds and their angles come from a grid because K_d costs a subdivision there, kept once found.
    At ``deep`` thresholded problems are smaller, so that ten thousand instances stay affordable.
    """
    most, widest = (6, 8) if budget.name == "deep" else (20, 24)
    seeds = st.integers(0, 2**16)
    lone = st.builds(
        Theorem4Instance, m=st.just(1), d=st.integers(2, 8), theta0=st.floats(0.01, 1.5), seed=seeds
    )
    pair = st.builds(
        Theorem4Instance,
        m=st.just(2),
        d=st.integers(2, 8),
        theta0=st.floats(0.001, 0.2),
        alpha=st.floats(1.2, 2.6),
        seed=seeds,
    )
    crowd = st.builds(
        Theorem4Instance, m=st.integers(3, 6), d=st.integers(6, 8), theta0=st.floats(0.001, 0.5), seed=seeds
    )
    thresholded = st.integers(2, most).flatmap(
        lambda m: st.builds(
            Theorem4Instance,
            m=st.just(m),
            d=st.integers(m, widest),
            theta0=st.sampled_from((1e-4, 3e-4, 1e-3, 3e-3, 1e-2)),
            threshold=st.sampled_from((2.0, 2.5, 3.0, 3.5, 4.0, 5.0)),
            seed=seeds,
        )
    )
    return st.one_of(lone, pair, thresholded, crowd)
