"""Theorem 4 at finite learning rate and batch: mean and spread of trained networks by linear noise around the flow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from hypothesis import strategies as st
from scipy.special import ndtr
from scipy.stats import chi2

from dynamics.arrays import Array
from dynamics.geometry.columns import unit_columns
from dynamics.ode.integrate import integrate
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    Assumption,
    Budget,
    CannotJudgeError,
    Context,
    Cost,
    Evidence,
    fixed,
    integers,
    reals,
)
from verify.luckmatters.theorem4 import THEOREM4
from verify.mathematics.families.network_starts import TeacherSpec, smallest_angle, teacher_of
from verify.mathematics.linear_noise import DescentNoise, InputDirections, NoisyFlow, descent_noise
from verify.mathematics.tangent_modes import Modes, modes_of
from verify.mathematics.tangent_network import TangentNetwork
from verify.mathematics.whitened_ensemble import size_in, spread_margin, whitened

SMALL_SPREAD = 0.04
"""Largest share of a node's spread in its squared distance from the teacher: the relative size of the next order."""

FREEDOM = 10_000
"""Degrees of freedom of the spread: networks times tangent dimensions, so that the interval is about a tenth wide."""

DECIDED = 0.2
"""Largest half-width of the interval of a variance with which an ensemble decides: 1.3 and 1 / 1.3 are outside."""

MOST_STEPS = 2000
FLOW_RTOL, FLOW_ATOL = 1e-3, 1e-7
"""C is an average over fixed directions, which gates cut at places that move: smooth to a thousandth only."""


@dataclass(frozen=True)
class Fluctuations(TeacherSpec):
    """Networks that start as one, each trained on samples of its own.

    ``closeness``: angle of every node at the start, in quarters of the smallest angle between teachers. ``folds``: when
    they are looked at, in e-folds of the slowest mode. ``share``: the step, ``lr`` times the largest eigenvalue of the
    linearisation. ``batch``: fresh samples a step.
    """

    closeness: float = fixed(1.0, reals(0.02, 1.0))
    folds: float = fixed(1.0, reals(0.05, 4.0))
    share: float = fixed(0.2, reals(5e-3, 0.8))
    batch: int = fixed(64, integers(4, 2**16))

    def impossible(self) -> str:
        if self.teachers == "thresholded":
            return "expected input without a bias, for which the flow is the networks' mean gradient"
        return super().impossible()


@dataclass(frozen=True)
class Setting:
    """Teacher and start (d, m), the step in units of time, the number of steps and of networks."""

    teacher: Array
    start: Array
    lr: float
    steps: int
    networks: int
    modes: Modes


@lru_cache(maxsize=256)
def setting_of(instance: Fluctuations) -> Setting:
    """What ``instance`` describes."""
    seeds = np.random.SeedSequence((instance.seed, 4)).spawn(2)
    rng = np.random.default_rng(seeds[0])
    teacher = teacher_of(instance, rng)
    problem = TeacherStudent.at_angle(teacher, instance.closeness * smallest_angle(teacher) / 4, rng)
    tangent = TangentNetwork.at_solution(problem, teacher, problem.teacher_V, trains_V=False)
    modes = modes_of(tangent, np.random.default_rng(seeds[1]))
    lr = instance.share / modes.largest
    steps = max(1, round(instance.folds / (lr * modes.rate)))
    networks = min(1024, max(128, math.ceil(FREEDOM / (instance.m * (instance.d - 1)))))
    return Setting(teacher, problem.student_W, lr, min(steps, MOST_STEPS + 1), networks, modes)


@lru_cache(maxsize=64)
def predicted(instance: Fluctuations, own_error_only: bool = False) -> DescentNoise:
    """Mean and covariance after the last step."""
    setting = setting_of(instance)
    if setting.steps > MOST_STEPS:
        raise CannotJudgeError(f"{instance.folds:g} e-folds take more than {MOST_STEPS} steps")
    return descent_noise(
        setting.teacher,
        setting.start,
        lr=setting.lr,
        batch=instance.batch,
        steps=setting.steps,
        rng=np.random.default_rng(np.random.SeedSequence((instance.seed, 5))),
        own_error_only=own_error_only,
    )


@lru_cache(maxsize=64)
def by_the_flow(instance: Fluctuations) -> tuple[Array, Array]:
    """W and the covariance (d m, d m) by the flow and ``S' = J S + S J^T + (lr / B) C``."""
    setting = setting_of(instance)
    rng = np.random.default_rng(np.random.SeedSequence((instance.seed, 6)))
    flow = NoisyFlow(setting.teacher, setting.start, InputDirections(instance.d, rng))
    span = (0.0, setting.steps * setting.lr)
    run = integrate(flow, span, t_eval=[span[1]], method="RK45", rtol=FLOW_RTOL, atol=FLOW_ATOL)
    if not run.success:
        raise CannotJudgeError(run.message)
    return unit_columns(run.state["W"][-1]), run.state["S"][-1] * setting.lr / instance.batch


def small_spread(instance: Fluctuations) -> tuple[Assumption, ...]:
    """Noise that is small beside the deviations it multiplies."""
    setting = setting_of(instance)
    # Before anything is followed: what the noise of all directions together gives back of the decay.
    given_back = setting.lr * setting.modes.trace / instance.batch
    tame = Assumption.at_most("lr tr H / B", given_back, 1)
    if (
        not tame.satisfied or setting.steps > MOST_STEPS
    ):  # too many to follow: judged, and then said, by the evidence
        return (tame,)
    spread = predicted(instance).relative
    return tame, Assumption.below(
        "spread of a node / its squared distance from the teacher", spread, SMALL_SPREAD
    )


@lru_cache(maxsize=32)
def trained(instance: Fluctuations, device: str, seed: int) -> Array:
    """The networks after the last step, (S, d, m)."""
    from nets.two_layer.networks import TwoLayerStudents  # torch is loaded only where networks are trained
    from nets.two_layer.training import train

    setting = setting_of(instance)
    copies = (setting.networks, *setting.teacher.shape)
    problem = TeacherStudent(np.broadcast_to(setting.teacher, copies), np.broadcast_to(setting.start, copies))
    run = train(
        TwoLayerStudents.from_problem(problem, device=device),
        lr=setting.lr,
        batch_size=instance.batch,
        steps=setting.steps,
        seed=int(np.random.SeedSequence((seed, instance.seed, 7)).generate_state(1, np.uint64)[0]),
        record_at=[setting.steps],
    )
    if not run.success:
        raise CannotJudgeError(run.message)
    return np.asarray(run.state["W"][-1])


def settings(budget: Budget) -> st.SearchStrategy[Fluctuations]:
    """Orthonormal, separated and correlated teachers; steps of a tenth to four tenths of the inverse curvature."""

    def sizes() -> Iterator[tuple[int, int]]:
        yield from ((2, 4), (3, 4), (1, 9), (2, 6), (4, 4), (3, 5))
        if budget.full:
            yield from ((4, 6), (3, 10), (6, 8), (1, 12))

    def of_size(size: tuple[int, int]) -> st.SearchStrategy[Fluctuations]:
        return st.builds(
            Fluctuations,
            m=st.just(size[0]),
            d=st.just(size[1]),
            teachers=st.sampled_from(("orthonormal", "separated", "correlated")),
            angle=st.sampled_from((1.2, 0.9)),
            closeness=st.sampled_from((1.0, 0.5, 0.25)),
            folds=st.sampled_from((0.5, 1.0, 0.25)),
            share=st.sampled_from((0.2, 0.4, 0.1)),
            batch=st.sampled_from((64, 128, 256, 512)),
            seed=st.integers(0, 2**16),
        )

    return st.sampled_from(tuple(sizes())).flatmap(of_size)


LONE = Fluctuations(m=1, d=9, batch=64, share=0.1)
PAIR = Fluctuations(m=2, d=5, batch=64)


@THEOREM4.claim(
    "sharp",
    part="fluctuations",
    expected="observed",
    population="ensembles of 128 to 1,024 networks with drawn teachers, step and batch",
    on=Fluctuations,
    draw=settings,
    assume=small_spread,
    examples=(LONE, PAIR),
    cost=Cost(8, 200, 1000),
    compares=("total variance of the networks", "≈", "total variance by linear noise"),
    place="Theorem 4",
    note="the paper describes the limit of small steps and large batches only",
)
def networks_fluctuate_as_predicted(
    instance: Fluctuations,
    context: Context,
    *,
    noise: float = 1.0,
    own_error_only: bool = False,
    around_the_flow: bool = False,
) -> Evidence:
    """Trained networks scatter about the flow as linear noise says

    W = W(t) + ξ,  Cov ξ = Σ,  Σ′ = J Σ + Σ Jᵀ + (lr/B) C(W),  C(W) = covariance of one input's gradient;
    at a finite step  Σ ← M′ Σ M′ᵀ + (lr²/B) C  along  W ← M(W) = normalise(W + lr F(W)),  E ξ ← M′ E ξ + M″:Σ/2:
    the mean of the networks is within its χ² interval, and so are the variance over all modes and in each

    Looked at after a quarter to one e-fold of the slowest mode. (Noise is multiplied by the deviation, so it vanishes
    with it, but not beside it: its share grows in time, and with it the next order, which is allowed for.) The equation
    for Σ is integrated with the flow as well; at these steps it is some per cent off the sum step by step, and the flow
    itself is many standard errors off the mean.
    """
    setting, found = setting_of(instance), predicted(instance, own_error_only)
    flow_W, flow_S = by_the_flow(instance)
    covariance = noise * found.covariance.mean(axis=0)
    centre, shift = (flow_W, 0 * found.shift) if around_the_flow else (found.path[-1], found.shift)
    seen = whitened(trained(instance, context.device, context.seed), centre, covariance, shift)
    modes, root = seen.variances.size, math.sqrt(seen.networks)
    z = context.z(comparisons=2 + modes)
    tail = float(ndtr(-z))
    # Standard error of the mean variance from the directions over which C is averaged, and from fourth moments.
    shares = np.trace(np.linalg.pinv(covariance) @ (noise * found.covariance), axis1=-2, axis2=-1) / modes
    from_inputs = float(shares.std(ddof=1) / math.sqrt(len(shares)))
    freedom = math.sqrt(2 / ((seen.networks - 1) * modes))
    heavy = z * (seen.fourth - 1) * freedom
    width = found.relative + z * from_inputs + heavy
    total = spread_margin(seen.variances, seen.networks, tail, width)
    each = min(
        spread_margin(v, seen.networks, tail, width + heavy * math.sqrt(modes))
        for v in np.split(seen.variances, modes)
    )
    allowed = math.sqrt(float(chi2.isf(tail, modes)))
    of_noise = root * size_in(found.shift, covariance)
    mean = (allowed + found.relative * of_noise - seen.shift) / allowed
    variance, error = float(np.trace(covariance)), math.hypot(freedom * seen.fourth, from_inputs)
    return Evidence(
        predicted=variance,
        measured=seen.trace,
        margin=min(total, each, mean),
        tolerance=z * freedom + width,
        standard_error=error * variance,
        inconclusive=z * freedom + width > DECIDED,
        details={
            "variance over all modes / predicted": float(seen.variances.mean()),
            "standard error of this ratio": error,
            "smallest and largest mode's variance / predicted": [
                float(seen.variances.min()),
                float(seen.variances.max()),
            ],
            "mean of the networks off the prediction, standard errors": seen.shift,
            "standard errors allowed": allowed,
            "shift of the step, standard errors": root
            * size_in((flow_W - found.path[-1]).ravel(), covariance),
            "shift of the noise, standard errors": of_noise,
            "variance by the flow's equation / step by step": float(np.trace(flow_S)) * noise / variance,
            "largest spread / squared distance": found.relative,
            "lr": setting.lr,
            "steps": setting.steps,
            "networks": seen.networks,
        },
    )


networks_fluctuate_as_predicted.rejects("lr / B × 1.3", PAIR, noise=1.3)
networks_fluctuate_as_predicted.rejects("lr / B / 1.3, one teacher", LONE, noise=1 / 1.3)
networks_fluctuate_as_predicted.rejects(
    "a gradient without what the other nodes leave of the residual", PAIR, own_error_only=True
)
networks_fluctuate_as_predicted.rejects(
    "the mean of the flow, without the shift of a finite step", PAIR, around_the_flow=True
)
networks_fluctuate_as_predicted.excludes("tiny batches", replace(PAIR, batch=4, share=0.8), "lr tr H / B")
networks_fluctuate_as_predicted.excludes("small batches", replace(PAIR, batch=16), "spread of a node")
networks_fluctuate_as_predicted.includes("just inside", LONE)
