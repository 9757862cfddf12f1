"""Lemma 7: nodes in their caps stay separated. As printed, its floor (55), and the enclosures used instead."""

from __future__ import annotations

from dataclasses import dataclass, replace

import mpmath as mp
import numpy as np
from hypothesis import strategies as st

from dynamics.arrays import Array
from dynamics.measures.kernel_bounds import KernelBounds
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.luckmatters.lemma5 import CHEAP
from verify.mathematics.families.box_states import BoxInstance, box_of, centres_of, instances, states_in
from verify.mathematics.theorem4_constants import overlap_ratios

ROUNDING = 1e-12


def _lipschitz(slope: Array, lowest: Array, cap: float) -> float:
    """Assumption 2's constant on the caps: largest slope over smallest value, per chord."""
    with np.errstate(divide="ignore"):
        return float((slope / lowest).max() * (cap / 2) / np.sin(cap / 2))


def separation(instance: BoxInstance, spread: float = 1.0) -> Evidence:
    """Largest ``d*_jk / (eps M d*_jj)`` and the same of l over states of the caps; at most 1 if W-Separation holds.

    One radius for all caps: theta0 = ``cap`` for the u-set, and the same distance as the bound on the r-set's drift.
    ``spread`` scales the M.
    """
    problem = centres_of(instance)
    bounds = problem.measure.kernel_bounds(problem.student_W, box_of(instance).cap)
    states = states_in(instance)
    epsilons = overlap_ratios(problem.student_W, problem.measure)
    stars = problem.measure.kernels(states.student_W, problem.student_W)
    lipschitz = (
        _lipschitz(bounds.slope_l, bounds.l_low, instance.cap),
        _lipschitz(bounds.slope_d, bounds.d_low, instance.cap),
    )
    off = ~np.eye(problem.n, dtype=bool)
    worst = 0.0
    for star, epsilon, K in zip(stars, reversed(epsilons), lipschitz, strict=True):
        own = np.diagonal(star, axis1=-2, axis2=-1)[..., None]
        allowed = float(epsilon) * spread * _spreads(instance, K)
        worst = max(worst, float((star / own / allowed).max(where=off, initial=0.0)))
    return Evidence.at_most(worst, bound=1.0, tolerance=ROUNDING, K_l=lipschitz[0], K_d=lipschitz[1])


def _spreads(instance: BoxInstance, K: float) -> Array:
    """The matrix of M^uu, M^ur, M^ru, M^rr (49)-(52): row j, column k."""
    chord, cosine = 2 * np.sin(instance.cap / 2), np.cos(instance.cap / 2)
    relevant = np.arange(instance.m + instance.r) < instance.m
    C = np.where(relevant, K * chord, chord)
    moved_u = np.where(relevant, 1 / cosine, 1.0)
    return np.asarray((1 + K) * (1 + C[:, None]) * (1 + C) * moved_u)


def finite_constants(instance: BoxInstance) -> tuple[Assumption, ...]:
    """Two nodes at least, and caps that keep every overlap above zero (Assumption 2 with a finite K)."""
    if instance.m + instance.r < 2:
        return (Assumption("two nodes", -1.0),)
    problem = centres_of(instance)
    bounds = problem.measure.kernel_bounds(problem.student_W, box_of(instance).cap)
    return (
        Assumption(
            "no overlap vanishes on the caps", float(min(bounds.d_low.min(), bounds.l_low.min())) - 1e-9
        ),
    )


def isotropic_instances(budget: Budget) -> st.SearchStrategy[BoxInstance]:
    """Boxes without thresholds."""
    return instances(budget).map(lambda instance: replace(instance, threshold=0.0))


EXAMPLE = BoxInstance(m=3, r=2, c=4)

PRINTED = Statement(
    key="luckmatters.lemma7",
    form=Form.PRINTED,
    title="Lemma 7: separation survives inside the caps",
    claim="W_u-Contraction, W_r-Bound  ⇒  d*_jk ≤ ε_d M_d,jk d*_jj,  l*_jk ≤ ε_l M_l,jk l*_jj  for j ≠ k",
    source=Source(LUCK_MATTERS, "Lemma 7, Eqns 47-52", "for zero-bias isotropic input"),
    expected=Outcome.HOLDS,
    instance_type=BoxInstance,
    instances=isotropic_instances,
    assumptions=finite_constants,
    evidence=lambda instance, context: separation(instance),
    examples=(EXAMPLE, BoxInstance(m=2, r=2, alpha=2.5, cap=0.3)),
    controls=(
        Control(
            "M times 0.6, nodes half a radian apart",
            lambda context: separation(BoxInstance(m=1, r=1, alpha=0.5, cap=0.01), spread=0.6),
        ),
    ),
    cost=CHEAP,
    remark="True, with room: both factors 1 + C belong to slot j (as in Lemma 2), and M^ur, M^ru mix the two, but the "
    "factor 1 + K covers it. What it does not give: lower bounds of l_jj and differences linear in δw, which (61) and "
    "(67) need as well.",
)


@dataclass(frozen=True)
class Floor:
    """m orthonormal teachers (one: m = 1); a student that starts on its teacher and is met at ``theta0`` later."""

    m: int = 1
    theta0: float = 0.1


def _floor_K(instance: Floor) -> float:
    """The smallest K_d on caps of radius theta0: ``(theta0/2)/sin(theta0/2)`` over the smallest supplement."""
    widest = np.pi / 2 + 2 * instance.theta0 if instance.m > 1 else instance.theta0
    return float((instance.theta0 / 2) / np.sin(instance.theta0 / 2) / (np.pi - widest))


def floor(instance: Floor, context: Context) -> Evidence:
    """``d*_jj(t) / d*_jj(0) = 1 - theta0/pi`` against ``1 - K_d C_u`` with ``C_u = 2 K_d sin(theta0/2)``."""
    return _floor_evidence(instance, power=2)


def _floor_evidence(instance: Floor, power: int) -> Evidence:
    claimed = 1 - float(_floor_K(instance) ** power * 2 * np.sin(instance.theta0 / 2))
    measured = 1 - instance.theta0 / np.pi
    return Evidence(predicted=claimed, measured=measured, margin=measured - claimed + 1e-15, tolerance=1e-15)


def confirm_floor(instance: Floor) -> Evidence:
    """psi_d by quadrature over the angle of the input, everything in 30 digits."""
    with mp.workdps(30):
        theta = mp.mpf(instance.theta0)
        widest = mp.pi / 2 + 2 * theta if instance.m > 1 else theta
        K = (theta / 2) / mp.sin(theta / 2) / (mp.pi - widest)
        both_open = [theta - mp.pi / 2, mp.pi / 2]  # inputs at this angle to w* activate both nodes
        ratio = mp.quad(lambda angle: 1 / (2 * mp.pi), both_open) / mp.mpf("0.5")
        claimed = 1 - K * (2 * K * mp.sin(theta / 2))
        return Evidence(predicted=float(claimed), measured=float(ratio), margin=float(ratio - claimed))


FLOOR = Statement(
    key="luckmatters.lemma7.floor",
    form=Form.PRINTED,
    title="Lemma 7: the floor under the own overlaps",
    claim="d*_jj(t) ≥ d*_jj(0) (1 − K_d C_d,j) ≥ d̄,  C_d,u = 2 K_d sin(θ₀/2)",
    source=Source(LUCK_MATTERS, "Eqns 43 and 55"),
    expected=Outcome.REFUTED,
    instance_type=Floor,
    instances=lambda budget: st.builds(
        Floor, m=st.integers(1, 2), theta0=st.floats(0.01, 0.6).map(lambda x: round(x, 3))
    ),
    assumptions=lambda instance: (
        Assumption("a finite K_d", np.pi / 2 - 2 * instance.theta0 if instance.m > 1 else 1.0),
    ),
    evidence=floor,
    confirm=confirm_floor,
    controls=(
        Control("one teacher, θ₀ = 0.3", lambda context: floor(Floor(1, 0.3), context)),
        Control(
            "with one factor K_d, as Assumption 2 gives it",
            lambda context: _floor_evidence(Floor(1, 0.3), power=1),
            must_hold=True,
        ),
    ),
    cost=CHEAP,
    remark="C_d,u of (47) holds a factor K_d already, so K_d C_d,u counts it twice; where K_d < 0.56 (zero-bias "
    "isotropic input: nodes within about 78° of one another) the product is too small. (48) against W_r-Bound is the "
    "same slip: C_d,r is K_d times the drift in one and the drift itself in the other. Repaired: 1 − C_d,j.",
)


def enclosure(instance: BoxInstance, context: Context, widening: float = 1.0) -> Evidence:
    """Kernels of all states drawn against their bounds; margins relative to the upper bound of each."""
    problem = centres_of(instance)
    bounds = problem.measure.kernel_bounds(problem.student_W, widening * box_of(instance).cap)
    states = states_in(instance)
    margin, share = _enclosure_margins(problem, states, bounds)
    return Evidence(predicted=1.0, measured=share, margin=margin + ROUNDING, tolerance=ROUNDING)


def _enclosure_margins(
    problem: TeacherStudent, states: TeacherStudent, bounds: KernelBounds
) -> tuple[float, float]:
    """Smallest relative margin of all bounds, and the largest share used of a slope bound."""
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


def no_pole(instance: BoxInstance) -> tuple[Assumption, ...]:
    """Caps that do not hold the pole of the bias axis, where the slopes have no bound."""
    problem = centres_of(instance)
    slope = problem.measure.kernel_bounds(problem.student_W, box_of(instance).cap).slope_l
    return (
        Assumption("caps without the pole of the bias axis", 1.0 if np.all(np.isfinite(slope)) else -1.0),
    )


CORRECTED = Statement(
    key="luckmatters.lemma7",
    form=Form.CORRECTED,
    title="Lemma 7: enclosures of the kernels on the caps",
    claim="w_j in its cap for all j  ⇒  d, d*, l, l* between their bounds,\n"
    "|l*_jk − l_jk| ≤ slope_l ∠(w_k, w*_k),  |d*_jk − d_jk| ≤ slope_d ∠(w_k, w*_k)",
    source=Source(LUCK_MATTERS, "Lemma 7", "interval bounds in place of Assumptions 2 and 3"),
    expected=Outcome.HOLDS,
    instance_type=BoxInstance,
    instances=instances,
    assumptions=no_pole,
    evidence=enclosure,
    examples=(EXAMPLE, replace(EXAMPLE, threshold=2.0)),
    controls=(
        Control(
            "bounds for caps of half the radius", lambda context: enclosure(EXAMPLE, context, widening=0.5)
        ),
        Control(
            "the same under input with bias",
            lambda context: enclosure(replace(EXAMPLE, threshold=1.0), context, widening=0.5),
        ),
    ),
    cost=CHEAP,
    remark="For zero-bias isotropic input the kernels are functions of the angle; with biases they rise with both "
    "thresholds and with the correlation (Slepian's inequality, Price's theorem): corners of the caps bound them.",
)
