"""Acceleration (remark on Theorem 5): does W_u speed up as V_r dies, and does the speed-up last?"""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np

from dynamics.arrays import Array
from dynamics.ode.trajectory import Trajectory
from verify.judging import FLOW, LUCK_MATTERS, Assumption, Context, Evidence, Item, Source
from verify.mathematics.mean_over_seeds import exceeds
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference
from verify.mathematics.runs.near_teacher import TIMES, NearTeacher, course, single_networks

ACCELERATION = Item(
    "luckmatters.theorem5.acceleration",
    Source(
        LUCK_MATTERS,
        "remark 'Accelerated convergence and learning rate schedule'",
        version="v4",
        section="3.3",
    ),
)

WINDOWS = {"early": (0, 1), "middle": (1, 2), "late": (3, 4), "early and middle": (0, 2)}
"""Places in :data:`TIMES` between which a mean rate is taken."""


def rate(run: Trajectory, window: str) -> Array:
    """Mean decay rate of ``||sin theta||`` over the u-set in one of :data:`WINDOWS`, one a network."""
    size = np.log(np.linalg.norm(run.observables["sin_theta"], axis=-1))
    first, last = WINDOWS[window]
    return np.asarray((size[first] - size[last]) / (TIMES[last] - TIMES[first]))


def rates_and_fan_outs(run: Trajectory, m: int) -> dict[str, Any]:
    """Mean rates of the three windows and the norm of V_r at each time, for the report."""
    fan_out = np.linalg.norm(run.observables["fan_out_norm"][..., m:], axis=-1).mean(axis=-1)
    rates = [float(rate(run, window).mean()) for window in ("early", "middle", "late")]
    return {"rates_early_middle_late": rates, "norm_of_V_r": [float(value) for value in fan_out]}


def rise(instance: NearTeacher, context: Context, first: str, second: str) -> Evidence:
    """Paired over the networks: the rate in the second window minus that in the first, against 0."""
    run = course(instance)
    gain = rate(run, second) - rate(run, first)
    return exceeds(gain, 0.0, context, **rates_and_fan_outs(run, instance.m))


@ACCELERATION.claim(
    "reading",
    expected="observed",
    on=NearTeacher,
    examples=[NearTeacher()],
    compares=("mean gain of the decay rate of ‖sin θ‖ from t in [0, 2] to [2, 8]", ">", "0"),
    population="96 networks near the teacher (d, m, n, c of the default instance)",
    note="our reading of a few iterations",
)
def speeds_up(
    instance: NearTeacher, context: Context, *, first: str = "early", second: str = "middle"
) -> Evidence:
    """W_u speeds up once V_r has shrunk

    The r-set's noise slows W_u at first; after a few iterations, V_r being smaller, W_u converges faster
    (judged: mean decay rate of ‖sin θ‖ in t ∈ [2, 8] above that in [0, 2])

    With weak initial fan-outs (p_V = 0.3) the u-set is even pushed away at first. With p_V = 1 the effect is smaller
    (0.027 ± 0.009 over 160 networks): the start then has fast modes of its own.
    """
    return rise(instance, context, first, second)


speeds_up.rejects("the two windows exchanged", NearTeacher(), first="middle", second="early")

ONE = NearTeacher(3, 1, 2, 1, networks=1, seed=20)

SMALLEST, BLUR = 1e-5, 1e-3
"""Least ``||sin theta||`` of a single network, and the accuracy of its rates: integration to 1e-9, in the log."""


def speeds_up_first(instance: NearTeacher) -> tuple[Assumption, ...]:
    """A single network that does what the remark describes: V_r falls by half and W_u speeds up."""
    alone = Assumption.that("a single network", instance.networks == 1)
    if not alone.satisfied:
        return (alone,)
    run = course(instance, tight=True)
    early, middle = (float(rate(run, window)[0]) for window in ("early", "middle"))
    irrelevant = np.linalg.norm(run.observables["fan_out_norm"][:, 0, instance.m :], axis=-1)
    kept = float(irrelevant[2] / irrelevant[0]) if irrelevant[0] else np.inf
    left = float(np.linalg.norm(run.observables["sin_theta"][-1]))
    return (
        alone,
        Assumption.below("‖V_r(8)‖ / ‖V_r(0)‖", kept, 0.5),
        Assumption.above("rate of W_u in [2, 8] less that in [0, 2] or 0", middle - max(early, 0.0), BLUR),
        Assumption.above("‖sin θ‖ at t = 100", left, SMALLEST),
    )


def rise_of_one(before: float, after: float, **details: Any) -> Evidence:
    """Evidence that one network's rate ``after`` is at least the one ``before``."""
    return Evidence(
        predicted=before, measured=after, margin=after - before + BLUR, tolerance=BLUR, details=details
    )


@ACCELERATION.claim(
    "reading",
    part="lasting",
    expected="refuted",
    on=NearTeacher,
    draw=single_networks,
    assume=speeds_up_first,
    examples=[ONE],
    cost=FLOW.at_quick(30),
    compares=("rate of ‖sin θ‖ in t ∈ [50, 100]", "≥", "rate in t ∈ [2, 8]"),
    note="our reading, stronger than the paper, which does not say that the speed-up lasts",
)
def stays_fast(
    instance: NearTeacher, context: Context, *, first: str = "middle", second: str = "late"
) -> Evidence:
    """The speed-up does not last

    γ is large once V_r has vanished: the late rate is at least that of the first acceleration
    (judged: rate in t ∈ [50, 100] above that in [2, 8])

    In the mean over 96 networks (d, m, n, c = 6, 2, 6, 3) the rate rises, peaks and falls again: fast modes die first,
    and what is left decays with the smallest eigenvalue of the Gram matrix at the limit. Where r-nodes share a teacher
    V_r does not vanish at all and the rate falls to zero.
    """
    run = course(instance, tight=True)
    before, after = (float(rate(run, window)[0]) for window in (first, second))
    return rise_of_one(before, after, **rates_and_fan_outs(run, instance.m))


@stays_fast.confirmed_precisely(digits=DIGITS)
def flows_again(instance: NearTeacher, *, first: str = "middle", second: str = "late") -> Evidence:
    """The same two rates from the flow in 30 digits."""
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(instance.only_member())
        sizes = [_log_size(reference)]
        for span, steps in ((2, 8), (6, 24), (42, 84), (50, 100)):
            reference.W, reference.V = reference.integrate(span, steps)
            sizes.append(_log_size(reference))
        before, after = (
            float((sizes[i] - sizes[j]) / (TIMES[j] - TIMES[i])) for i, j in (WINDOWS[first], WINDOWS[second])
        )
    return rise_of_one(before, after, digits=DIGITS)


def _log_size(reference: TwoLayerReference) -> mp.mpf:
    """``log ||sin theta||`` over the relevant set."""
    return mp.log(mp.norm(mp.matrix(reference.distances(reference.W, reference.V)[0])))


stays_fast.excludes("an ensemble", NearTeacher(), "a single network")

stays_fast.excludes(
    "V_r dies more slowly", NearTeacher(3, 1, 2, 1, networks=1, seed=4), "‖V_r(8)‖ / ‖V_r(0)‖"
)
stays_fast.excludes(
    "no speed-up",
    NearTeacher(3, 1, 2, 1, networks=1, seed=8),
    "rate of W_u in [2, 8] less that in [0, 2] or 0",
)
stays_fast.excludes("learned to rounding", NearTeacher(3, 1, 2, 1, networks=1, seed=2), "‖sin θ‖ at t = 100")
stays_fast.includes("a network that speeds up at first", ONE)
stays_fast.accepts("early against middle window", ONE, first="early", second="middle")
stays_fast.rejects("middle window against early", ONE, first="middle", second="early")


@ACCELERATION.claim(
    "corrected",
    expected="observed",
    on=NearTeacher,
    examples=[NearTeacher()],
    note="as a comparison of two runs, not of two times",
    compares=("mean gain of the decay rate over t in [0, 8] with V_r(0) = 0", ">", "0"),
    population="96 networks near the teacher (d, m, n, c of the default instance)",
)
def silence_helps(instance: NearTeacher, context: Context, *, exchanged: bool = False) -> Evidence:
    """A silent r-set lets W_u converge faster

    Same start but V_r(0) = 0: the decay rate of ‖sin θ‖ over t ∈ [0, 8] is larger
    """
    loud, silent = course(instance), course(instance, silent=True)
    gain = rate(silent, "early and middle") - rate(loud, "early and middle")
    return exceeds(-gain if exchanged else gain, 0.0, context, **rates_and_fan_outs(loud, instance.m))


silence_helps.rejects("the two runs exchanged", NearTeacher(), exchanged=True)

stays_fast.errs(
    says="v4, section 3.3, remark 'Accelerated convergence': γ is small at first but large after a few iterations "
    "when V_r vanishes",
    true="the rate rises, peaks and falls again: what is left decays with the smallest eigenvalue at the limit",
    impact="none",
    matters="the paper does not say that it lasts; nothing depends on it",
)
