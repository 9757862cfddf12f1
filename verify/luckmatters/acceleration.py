"""Acceleration (remark on Theorem 5): does W_u speed up as V_r dies, and does the speed-up last?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import hypothesis.strategies as st
import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.ode.integrate import integrate
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference

NUMBER = "Section 3.3, remark 'Accelerated convergence and learning rate schedule'"

TIMES = np.array([0.0, 2.0, 8.0, 50.0, 100.0])
"""Ends of the windows: the r-set is loud in [0, 2], has lost half its fan-out in [2, 8], the late rate is
read from 50 on."""


@dataclass(frozen=True)
class NearTeacher:
    """An ensemble started near the teacher (the p_W, p_V start of section 4.2), W and V learned."""

    d: int = 6
    m: int = 2
    n: int = 6
    c: int = 3
    p_W: float = 3.0
    p_V: float = 0.3
    networks: int = 96
    seed: int = 0


def start(instance: NearTeacher, silent: bool = False) -> TeacherStudent:
    """The start; ``silent`` sets V_r = 0, everything else equal."""
    rng = np.random.default_rng((instance.seed, 12))
    S, m = (instance.networks,), instance.m
    V = np.swapaxes(teachers.random_unit(instance.c, m, rng, S), -1, -2)
    W = teachers.orthonormal(instance.d, m, rng, S)
    problem = TeacherStudent.near_teacher(W, V, instance.n, rng, p_W=instance.p_W, p_V=instance.p_V)
    if not silent:
        return problem
    without = problem.student_V * (np.arange(instance.n) < m)[:, None]
    return TeacherStudent(W, problem.student_W, V, without)


def member(problem: TeacherStudent) -> TeacherStudent:
    """The only network of an ensemble of one."""
    return TeacherStudent(
        problem.teacher_W[0], problem.student_W[0], problem.teacher_V[0], problem.student_V[0]
    )


@lru_cache(maxsize=8)  # the statements look at the same runs
def course(instance: NearTeacher, silent: bool = False, tight: bool = False) -> Trajectory:
    """Theorem 5's flow at ``TIMES``; ``tight`` asks the integrator for a thousand times less error."""
    problem = start(instance, silent)
    tolerance = 1e-9 if tight else 1e-6
    return integrate(
        TwoLayerFlow(problem), (0.0, float(TIMES[-1])), t_eval=TIMES, rtol=tolerance, atol=1e-3 * tolerance
    )


def rate(run: Trajectory, window: tuple[int, int]) -> Array:
    """Mean decay rate of ``||sin theta||`` over the u-set between two of ``TIMES``, one a network."""
    size = np.log(np.linalg.norm(run.observables["sin_theta"], axis=-1))
    first, last = window
    return np.asarray((size[first] - size[last]) / (TIMES[last] - TIMES[first]))


EARLY, MIDDLE, LATE = (0, 1), (1, 2), (3, 4)


def described(run: Trajectory, m: int) -> dict[str, Any]:
    """Mean rates of the three windows and the norm of V_r at each time."""
    fan_out = np.linalg.norm(run.observables["fan_out_norm"][..., m:], axis=-1).mean(axis=-1)
    rates = [float(rate(run, window).mean()) for window in (EARLY, MIDDLE, LATE)]
    return {"rates_early_middle_late": rates, "norm_of_V_r": [float(value) for value in fan_out]}


def rise_evidence(
    instance: NearTeacher,
    context: Context,
    windows: tuple[tuple[int, int], tuple[int, int]] = (EARLY, MIDDLE),
) -> Evidence:
    """Paired: rate in the second window minus rate in the first."""
    run = course(instance)
    return exceeds(rate(run, windows[1]) - rate(run, windows[0]), 0.0, context, **described(run, instance.m))


def single_networks(budget: Budget) -> st.SearchStrategy[NearTeacher]:
    """One small network at a time: a counterexample, where an ensemble shows an effect."""
    return st.builds(
        lambda d, m, extra, c, seed: NearTeacher(d, m, m + extra, c, networks=1, seed=seed),
        st.integers(3, 5),
        st.integers(1, 2),
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(0, 10_000),
    )


SMALLEST, BLUR = 1e-5, 1e-3
"""Least ``||sin theta||`` of a single network, and the accuracy of its rates: integration to 1e-9, in the log."""


def speeds_up_first(instance: NearTeacher) -> tuple[Assumption, ...]:
    """A single network is asked to do what the remark describes: V_r falls by half and W_u speeds up."""
    if instance.networks > 1:
        return ()
    run = course(instance, tight=True)
    early, middle = (float(rate(run, window)[0]) for window in (EARLY, MIDDLE))
    irrelevant = np.linalg.norm(run.observables["fan_out_norm"][:, 0, instance.m :], axis=-1)
    left = float(np.linalg.norm(run.observables["sin_theta"][-1]))
    return (
        Assumption("‖V_r‖ halved by t = 8", float(irrelevant[0] / 2 - irrelevant[2])),
        Assumption("faster in [2, 8] than in [0, 2]", middle - max(early, 0.0) - BLUR),
        Assumption("‖sin θ‖ above rounding at t = 100", left - SMALLEST),
    )


def lasting_evidence(instance: NearTeacher, context: Context) -> Evidence:
    """Paired: rate in the last window minus rate in the middle one."""
    if instance.networks > 1:
        return rise_evidence(instance, context, (MIDDLE, LATE))
    run = course(instance, tight=True)
    middle, late = (float(rate(run, window)[0]) for window in (MIDDLE, LATE))
    return Evidence(
        predicted=middle,
        measured=late,
        margin=late - middle + BLUR,
        tolerance=BLUR,
        details=described(run, instance.m),
    )


def confirm_lasting(instance: NearTeacher) -> Evidence:
    """One network: its flow again in 30 digits. Many: other seeds, and a thousand times less error."""
    if instance.networks == 1:
        with mp.workdps(DIGITS):
            reference, sizes = TwoLayerReference(member(start(instance))), []
            for span, steps in ((2, 8), (6, 24), (42, 84), (50, 100)):
                reference.W, reference.V = reference.integrate(span, steps)
                sines = reference.distances(reference.W, reference.V)[0]
                sizes.append(float(mp.log(mp.norm(mp.matrix(sines)))))
        middle, late = (sizes[0] - sizes[1]) / 6, (sizes[2] - sizes[3]) / 50
        return Evidence(
            predicted=middle,
            measured=late,
            margin=late - middle + BLUR,
            tolerance=BLUR,
            details={"digits": DIGITS},
        )
    other = replace(instance, seed=instance.seed + 1_000_003)
    run = course(other, tight=True)
    return exceeds(rate(run, LATE) - rate(run, MIDDLE), 0.0, Context(), **described(run, instance.m))


def silence_evidence(instance: NearTeacher, context: Context, exchanged: bool = False) -> Evidence:
    """Paired: rate over [0, 8] with V_r(0) = 0 minus the rate with the r-set as drawn."""
    loud, silent = course(instance), course(instance, silent=True)
    gain = rate(silent, (0, 2)) - rate(loud, (0, 2))
    return exceeds(-gain if exchanged else gain, 0.0, context, **described(loud, instance.m))


PRINTED = Statement(
    key="luckmatters.theorem5.acceleration",
    form=Form.PRINTED,
    title="W_u speeds up once V_r has shrunk",
    claim="The r-set's noise slows W_u at first; after a few iterations, V_r being smaller, W_u converges faster\n"
    "(judged: mean decay rate of ‖sin θ‖ in t ∈ [2, 8] above that in [0, 2])",
    source=Source(LUCK_MATTERS, NUMBER),
    expected=Outcome.HOLDS,
    instance_type=NearTeacher,
    examples=[NearTeacher()],
    evidence=rise_evidence,
    controls=[
        Control(
            "the two windows exchanged",
            lambda context: rise_evidence(NearTeacher(), context, (MIDDLE, EARLY)),
        )
    ],
    remark="With weak initial fan-outs (p_V = 0.3) the u-set is even pushed away at first. With p_V = 1 the "
    "effect is smaller "
    "(0.027 ± 0.009 over 160 networks): the start then has fast modes of its own.",
)

LASTING = Statement(
    key="luckmatters.theorem5.acceleration.lasting",
    form=Form.PRINTED,
    title="The speed-up does not last",
    claim="γ is large once V_r has vanished: the late rate is at least that of the first acceleration\n"
    "(judged: rate in t ∈ [50, 100] above that in [2, 8])",
    source=Source(LUCK_MATTERS, NUMBER),
    expected=Outcome.REFUTED,
    instance_type=NearTeacher,
    instances=single_networks,
    assumptions=speeds_up_first,
    examples=[NearTeacher()],
    evidence=lasting_evidence,
    confirm=confirm_lasting,
    cost=Cost(30, 100, 300),
    controls=[
        Control("early against middle window", lambda context: rise_evidence(NearTeacher(), context), must_hold=True),
        Control(
            "middle window against early",
            lambda context: rise_evidence(NearTeacher(), context, (MIDDLE, EARLY)),
        ),
    ],
    remark="The rate rises, peaks and falls again: fast modes die first, and what is left decays with the "
    "smallest eigenvalue of "
    "the Gram matrix at the limit. Where r-nodes share a teacher V_r does not vanish at all and the rate "
    "falls to zero.",
)  # fmt: skip

CORRECTED = Statement(
    key="luckmatters.theorem5.acceleration",
    form=Form.CORRECTED,
    title="A silent r-set lets W_u converge faster",
    claim="Same start but V_r(0) = 0: the decay rate of ‖sin θ‖ over t ∈ [0, 8] is larger",
    source=Source(LUCK_MATTERS, NUMBER, "as a comparison of two runs, not of two times"),
    expected=Outcome.HOLDS,
    instance_type=NearTeacher,
    examples=[NearTeacher()],
    evidence=silence_evidence,
    controls=[
        Control("the two runs exchanged", lambda context: silence_evidence(NearTeacher(), context, True))
    ],
)
