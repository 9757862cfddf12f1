"""Lemma 7: nodes in their caps stay separated. As we read it, and the enclosures used instead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.measures.kernel_bounds import KernelBounds
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    CannotJudgeError,
    Context,
    Evidence,
    Item,
    Source,
)
from verify.judging.enclosing.enclosure import Margin, as_drawn
from verify.mathematics.enclosed import caps
from verify.mathematics.families.box_states import BoxInstance, box_of, centres_of, states_in
from verify.mathematics.families.narrowed import narrowed
from verify.mathematics.theorem4_constants import overlap_ratios

LEMMA7 = Item("luckmatters.lemma7", Source(LUCK_MATTERS, "Lemma 7", version="v4", section="8.7"))
EPS = float(np.finfo(np.float64).eps)
EXAMPLE = BoxInstance(m=3, r=2, c=4)
CENTRES = BoxInstance(m=4, r=3, c=7, alpha=2.8, threshold=0.5, cap=0.0, fan_out_cap=1.5, eta=0.005, seed=208)
"""Caps of no size: kernels against themselves, some of them small, where rounding to 1e-12 was once not enough."""


def bounds_on_the_caps(instance: BoxInstance, widening: float = 1.0) -> KernelBounds:
    """Interval bounds of the kernels on the caps, their radii times ``widening``."""
    problem = centres_of(instance)
    return problem.measure.kernel_bounds(problem.student_W, widening * box_of(instance).cap)


def kernel_rounding(instance: BoxInstance, bounds: KernelBounds) -> tuple[Array, Array]:
    """Rounding of a difference of two values of psi_l, and of psi_d, on the caps: absolute, ``(n, n)`` each.

    Without bias the kernels are good to 64 eps of themselves; with biases psi_d is to 1e-13 and psi_l to 2e-13 psi_d
    (:class:`dynamics.measures.biased_gaussian.BiasedGaussian`; unit columns). A column placed to 8 eps moves a kernel
    by that times its slope.
    """
    placed_l, placed_d = (8 * EPS * np.minimum(slope, 1.0) for slope in (bounds.slope_l, bounds.slope_d))
    if instance.threshold:
        return 4e-13 * bounds.d_high + placed_l, 2e-13 * bounds.d_high + placed_d
    return 128 * EPS * bounds.l_high + placed_l, 128 * EPS * bounds.d_high + placed_d


def require_known_accuracy(instance: BoxInstance) -> None:
    """Raise CannotJudgeError where a threshold on the caps is beyond 6: the kernels' error is known up to there."""
    if instance.threshold and np.tan(np.arctan(instance.threshold) + instance.cap) > 6:
        raise CannotJudgeError("thresholds beyond 6 on the caps, where the kernels' error is not known")


def finite_constants(instance: BoxInstance) -> tuple[Assumption, ...]:
    """Two nodes at least, no bias, and caps on which every overlap is above zero (Assumption 2 with a finite K)."""
    several = Assumption.at_least("number of nodes", instance.m + instance.r, 2)
    unbiased = Assumption.equal("zero-bias isotropic input: b", instance.threshold)
    acute = Assumption.below("caps", instance.cap, np.pi / 2, "rad")
    if not (several.satisfied and unbiased.satisfied and acute.satisfied):
        return (several, unbiased, acute)
    bounds = bounds_on_the_caps(instance)
    least = float(min(bounds.d_low.min(), bounds.l_low.min()))
    return (several, unbiased, acute, Assumption.above("least overlap on the caps", least, 1e-9))


def without_thresholds(budget: Budget) -> st.SearchStrategy[BoxInstance]:
    """Boxes under zero-bias isotropic input."""
    return narrowed(BoxInstance, budget).map(lambda instance: replace(instance, threshold=0.0))


def lipschitz_on_caps(slope: Array, lowest: Array, cap: float) -> float:
    """Assumption 2's constant on the caps: largest slope over smallest value, per chord."""
    with np.errstate(divide="ignore"):
        return float((slope / lowest).max() * ((cap / 2) / np.sin(cap / 2) if cap else 1.0))


def exact_separation(instance: BoxInstance, *, share_of_M: float = 1.0) -> Margin:
    """The margin in balls, of the float columns of the drawn states and centres, normalised exactly."""
    drawn = as_drawn(instance)
    centres, states = centres_of(drawn).student_W, states_in(drawn).student_W
    return caps.separation_margin(centres, states, instance.cap, instance.m, share_of_M)


@LEMMA7.claim(
    "reading",
    expected="holds",
    enclose=exact_separation,
    on=BoxInstance,
    draw=without_thresholds,
    assume=finite_constants,
    examples=(EXAMPLE, BoxInstance(m=2, r=2, alpha=2.5, cap=0.3)),
    place="Lemma 7, Eqns 47-52",
    note="our reading of Assumptions 2 and 3: zero-bias isotropic input, with the constants that it has on the caps",
    compares=("largest overlap over ε M times the own overlap", "≤", "one"),
)
def stays_separated(instance: BoxInstance, context: Context, *, share_of_M: float = 1.0) -> Evidence:
    """Lemma 7: separation survives inside the caps

    every column in its cap (W_u-Contraction, W_r-Bound), caps below a right angle, zero-bias isotropic input
    ⇒  d*_jk ≤ ε_d M_d,jk d*_jj,  l*_jk ≤ ε_l M_l,jk l*_jj  for j ≠ k

    True, with room: both factors 1 + C belong to slot j (as in Lemma 2), and M^ur, M^ru mix the two, but the factor
    1 + K covers it. What it does not give: lower bounds of l_jj and differences linear in δw, which (61) and (67) need
    as well.
    """
    # One radius for all caps: theta0 = cap for the u-set, and the same distance as the bound on the r-set's drift.
    problem, states = centres_of(instance), states_in(instance)
    bounds = bounds_on_the_caps(instance)
    epsilons = overlap_ratios(problem.student_W, problem.measure)
    stars = problem.measure.kernels(states.student_W, problem.student_W)
    lipschitz = (
        lipschitz_on_caps(bounds.slope_l, bounds.l_low, instance.cap),
        lipschitz_on_caps(bounds.slope_d, bounds.d_low, instance.cap),
    )
    off = ~np.eye(problem.n, dtype=bool)
    largest = rounding = 0.0
    for star, epsilon, K, error in zip(
        stars, reversed(epsilons), lipschitz, kernel_rounding(instance, bounds), strict=True
    ):
        own = np.diagonal(star, axis1=-2, axis2=-1)[..., None]
        allowed = float(epsilon) * share_of_M * _spreads(instance, K) * own
        largest = max(largest, float((star / allowed).max(where=off, initial=0.0)))
        rounding = max(rounding, float((error / allowed).max(where=off, initial=0.0)))
    return Evidence.at_most(largest, bound=1.0, tolerance=rounding, K_l=lipschitz[0], K_d=lipschitz[1])


def _spreads(instance: BoxInstance, K: float) -> Array:
    """The matrix of M^uu, M^ur, M^ru, M^rr (49)-(52): row j, column k."""
    chord, cosine = 2 * np.sin(instance.cap / 2), np.cos(instance.cap / 2)
    relevant = np.arange(instance.m + instance.r) < instance.m
    C = np.where(relevant, K * chord, chord)
    moved_u = np.where(relevant, 1 / cosine, 1.0)
    return np.asarray((1 + K) * (1 + C[:, None]) * (1 + C) * moved_u)


stays_separated.rejects("the share of M that is reached", EXAMPLE, share_of_M=0.54679895113)
stays_separated.excludes("one node", BoxInstance(m=1, r=0), "number of nodes")
stays_separated.excludes("a bias", replace(EXAMPLE, threshold=1.0), "zero-bias")
stays_separated.excludes("caps beyond a right angle", replace(EXAMPLE, cap=1.6), "caps")
stays_separated.excludes(
    "caps that meet the antipode", BoxInstance(alpha=3.1, cap=0.3), "least overlap on the caps"
)
stays_separated.includes("caps of 0.3 about nodes 2.5 apart", BoxInstance(m=2, r=2, alpha=2.5, cap=0.3))
stays_separated.rejects(
    "M times 0.6, nodes half a radian apart", BoxInstance(m=1, r=1, alpha=0.5, cap=0.01), share_of_M=0.6
)


def no_pole(instance: BoxInstance) -> tuple[Assumption, ...]:
    """Caps below a right angle that do not hold the pole of the bias axis, where the slopes have no bound."""
    acute = Assumption.below("caps", instance.cap, np.pi / 2, "rad")
    if not acute.satisfied:
        return (acute,)
    finite = bool(np.all(np.isfinite(bounds_on_the_caps(instance).slope_l)))
    return (acute, Assumption.that("caps without the pole of the bias axis", finite))


@LEMMA7.claim(
    "corrected",
    expected="holds",
    on=BoxInstance,
    assume=no_pole,
    examples=(EXAMPLE, replace(EXAMPLE, threshold=2.0), CENTRES),
    note="interval bounds in place of Assumptions 2 and 3",
    compares=("largest share used of a slope bound", "≤", "one"),
)
def kernels_are_enclosed(
    instance: BoxInstance, context: Context, *, widening: float = 1.0, share_of_slope: float = 1.0
) -> Evidence:
    """Lemma 7: enclosures of the kernels on the caps

    w_j in its cap for all j  ⇒  d, d*, l, l* between their bounds,
    |l*_jk − l_jk| ≤ slope_l ∠(w_k, w*_k),  |d*_jk − d_jk| ≤ slope_d ∠(w_k, w*_k)

    For zero-bias isotropic input the kernels are functions of the angle; with biases they rise with both thresholds and
    with the correlation (Slepian's inequality, Price's theorem): corners of the caps bound them.
    """
    require_known_accuracy(instance)
    bounds = bounds_on_the_caps(instance, widening)
    altered = replace(bounds, slope_l=share_of_slope * bounds.slope_l)
    margin, share = _enclosure_margins(centres_of(instance), states_in(instance), altered)
    rounding = max(
        float((error / high).max())
        for error, high in zip(kernel_rounding(instance, bounds), (bounds.l_high, bounds.d_high), strict=True)
    )
    return Evidence(predicted=1.0, measured=share, margin=margin + rounding, tolerance=rounding)


def _enclosure_margins(
    problem: TeacherStudent, states: TeacherStudent, bounds: KernelBounds
) -> tuple[float, float]:
    """Smallest margin of all bounds, relative to each upper bound, and the largest share used of a slope bound."""
    measure, W, centre = problem.measure, states.student_W, problem.student_W
    l_own, d_own = measure.kernels(W, W)
    l_star, d_star = measure.kernels(W, centre)
    off = ~np.eye(problem.n, dtype=bool)
    margins = [
        ((bounds.d_high - d_star) / bounds.d_high).min(),
        ((d_star - bounds.d_low) / bounds.d_high).min(),
        ((bounds.l_high - l_star) / bounds.l_high).min(),
        ((l_star - bounds.l_low) / bounds.l_high).min(),
        ((bounds.d_high - d_own) / bounds.d_high).min(where=off, initial=1.0),
        ((d_own - bounds.d_low) / bounds.d_high).min(where=off, initial=1.0),
        ((bounds.l_high - l_own) / bounds.l_high).min(where=off, initial=1.0),
        ((l_own - bounds.l_low) / bounds.l_high).min(where=off, initial=1.0),
    ]
    own = np.diagonal(l_own, axis1=-2, axis2=-1)
    margins.append(((own - bounds.own_l_low) / own).min())
    arc = 2 * np.arcsin(np.minimum(np.linalg.norm(W - centre, axis=-2) / 2, 1.0))[..., None, :]
    change_l, change_d = np.abs(l_star - l_own), np.abs(d_star - d_own)
    margins.append(((bounds.slope_l * arc - change_l) / bounds.l_high).min())
    margins.append(((bounds.slope_d * arc - change_d) / bounds.d_high).min(where=off, initial=1.0))
    allowed = bounds.slope_l * arc
    share = (change_l / np.where(allowed > 1e-9, allowed, np.inf)).max()
    return float(min(margins)), float(share)


kernels_are_enclosed.rejects("the share of the slopes that is used", EXAMPLE, share_of_slope=0.9336300106)
kernels_are_enclosed.excludes("caps beyond a right angle", replace(EXAMPLE, cap=1.6), "caps")
kernels_are_enclosed.excludes(
    "a cap with the pole", replace(EXAMPLE, threshold=2.0, cap=0.5), "caps without the pole"
)
kernels_are_enclosed.includes("a cap beside the pole", replace(EXAMPLE, threshold=2.0, cap=0.46))
kernels_are_enclosed.rejects("bounds for caps of half the radius", EXAMPLE, widening=0.5)
kernels_are_enclosed.rejects("the same under input with bias", replace(EXAMPLE, threshold=1.0), widening=0.5)
