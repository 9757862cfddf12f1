"""Theorem 4, the whole trajectory: networks leave the flow by the step size and by sampling, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    SEED,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    Verdict,
    fixed,
    integers,
    reals,
)

TRAJECTORY = Item(
    "luckmatters.theorem4.trajectory",
    Source(LUCK_MATTERS, "Theorem 4", "the comparison is our own", version="v4", section="3.2"),
)

SAMPLES_PER_TIME = 2560
"""Batch size over step size: constant along a ladder, so that only the step's bias changes."""

POINTS = 16
"""Times at which trajectories are compared, spread over the horizon (shared by every step of a ladder)."""


@dataclass(frozen=True)
class TrajectoryInstance(Instance):
    """m orthonormal teachers in d dimensions, one start at ``theta0`` for all; ``networks`` at each step of a ladder.

    The ladder is ``lr, lr/2, lr/4, lr/8`` with batches ``SAMPLES_PER_TIME * lr`` and so on.
    """

    m: int = fixed(5, integers(1))
    d: int = fixed(10, integers(2))
    theta0: float = fixed(0.3, reals(0.0, np.pi, low_open=True))
    lr: float = fixed(0.4, reals(0.0, low_open=True))
    networks: int = fixed(16, integers(2))
    horizon: float = fixed(32.0, reals(0.0, low_open=True))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """Orthonormal teachers need as many dimensions."""
        return "expected d >= m" if self.m > self.d else ""


PAPER = TrajectoryInstance()


def problem_of(instance: TrajectoryInstance) -> TeacherStudent:
    """The teacher-student problem that the instance describes."""
    rng = np.random.default_rng(instance.seed)
    teacher = teachers.orthonormal(instance.d, instance.m, rng)
    return TeacherStudent.at_angle(teacher, instance.theta0, rng)


@dataclass(frozen=True)
class Rung:
    """One step size: sup-norm distances of ``sin theta`` (over times and nodes) and the networks' scores.

    ``descent_to_flow``: exact descent against the flow, the step's bias; ``networks_to_flow``: the networks' mean
    against the flow; ``score``: largest of Student's t for the networks' mean against exact descent.
    """

    lr: float
    batch: int
    descent_to_flow: float
    networks_to_flow: float
    standard_error: float
    score: float


@lru_cache(maxsize=32)
def ladder(instance: TrajectoryInstance, device: str, seed: int) -> tuple[Rung, ...]:
    """Flow, exact descent (the limit of infinite batches) and trained networks at each step size."""
    times = np.linspace(0.0, instance.horizon, POINTS + 1)[1:]
    flow = ProjectedFlow(problem_of(instance))
    reference = integrate(flow, (0.0, instance.horizon), t_eval=times, rtol=1e-12, atol=1e-14)
    target = reference.observables["sin_theta"]
    rungs = []
    for lr in (instance.lr / 2.0 ** np.arange(4)).tolist():
        steps = np.rint(times / lr).astype(int).tolist()
        descent = _exact_descent(flow, lr, steps)
        networks = _trained(instance, lr, steps, device, seed)
        mean, error = networks.mean(axis=1), networks.std(axis=1, ddof=1) / np.sqrt(instance.networks)
        rungs.append(
            Rung(
                lr=lr,
                batch=_batch(lr),
                descent_to_flow=float(np.abs(descent - target).max()),
                networks_to_flow=float(np.abs(mean - target).max()),
                standard_error=float(error.max()),
                score=float(np.max(np.abs(mean - descent) / error)),
            )
        )
    return tuple(rungs)


def _batch(lr: float) -> int:
    return int(SAMPLES_PER_TIME * lr)


def _exact_descent(flow: ProjectedFlow, lr: float, steps: list[int]) -> Array:
    """``sin theta (T, m)`` of descent on the population gradient after each number of ``steps``."""
    from nets.two_layer.population_descent import population_descent

    return _sines(population_descent(flow, lr=lr, steps=steps[-1], record_at=steps))


def _trained(instance: TrajectoryInstance, lr: float, steps: list[int], device: str, seed: int) -> Array:
    """``sin theta (T, networks, m)`` of networks trained from the one start."""
    from nets.two_layer.networks import TwoLayerStudents  # torch is loaded only where networks are trained
    from nets.two_layer.training import train

    problem = problem_of(instance)
    copies = np.broadcast_to(problem.teacher_W, (instance.networks, instance.d, instance.m))
    students = TwoLayerStudents.from_problem(TeacherStudent(copies, problem.student_W), device=device)
    return _sines(train(students, lr=lr, batch_size=_batch(lr), steps=steps[-1], seed=seed, record_at=steps))


def _sines(run: Trajectory) -> Array:
    if not run.success:
        raise ArithmeticError(run.message)
    return np.asarray(run.observables["sin_theta"][1:])


def orders(rungs: tuple[Rung, ...]) -> Array:
    """Observed orders of the step's bias between neighbouring rungs."""
    bias = np.array([rung.descent_to_flow for rung in rungs])
    return np.asarray(np.log2(bias[:-1] / bias[1:]))


@TRAJECTORY.claim(
    "sharp",
    expected="observed",
    on=TrajectoryInstance,
    draw=None,
    population="16 networks at each of four steps, on 5 orthonormal teachers in 10 dimensions from θ₀ = 0.3 and on one "
    "in 4 from θ₀ = 1",
    examples=(PAPER, TrajectoryInstance(m=1, d=4, theta0=1.0, horizon=16.0)),
    compares=("observed order in lr of the distance to the flow", "≈", "1"),
)
def leave_the_flow_in_the_order_of_the_step(
    instance: TrajectoryInstance, context: Context, *, claimed: float = 1.0
) -> Evidence:
    """Trained networks follow the projected flow along the whole trajectory

    sup_t |mean sin θ(networks) − sin θ(flow)| = O(lr) + sampling error;
    networks − exact descent = sampling error alone

    Exact descent is the limit of infinite batches: what it is away from the flow is the step's bias, what the networks
    are away from it is sampling. Neither is to be counted against the theory's rate.
    """
    from scipy.special import ndtr, stdtrit

    rungs = ladder(instance, context.device, context.seed)
    observed = orders(rungs)
    # The observed order approaches its limit linearly in the step, so its last change is what is still to come and
    # twice that a safe tolerance.
    tolerance = 2 * float(abs(observed[-1] - observed[-2]))
    # Student's t of the networks' mean against exact descent, at every time and node; the run's share of false alarms.
    quantile = 1 - float(ndtr(-context.z(len(rungs) * POINTS * instance.m)))
    limit = float(stdtrit(instance.networks - 1, quantile))
    score = max(rung.score for rung in rungs)
    slack = tolerance - abs(float(observed[-1]) - claimed)
    details = {
        "largest |t| of networks against exact descent": score,
        "limit of |t|": limit,
        **{
            f"lr {rung.lr:g}, batch {rung.batch}: networks − flow, bias, s.e.": [
                rung.networks_to_flow,
                rung.descent_to_flow,
                rung.standard_error,
            ]
            for rung in rungs
        },
    }
    return Evidence(
        predicted=claimed,
        measured=float(observed[-1]),
        margin=min(slack, limit - score),
        tolerance=tolerance,
        standard_error=rungs[-1].standard_error,
        details=details,
    )


@leave_the_flow_in_the_order_of_the_step.drawn_by
def distance_against_step(verdict: Verdict) -> Figure:
    """Distance of the networks from the flow against the step size, split into bias and sampling error."""
    rungs = ladder(verdict.judged[0].instance, "cpu", 0)
    lr = [rung.lr for rung in rungs]
    fig, axes = plt.subplots(figsize=(5.6, 4.0), layout="constrained")
    axes.loglog(lr, [rung.networks_to_flow for rung in rungs], "o-", label="mean of the networks − flow")
    axes.loglog(lr, [rung.descent_to_flow for rung in rungs], "s--", label="bias: exact descent − flow")
    axes.loglog(lr, [rung.standard_error for rung in rungs], "^:", label="standard error of the mean")
    axes.set(xlabel="step size lr  (batch ∝ lr)", ylabel="largest distance in sin θ", xticks=lr)
    axes.set_xticklabels([f"{value:g}" for value in lr])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return fig


leave_the_flow_in_the_order_of_the_step.rejects("a bias of order two is rejected", PAPER, claimed=2.0)
leave_the_flow_in_the_order_of_the_step.rejects(
    "a bias of order zero (networks off the flow) is rejected", PAPER, claimed=0.0
)
