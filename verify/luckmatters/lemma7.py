"""Lemma 7: nodes in their caps stay separated. As printed, its floor (55), and the enclosures used instead."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mpmath as mp
import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.measures.kernel_bounds import KernelBounds
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import LUCK_MATTERS, Assumption, Budget, Context, Evidence, Item, Source, drawn
from verify.judging.domains import Instance, integers, reals
from verify.mathematics.families.box_states import BoxInstance, box_of, centres_of, states_in
from verify.mathematics.families.narrowed import narrowed
from verify.mathematics.theorem4_constants import overlap_ratios

LEMMA7 = Item("luckmatters.lemma7", Source(LUCK_MATTERS, "Lemma 7", version="v4", section="8.7"))
ROUNDING = 1e-12
EXAMPLE = BoxInstance(m=3, r=2, c=4)


def bounds_on_the_caps(instance: BoxInstance, widening: float = 1.0) -> KernelBounds:
    """Interval bounds of the kernels on the caps, their radii times ``widening``."""
    problem = centres_of(instance)
    return problem.measure.kernel_bounds(problem.student_W, widening * box_of(instance).cap)


def finite_constants(instance: BoxInstance) -> tuple[Assumption, ...]:
    """Two nodes at least, and caps that keep every overlap above zero (Assumption 2 with a finite K)."""
    if instance.m + instance.r < 2:
        return (Assumption("two nodes", -1.0),)
    bounds = bounds_on_the_caps(instance)
    least = float(min(bounds.d_low.min(), bounds.l_low.min()))
    return (Assumption("no overlap vanishes on the caps", least - 1e-9),)


def without_thresholds(budget: Budget) -> st.SearchStrategy[BoxInstance]:
    """Boxes under zero-bias isotropic input."""
    return narrowed(BoxInstance, budget).map(lambda instance: replace(instance, threshold=0.0))


def lipschitz_on_caps(slope: Array, lowest: Array, cap: float) -> float:
    """Assumption 2's constant on the caps: largest slope over smallest value, per chord."""
    with np.errstate(divide="ignore"):
        return float((slope / lowest).max() * (cap / 2) / np.sin(cap / 2))


@LEMMA7.claim(
    "printed",
    expected="holds",
    on=BoxInstance,
    draw=without_thresholds,
    assume=finite_constants,
    examples=(EXAMPLE, BoxInstance(m=2, r=2, alpha=2.5, cap=0.3)),
    place="Lemma 7, Eqns 47-52",
    note="judged for zero-bias isotropic input",
    compares=("largest overlap over ε M times the own overlap", "≤", "one"),
)
def stays_separated(instance: BoxInstance, context: Context, *, share_of_M: float = 1.0) -> Evidence:
    """Lemma 7: separation survives inside the caps

    W_u-Contraction, W_r-Bound  ⇒  d*_jk ≤ ε_d M_d,jk d*_jj,  l*_jk ≤ ε_l M_l,jk l*_jj  for j ≠ k

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
    largest = 0.0
    for star, epsilon, K in zip(stars, reversed(epsilons), lipschitz, strict=True):
        own = np.diagonal(star, axis1=-2, axis2=-1)[..., None]
        allowed = float(epsilon) * share_of_M * _spreads(instance, K)
        largest = max(largest, float((star / own / allowed).max(where=off, initial=0.0)))
    return Evidence.at_most(largest, bound=1.0, tolerance=ROUNDING, K_l=lipschitz[0], K_d=lipschitz[1])


def _spreads(instance: BoxInstance, K: float) -> Array:
    """The matrix of M^uu, M^ur, M^ru, M^rr (49)-(52): row j, column k."""
    chord, cosine = 2 * np.sin(instance.cap / 2), np.cos(instance.cap / 2)
    relevant = np.arange(instance.m + instance.r) < instance.m
    C = np.where(relevant, K * chord, chord)
    moved_u = np.where(relevant, 1 / cosine, 1.0)
    return np.asarray((1 + K) * (1 + C[:, None]) * (1 + C) * moved_u)


stays_separated.rejects(
    "M times 0.6, nodes half a radian apart", BoxInstance(m=1, r=1, alpha=0.5, cap=0.01), share_of_M=0.6
)


@dataclass(frozen=True)
class Floor(Instance):
    """m orthonormal teachers (one: m = 1); a student that starts on its teacher and is met at ``theta0`` later."""

    m: int = drawn(1, st.integers(1, 2), integers(1))
    theta0: float = drawn(
        0.1, st.floats(0.01, 0.6).map(lambda x: round(x, 3)), reals(0, np.pi, low_open=True)
    )


def finite_K(instance: Floor) -> tuple[Assumption, ...]:
    """With two teachers the caps must stay clear of antiparallel vectors."""
    return (Assumption("a finite K_d", np.pi / 2 - 2 * instance.theta0 if instance.m > 1 else 1.0),)


@LEMMA7.claim(
    "printed",
    part="floor",
    expected="refuted",
    on=Floor,
    assume=finite_K,
    place="Eqns 43 and 55",
    section="8.6",
    compares=("d*_jj(t) / d*_jj(0)", "≥", "1 − K_d C_d,u"),
    telling=lambda instance: instance.theta0 >= 0.1,
)
def own_overlap_has_the_floor(instance: Floor, context: Context, *, power_of_K: int = 2) -> Evidence:
    """Lemma 7: the floor under the own overlaps

    d*_jj(t) ≥ d*_jj(0) (1 − K_d C_d,j) ≥ d̄,  C_d,u = 2 K_d sin(θ₀/2)

    C_d,u of (47) holds a factor K_d already, so K_d C_d,u counts it twice; where K_d < 0.56 (zero-bias isotropic input:
    nodes within about 78° of one another) the product is too small. (48) against W_r-Bound is the same slip: C_d,r is
    K_d times the drift in one and the drift itself in the other. Repaired: 1 − C_d,j.
    """
    theta0 = instance.theta0
    widest = np.pi / 2 + 2 * theta0 if instance.m > 1 else theta0
    # The smallest K_d on caps of radius theta0: arc over chord, over the smallest supplement of an angle.
    K_d = float((theta0 / 2) / np.sin(theta0 / 2) / (np.pi - widest))
    claimed = 1 - float(K_d**power_of_K * 2 * np.sin(theta0 / 2))
    measured = 1 - theta0 / np.pi  # d*_jj(t) / d*_jj(0)
    return Evidence(predicted=claimed, measured=measured, margin=measured - claimed + 1e-15, tolerance=1e-15)


@own_overlap_has_the_floor.confirmed_precisely(digits=30)
def by_quadrature_in_thirty_digits(instance: Floor, *, power_of_K: int = 2) -> Evidence:
    """psi_d by quadrature over the angle of the input, everything in 30 digits."""
    with mp.workdps(30):
        theta = mp.mpf(instance.theta0)
        widest = mp.pi / 2 + 2 * theta if instance.m > 1 else theta
        K = (theta / 2) / mp.sin(theta / 2) / (mp.pi - widest)
        both_open = [theta - mp.pi / 2, mp.pi / 2]  # inputs at this angle to w* activate both nodes
        ratio = mp.quad(lambda angle: 1 / (2 * mp.pi), both_open) / mp.mpf("0.5")
        claimed = 1 - K**power_of_K * 2 * mp.sin(theta / 2)
        return Evidence(predicted=float(claimed), measured=float(ratio), margin=float(ratio - claimed))


own_overlap_has_the_floor.errs(
    says="Eqns 43 and 55 (v4, section 8.6): d*_jj(t) ≥ d*_jj(0)(1 − K_d C_d,j) with C_d,u = 2 K_d sin(θ₀/2).",
    true="K_d is counted twice, and the floor is false for K_d < 0.56. Repaired: 1 − C_d,j. (48) against W_r-Bound is "
    "the same slip.",
    impact="constant",
    matters="It disappears for any larger K_d, which 'there exists' allows; the constants of Theorem 5 change.",
)
own_overlap_has_the_floor.rejects("one teacher, θ₀ = 0.3", Floor(1, 0.3))
own_overlap_has_the_floor.accepts(
    "with one factor K_d, as Assumption 2 gives it", Floor(1, 0.3), power_of_K=1
)


def no_pole(instance: BoxInstance) -> tuple[Assumption, ...]:
    """Caps that do not hold the pole of the bias axis, where the slopes have no bound."""
    finite = np.all(np.isfinite(bounds_on_the_caps(instance).slope_l))
    return (Assumption("caps without the pole of the bias axis", 1.0 if finite else -1.0),)


@LEMMA7.claim(
    "corrected",
    expected="holds",
    on=BoxInstance,
    assume=no_pole,
    examples=(EXAMPLE, replace(EXAMPLE, threshold=2.0)),
    note="interval bounds in place of Assumptions 2 and 3",
    compares=("largest share used of a slope bound", "≤", "one"),
)
def kernels_are_enclosed(instance: BoxInstance, context: Context, *, widening: float = 1.0) -> Evidence:
    """Lemma 7: enclosures of the kernels on the caps

    w_j in its cap for all j  ⇒  d, d*, l, l* between their bounds,
    |l*_jk − l_jk| ≤ slope_l ∠(w_k, w*_k),  |d*_jk − d_jk| ≤ slope_d ∠(w_k, w*_k)

    For zero-bias isotropic input the kernels are functions of the angle; with biases they rise with both thresholds and
    with the correlation (Slepian's inequality, Price's theorem): corners of the caps bound them.
    """
    bounds = bounds_on_the_caps(instance, widening)
    margin, share = _enclosure_margins(centres_of(instance), states_in(instance), bounds)
    return Evidence(predicted=1.0, measured=share, margin=margin + ROUNDING, tolerance=ROUNDING)


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
    share = (change_l / np.maximum(bounds.slope_l * arc, 1e-300)).max()
    return float(min(margins)), float(share)


kernels_are_enclosed.rejects("bounds for caps of half the radius", EXAMPLE, widening=0.5)
kernels_are_enclosed.rejects("the same under input with bias", replace(EXAMPLE, threshold=1.0), widening=0.5)
