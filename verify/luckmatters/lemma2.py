"""Lemma 2 (bottom bounds): the difference of two modulated fan-ins, and the overlap of a student with a teacher."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import matplotlib.pyplot as plt
import mpmath as mp
import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from verify.judging import LUCK_MATTERS, Assumption, Context, Evidence, Item, Source, Verdict
from verify.judging.enclosing.enclosure import Margin
from verify.mathematics.enclosed import pair_margins
from verify.mathematics.families.near_pairs import ROUNDING, NearPair, isotropic_pairs, nodes_in, pairs
from verify.mathematics.precise.first_moment import difference, length, psi_d
from verify.mathematics.precise.kernels import DIGITS
from verify.mathematics.theorem4_constants import lipschitz_d_isotropic
from verify.mathematics.thresholded_lipschitz import lipschitz_d_thresholded

LEMMA2 = Item("luckmatters.lemma2", Source(LUCK_MATTERS, "Lemma 2, Eqns 18-28", version="v4", section="8.4"))

TOWARDS = NearPair(theta0=0.1, angle=1.5)
"""Student j steps straight towards teacher k; student k sits on its teacher."""

REACHING = replace(TOWARDS, near_k=1.0)
"""Each student steps straight towards the other's teacher."""


@lru_cache(maxsize=256)
def lipschitz_d(threshold: float, angle: float, theta0: float) -> float:
    """``K_d`` of Assumption 2 on the balls of the pair."""
    if threshold:
        return lipschitz_d_thresholded(threshold, 2, theta0)
    return lipschitz_d_isotropic(angle, theta0)


@dataclass(frozen=True)
class Overlaps:
    """What Lemma 2 speaks of, for one pair.

    ``star, student, own``: ``d*_jk, d_jk, d*_jj``. ``teachers``: ``d**`` (2, 2). ``dw_j, dw_k``: ``||delta w||`` of
    either student. ``delta_p``: ``||Delta p_jk||``.
    """

    star: float
    student: float
    own: float
    teachers: Array
    K_d: float
    eps_d: float
    dw_j: float
    dw_k: float
    delta_p: float


def overlaps_of(pair: NearPair) -> Overlaps:
    """The overlaps, distances and constants of one pair."""
    teacher, student = pair.nodes()
    star, own = pair.measure.psi_d(student, teacher), pair.measure.psi_d(student, student)
    teachers = pair.measure.psi_d(teacher, teacher)
    dw_j, dw_k = pair.displacements()
    # w*_k d*_jk - w_k d_jk without cancellation where student k is near its teacher
    shift = student[:, 1] * (star[0, 1] - own[0, 1]) + (teacher[:, 1] - student[:, 1]) * star[0, 1]
    return Overlaps(
        star=float(star[0, 1]),
        student=float(own[0, 1]),
        own=float(star[0, 0]),
        teachers=teachers,
        K_d=lipschitz_d(pair.threshold, pair.angle, pair.theta0),
        eps_d=float(teachers[0, 1] / min(teachers[0, 0], teachers[1, 1])),
        dw_j=dw_j,
        dw_k=dw_k,
        delta_p=float(np.linalg.norm(shift)),
    )


def assumption2_at_the_steps(pair: NearPair) -> Sequence[Assumption]:
    """A finite K_d, and Assumption 2 with it for each of the steps that the lemma takes."""
    o = overlaps_of(pair)
    steps = (
        (o.star, o.student, o.dw_k),
        (float(o.teachers[0, 1]), o.star, o.dw_j),
        (float(o.teachers[0, 0]), o.own, o.dw_j),
        (o.own, float(o.teachers[0, 0]), o.dw_j),
    )
    finite = Assumption.that("K_d is finite", math.isfinite(o.K_d))
    if not finite.satisfied:
        return (finite,)
    needed = max(lipschitz_needed(*step) for step in steps)
    return finite, Assumption.at_most("K that the steps taken need / K_d", needed / o.K_d, 1 + 1e-9)


def lipschitz_needed(value: float, moved: float, distance: float) -> float:
    """The K that one step needs, infinite from an overlap of zero.

    A step below 1e-6 tells rounding from slope no longer and is left out.
    """
    if distance <= 1e-6:
        return 0.0
    return abs(value - moved) / (value * distance) if value > 0 else math.inf


def exact_difference(pair: NearPair, *, share_of_K: float = 1.0) -> Margin | None:
    """The margin of (19) in balls."""
    return pair_margins.modulated_difference(pair, share_of_K)


@LEMMA2.claim(
    "printed",
    part="difference",
    expected="holds",
    enclose=exact_difference,
    on=NearPair,
    draw=pairs,
    assume=assumption2_at_the_steps,
    examples=(REACHING, NearPair(theta0=0.01, threshold=4.0, near_k=1.0)),
    place="Lemma 2, Eqn 19",
    compares=("‖Δp_jk‖", "≤", "(1 + K_d) d*_jk ‖δw_k‖"),
)
def difference_is_bounded(pair: NearPair, context: Context, *, share_of_K: float = 1.0) -> Evidence:
    """Lemma 2: the difference of modulated fan-ins

    ‖Δp_jk‖ ≤ (1 + K_d) d*_jk ‖δw_k‖,  Δp_jk = w*_k d*_jk − w_k d_jk

    Holds as printed, on the region where Assumption 2 holds with K_d.
    """
    o = overlaps_of(pair)
    bound = (1 + share_of_K * o.K_d) * o.star * o.dw_k
    return Evidence.at_most(o.delta_p, bound=bound, tolerance=4 * ROUNDING * o.star, K_d=o.K_d)


difference_is_bounded.rejects_moved("by what the bound leaves, and 1e-12", REACHING, by=0.013052026538)
difference_is_bounded.rejects(
    "(1 + K_d) replaced by 1 (only the node moves, not its overlap)",
    replace(REACHING, near_j=0.0),
    share_of_K=0.0,
)


def overlap_bound(o: Overlaps, first: float, second: float, share_of_eps: float) -> Evidence:
    """``d*_jk`` against ``eps_d (1 + K_d first) (1 + K_d second) d*_jj``, eps_d times ``share_of_eps``."""
    bound = share_of_eps * o.eps_d * (1 + o.K_d * first) * (1 + o.K_d * second) * o.own
    details = {"K_d": o.K_d, "eps_d": o.eps_d, "dw_j": o.dw_j, "dw_k": o.dw_k}
    return Evidence.at_most(o.star, bound=bound, tolerance=ROUNDING * bound, **details)


def exact_overlap(pair: NearPair, *, common_step: bool = False, share_of_eps: float = 1.0) -> Margin | None:
    """The margin of (20) in balls."""
    nearness = (1, 1) if common_step else (pair.near_j, pair.near_k)
    steps = [pair_margins.chord(near, pair.theta0) for near in nearness]
    return pair_margins.overlap(pair, steps, share_of_eps)


@LEMMA2.claim(
    "printed",
    part="overlap",
    expected="refuted",
    enclose=exact_overlap,
    on=NearPair,
    draw=isotropic_pairs,
    assume=assumption2_at_the_steps,
    examples=(TOWARDS,),
    place="Lemma 2, Eqn 20",
    compares=("d*_jk", "≤", "ε_d (1 + K_d ‖δw_k‖)(1 + K_d ‖δw_j‖) d*_jj"),
    telling=lambda pair: 0.05 <= pair.theta0 <= 0.5 and pair.near_j > 0.3,
)
def a_factor_for_each_step(
    pair: NearPair, context: Context, *, common_step: bool = False, share_of_eps: float = 1.0
) -> Evidence:
    """Lemma 2: the overlap of a student with another teacher

    d*_jk ≤ ε_d (1 + K_d ‖δw_k‖)(1 + K_d ‖δw_j‖) d*_jj

    An index slip. Neither d*_jk = ψ_d(w_j, w*_k) nor d*_jj depends on w_k: both factors come from moving w_j, from w*_j
    in d*_jk (26) and in d*_jj (28). With δw_k = 0 one factor is lost and the bound fails at first order in ‖δw_j‖.
    Theorem 4 bounds both displacements by 2 sin(θ₀/2), so it is not affected.
    """
    o = overlaps_of(pair)
    largest = 2 * float(np.sin(pair.theta0 / 2))
    steps = (largest, largest) if common_step else (o.dw_j, o.dw_k)
    return overlap_bound(o, *steps, share_of_eps)


@a_factor_for_each_step.confirmed_precisely(digits=DIGITS)
def in_many_digits(pair: NearPair, *, common_step: bool = False) -> Evidence:
    """(20) in mpmath: own kernels, K_d from its closed form in exact arithmetic."""
    with mp.workdps(DIGITS):
        (teacher_j, teacher_k), (student_j, _) = nodes_in(mp.mp, pair)
        biased = pair.threshold != 0
        star = psi_d(student_j, teacher_k, biased=biased)
        own = psi_d(student_j, teacher_j, biased=biased)
        apart = psi_d(teacher_j, teacher_k, biased=biased)
        active = psi_d(teacher_j, teacher_j, biased=biased)
        theta0 = mp.mpf(pair.theta0)
        if biased:
            K_d = mp.mpf(lipschitz_d(pair.threshold, pair.angle, pair.theta0))
        else:
            K_d = theta0 / 2 / mp.sin(theta0 / 2) / (mp.pi - mp.mpf(pair.angle) - theta0)
        chords = [
            2 * mp.sin(mp.mpf(near) * theta0 / 2)
            for near in ((1, 1) if common_step else (pair.near_j, pair.near_k))
        ]
        bound = apart / active * (1 + K_d * chords[0]) * (1 + K_d * chords[1]) * own
        return Evidence(predicted=float(bound), measured=float(star), margin=float(bound - star))


a_factor_for_each_step.errs(
    says="Lemma 2 (v4, section 8.4, Eqn 20): d*_jj' ≤ ε_d (1 + K_d‖δw_j'‖)(1 + K_d‖δw_j‖) d*_jj.",
    true="Both factors come from moving w_j: d*_jj' ≤ ε_d (1 + K_d‖δw_j‖)² d*_jj. At δw_j' = 0 and θ₀ = α = 1 the left "
    "side is 0.500, the printed right side 0.436.",
    impact="typographical",
    matters="Nothing depends on it: Theorem 4 bounds both displacements by 2 sin(θ₀/2).",
)
a_factor_for_each_step.rejects("ε_d 1e-12 smaller", replace(TOWARDS, near_j=0.0), share_of_eps=1 - 1e-12)
a_factor_for_each_step.accepts(
    "both displacements at their common bound 2 sin(θ₀/2)", TOWARDS, common_step=True
)
a_factor_for_each_step.rejects("ε_d at half its value", replace(TOWARDS, near_j=0.0), share_of_eps=0.5)


def exact_overlap_for_j(
    pair: NearPair, *, second_factor: bool = True, share_of_eps: float = 1.0
) -> Margin | None:
    """The margin of the corrected (20) in balls."""
    steps = [pair_margins.chord(pair.near_j, pair.theta0)] * (1 + second_factor)
    return pair_margins.overlap(pair, steps, share_of_eps)


@LEMMA2.claim(
    "corrected",
    part="overlap",
    expected="holds",
    enclose=exact_overlap_for_j,
    on=NearPair,
    draw=pairs,
    assume=assumption2_at_the_steps,
    examples=(TOWARDS, REACHING, NearPair(theta0=0.01, threshold=4.0)),
    place="Lemma 2, Eqn 20",
    compares=("d*_jk", "≤", "ε_d (1 + K_d ‖δw_j‖)² d*_jj"),
)
def both_factors_for_the_step_of_j(
    pair: NearPair, context: Context, *, second_factor: bool = True, share_of_eps: float = 1.0
) -> Evidence:
    """Lemma 2: the overlap of a student with another teacher

    d*_jk ≤ ε_d (1 + K_d ‖δw_j‖)² d*_jj

    The printed bound with both factors for the step of student j, which is the one that moves.
    """
    o = overlaps_of(pair)
    return overlap_bound(o, o.dw_j, o.dw_j if second_factor else 0.0, share_of_eps)


both_factors_for_the_step_of_j.rejects("one factor only", TOWARDS, second_factor=False)
both_factors_for_the_step_of_j.rejects(
    "ε_d 1e-12 smaller", replace(TOWARDS, near_j=0.0), share_of_eps=1 - 1e-12
)
for form in (difference_is_bounded, a_factor_for_each_step, both_factors_for_the_step_of_j):
    form.excludes("balls that meet the antipode", NearPair(theta0=0.2, angle=3.0), "K_d is finite")
    form.includes("balls that nearly meet it", NearPair(theta0=0.14, angle=3.0))
both_factors_for_the_step_of_j.rejects(
    "ε_d at half its value", replace(TOWARDS, near_j=0.0), share_of_eps=0.5
)


@a_factor_for_each_step.drawn_by
@both_factors_for_the_step_of_j.drawn_by
def overlap_figure(verdict: Verdict) -> Figure:
    """d*_jk over both bounds as student j walks straight towards teacher k: above 1 a bound fails."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    angles = np.linspace(1e-3, 0.6, 60)
    walk = [NearPair(theta0=float(theta), angle=float(np.pi / 2)) for theta in angles]
    printed = [a_factor_for_each_step(pair, Context()) for pair in walk]
    corrected = [both_factors_for_the_step_of_j(pair, Context()) for pair in walk]
    axis.plot(angles, [e.measured / e.predicted for e in printed], "C3-", label="(20) as printed")
    axis.plot(angles, [e.measured / e.predicted for e in corrected], "C0-", label="both factors for j")
    axis.axhline(1.0, color="0.4", linewidth=0.8)
    axis.set_xlabel("angle of student j from its teacher, δw_k = 0")
    axis.set_ylabel("d*_jk / bound")
    axis.legend(frameon=False)
    return figure


def difference_in_many_digits(pair: NearPair) -> tuple[float, float]:
    """``(||Delta p_jk||, d*_jk)`` in mpmath."""
    with mp.workdps(DIGITS):
        (_, teacher_k), (student_j, student_k) = nodes_in(mp.mp, pair)
        biased = pair.threshold != 0
        star, own = (psi_d(student_j, k, biased=biased) for k in (teacher_k, student_k))
        shift = difference(mp.matrix(teacher_k) * star, mp.matrix(student_k) * own)
        return float(length(shift)), float(star)
