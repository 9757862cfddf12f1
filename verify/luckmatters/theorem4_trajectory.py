"""Theorem 4, the whole trajectory: networks leave the flow by the step size and by sampling, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.two_layer.flows import ProjectedFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
    Verdict,
)

SAMPLES_PER_TIME = 2560
"""Batch size over step size: constant along a ladder, so that only the step's bias changes."""

POINTS = 16
"""Times at which trajectories are compared, spread over the horizon (shared by every step of a ladder)."""


@dataclass(frozen=True)
class TrajectoryInstance:
    """m orthonormal teachers in d dimensions, one start at ``theta0`` for all; ``networks`` at each step of a ladder.

    The ladder is ``lr, lr/2, lr/4, lr/8`` with batches ``SAMPLES_PER_TIME * lr`` and so on.
    """

    m: int = 5
    d: int = 10
    theta0: float = 0.3
    lr: float = 0.4
    networks: int = 16
    horizon: float = 32.0
    seed: int = 0


@dataclass(frozen=True)
class Rung:
    """One step size: sup-norm distances of ``sin theta`` (over times and nodes) and the networks' scores."""

    lr: float
    batch: int
    map_to_flow: float
    networks_to_flow: float
    standard_error: float
    score: float


def problem_of(instance: TrajectoryInstance) -> TeacherStudent:
    """The teacher-student problem that the instance describes."""
    rng = np.random.default_rng(instance.seed)
    teacher = TeacherStudent.orthonormal(instance.d, instance.m, rng)
    return TeacherStudent.at_angle(teacher, instance.theta0, rng)


@lru_cache(maxsize=32)
def ladder(instance: TrajectoryInstance, device: str, seed: int) -> tuple[Rung, ...]:
    """Flow, exact descent (the limit of infinite batches) and trained networks at each step size."""
    from nets.two_layer.networks import TwoLayerStudents  # torch is loaded only where networks are trained
    from nets.two_layer.population_descent import population_descent
    from nets.two_layer.training import train

    problem = problem_of(instance)
    times = np.linspace(0.0, instance.horizon, POINTS + 1)[1:]
    flow = ProjectedFlow(problem)
    reference = integrate(flow, (0.0, instance.horizon), t_eval=times, rtol=1e-12, atol=1e-14)
    copies = np.broadcast_to(problem.teacher_W, (instance.networks, instance.d, instance.m))
    stack = TeacherStudent(copies, problem.student_W)
    rungs = []
    for lr in instance.lr / 2.0 ** np.arange(4):
        steps, batch = np.rint(times / lr).astype(int), int(SAMPLES_PER_TIME * lr)
        exact = population_descent(flow, lr=float(lr), steps=int(steps[-1]), record_at=steps.tolist())
        students = TwoLayerStudents.from_problem(stack, device=device)
        run = train(
            students,
            lr=float(lr),
            batch_size=batch,
            steps=int(steps[-1]),
            seed=seed,
            record_at=steps.tolist(),
        )
        for result in (exact, run):
            if not result.success:
                raise ArithmeticError(result.message)
        descent, networks = (result.observables["sin_theta"][1:] for result in (exact, run))
        mean, error = networks.mean(axis=1), networks.std(axis=1, ddof=1) / np.sqrt(instance.networks)
        target = reference.observables["sin_theta"]
        rungs.append(
            Rung(
                float(lr),
                batch,
                float(np.abs(descent - target).max()),
                float(np.abs(mean - target).max()),
                float(error.max()),
                float(np.max(np.abs(mean - descent) / error)),
            )
        )
    return tuple(rungs)


def orders(rungs: tuple[Rung, ...]) -> Array:
    """Observed orders of the step's bias between neighbouring rungs."""
    bias = np.array([rung.map_to_flow for rung in rungs])
    return np.asarray(np.log2(bias[:-1] / bias[1:]))


def first_order(instance: TrajectoryInstance, context: Context, claimed: float = 1.0) -> Evidence:
    """Bias of order one in the step; networks on the exact descent up to sampling.

    The observed order approaches its limit linearly in the step, so its last change is what is still to come and
    twice that a safe tolerance. The networks' mean is compared with the exact descent by Student's t at every
    time and node, with the run's share of false alarms.
    """
    from scipy.special import ndtr, stdtrit

    rungs = ladder(instance, context.device, context.seed)
    observed = orders(rungs)
    tolerance = 2 * float(abs(observed[-1] - observed[-2]))
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
                rung.map_to_flow,
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


def figure(verdict: Verdict) -> Figure:
    """Distance of the networks from the flow against the step size, split into bias and sampling error."""
    rungs = ladder(verdict.judged[0].instance, "cpu", 0)
    lr = [rung.lr for rung in rungs]
    fig, axes = plt.subplots(figsize=(5.6, 4.0), layout="constrained")
    axes.loglog(lr, [rung.networks_to_flow for rung in rungs], "o-", label="mean of the networks − flow")
    axes.loglog(lr, [rung.map_to_flow for rung in rungs], "s--", label="bias: exact descent − flow")
    axes.loglog(lr, [rung.standard_error for rung in rungs], "^:", label="standard error of the mean")
    axes.set(xlabel="step size lr  (batch ∝ lr)", ylabel="largest distance in sin θ", xticks=lr)
    axes.set_xticklabels([f"{value:g}" for value in lr])
    axes.minorticks_off()
    axes.legend(frameon=False)
    return fig


PAPER = TrajectoryInstance()

SHARP = Statement(
    key="luckmatters.theorem4.trajectory",
    form=Form.SHARP,
    title="Trained networks follow the projected flow along the whole trajectory",
    claim="sup_t |mean sin θ(networks) − sin θ(flow)| = O(lr) + sampling error;\n"
    "networks − exact descent = sampling error alone",
    source=Source(LUCK_MATTERS, "Theorem 4", "the comparison is our own"),
    expected=Outcome.HOLDS,
    instance_type=TrajectoryInstance,
    evidence=first_order,
    examples=(PAPER, TrajectoryInstance(m=1, d=4, theta0=1.0, horizon=16.0)),
    figure=figure,
    controls=(
        Control("a bias of order two is rejected", lambda c: first_order(PAPER, c, claimed=2.0)),
        Control(
            "a bias of order zero (networks off the flow) is rejected",
            lambda c: first_order(PAPER, c, claimed=0.0),
        ),
    ),
    remark="Exact descent is the limit of infinite batches: what it is away from the flow is the step's bias, what the "
    "networks are away from it is sampling. Neither is to be counted against the theory's rate.",
)
