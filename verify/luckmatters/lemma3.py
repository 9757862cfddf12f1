"""Lemma 3 (top bounds), first half: the difference of two fan-outs weighted by their overlaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import hypothesis.strategies as st
import matplotlib.pyplot as plt
import mpmath as mp
import numpy as np
from matplotlib.figure import Figure

from verify.judging import LUCK_MATTERS, Assumption, Budget, Context, Evidence, Item, Source, Verdict, drawn
from verify.judging.domains import reals
from verify.judging.enclosing.enclosure import Margin
from verify.mathematics.enclosed import pair_margins
from verify.mathematics.families.near_pairs import ROUNDING, NearPair, near_pairs, nodes_in
from verify.mathematics.first_moment_constants import STEEPEST, lipschitz_l_isotropic
from verify.mathematics.precise.first_moment import difference, length, psi_l
from verify.mathematics.precise.kernels import DIGITS

LEMMA3 = Item("luckmatters.lemma3", Source(LUCK_MATTERS, "Lemma 3", version="v4", section="8.4"))
PLACE = "Lemma 3, Eqns 29-30"


@dataclass(frozen=True)
class WeightedPair(NearPair):
    """A pair under isotropic input with the fan-outs of teacher k and student k.

    ``v*_k = (strength, 0)`` and ``v_k = v*_k + shift (cos bearing, sin bearing)``: two outputs hold every relative
    position of two fan-outs.
    """

    strength: float = drawn(1.0, st.floats(0.01, 10), reals(0))
    shift: float = drawn(1.0, st.floats(0, 3), reals(0))
    bearing: float = drawn(0.0, st.floats(-math.pi, math.pi), reals(-math.pi, math.pi))

    def fan_outs(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """``v*_k`` and ``dv_k``."""
        moved = (self.shift * math.cos(self.bearing), self.shift * math.sin(self.bearing))
        return (self.strength, 0.0), moved


def weighted_pairs(budget: Budget) -> st.SearchStrategy[WeightedPair]:
    """Pairs under isotropic input, their fan-outs drawn as well."""
    return near_pairs(WeightedPair, budget)


@dataclass(frozen=True)
class Weights:
    """``l*_jk``, ``l_jk``, ``K_l``, ``||dw_k||`` and ``||Delta q_jk||`` of one instance."""

    star: float
    student: float
    K_l: float
    dw_k: float
    delta_q: float


def weights_of(instance: WeightedPair) -> Weights:
    """Everything that (30) speaks of, for one instance."""
    teacher, student = instance.nodes()
    star = float(instance.measure.psi_l(student, teacher)[0, 1])
    own = float(instance.measure.psi_l(student, student)[0, 1])
    fan_out, moved = instance.fan_outs()
    delta_q = math.hypot(*(v * (star - own) - dv * own for v, dv in zip(fan_out, moved, strict=True)))
    K_l = lipschitz_l_isotropic(instance.angle, instance.theta0)
    return Weights(star, own, K_l, instance.displacements()[1], delta_q)


def K_l_exists(instance: NearPair) -> Sequence[Assumption]:
    """Isotropic input, and balls that stay clear of antiparallel vectors, where no K_l exists."""
    return (
        Assumption.below("K_l exists: α_max + θ₀", instance.angle + instance.theta0, math.pi, "rad"),
        Assumption.equal("isotropic input: b", instance.threshold),
    )


def difference_at_most(bound: float, w: Weights, instance: WeightedPair) -> Evidence:
    """``||Delta q_jk||`` against ``bound``, up to the rounding of kernels times fan-outs."""
    tolerance = ROUNDING * w.star * (instance.strength + instance.shift)
    return Evidence.at_most(
        w.delta_q, bound=bound, tolerance=tolerance, K_l=w.K_l, dw_k=w.dw_k, dv_k=instance.shift
    )


STILL = WeightedPair()
"""Both fan-ins of node k agree, its fan-out does not."""

MOVED = WeightedPair(near_k=1.0, strength=1.0, shift=0.0)
"""The fan-in of node k moves, its fan-out of norm 1 does not."""

STRONG = WeightedPair(angle=2.0, near_k=1.0, turn_k=math.pi, strength=10.0, shift=0.0)
"""The same with a fan-out of norm 10."""

GROWING = WeightedPair(theta0=0.2, angle=2.5, near_k=1.0, strength=0.01, shift=3.0, bearing=0.0)
"""Nearly all of ``Delta q_jk`` is the fan-out's shift, weighted by an overlap that grows on the way."""

STEEP = WeightedPair(theta0=0.01, angle=2.5, near_k=1.0, shift=0.0)
"""Far-apart teachers and a short step: K_l is nearly needed in full."""


@LEMMA3.claim(
    "printed",
    part="difference",
    expected="refuted",
    enclose=pair_margins.fan_outs_left_out,
    on=WeightedPair,
    draw=weighted_pairs,
    assume=K_l_exists,
    examples=(STILL,),
    place=PLACE,
    compares=("‖Δq_jk‖", "≤", "(1 + K_l) l*_jk ‖δw_k‖"),
    telling=lambda pair: pair.near_k > 0.3 and 0.1 < pair.shift < 1 and 0.3 < pair.strength < 3,
)
def without_fan_outs(instance: WeightedPair, context: Context) -> Evidence:
    """Lemma 3: the difference of weighted fan-outs

    ‖Δq_jk‖ ≤ (1 + K_l) l*_jk ‖δw_k‖,  Δq_jk = v*_k l*_jk − v_k l_jk

    The proof is said to be that of Lemma 2, but there the vectors of the sum are the unit fan-ins themselves;
    here they are fan-outs, which move on their own and have any norm. With δw_k = 0 and δv_k ≠ 0 the right-hand side is
    zero and the left is l_jk ‖δv_k‖. Also with δv_k = 0 the bound fails where ‖v*_k‖ is large.
    """
    w = weights_of(instance)
    return difference_at_most((1 + w.K_l) * w.star * w.dw_k, w, instance)


@without_fan_outs.confirmed_precisely(digits=DIGITS)
def in_many_digits(instance: WeightedPair) -> Evidence:
    """(30) in mpmath, with own kernels and the closed-form K_l once more."""
    with mp.workdps(DIGITS):
        (_, teacher_k), (student_j, student_k) = nodes_in(mp.mp, instance)
        star, own = (psi_l(student_j, k, biased=False) for k in (teacher_k, student_k))
        fan_out, moved = (mp.matrix([mp.mpf(x) for x in v]) for v in instance.fan_outs())
        delta_q = length(fan_out * star - (fan_out + moved) * own)
        dw_k = length(difference(student_k, teacher_k))
        bound = (1 + K_l_in_many_digits(instance)) * star * dw_k
        return Evidence(predicted=float(bound), measured=float(delta_q), margin=float(bound - delta_q))


def K_l_in_many_digits(pair: NearPair) -> mp.mpf:
    """The closed-form K_l in the working precision of mpmath."""
    alpha, theta0 = mp.mpf(pair.angle), mp.mpf(pair.theta0)
    furthest = alpha + theta0
    steepest = min(max(mp.mpf(STEEPEST), alpha), min(furthest + theta0, mp.pi))
    kappa = mp.sin(furthest) + (mp.pi - furthest) * mp.cos(furthest)
    return theta0 / 2 / mp.sin(theta0 / 2) * (mp.pi - steepest) * mp.sin(steepest) / kappa


without_fan_outs.errs(
    says="Lemma 3 (v4, section 8.4, Eqn 30): ‖Δq_jj'‖ ≤ (1 + K_l) l*_jj' ‖δw_j'‖ for Δq_jj' = v*_j' l*_jj' − "
    "v_j' l_jj'.",
    true="The fan-outs are left out: at δw_j' = 0, δv_j' ≠ 0 the right side is zero and the left is not. Repaired: "
    "‖Δq_jj'‖ ≤ l*_jj' (K_l‖δw_j'‖‖v*_j'‖ + (1 + K_l‖δw_j'‖)‖δv_j'‖).",
    impact="substance",
    matters="No later step uses (30) as printed: Lemma 5 bounds the same difference by ‖δv‖ in (57) and (58), and "
    "drops the part of δw there.",
)
without_fan_outs.rejects_moved("by what the bound leaves, and 1e-12", MOVED, by=0.0275656625723)
without_fan_outs.excludes("a bias", replace(MOVED, threshold=1.0), "isotropic input")
without_fan_outs.excludes("balls that meet the antipode", replace(MOVED, angle=3.1), "K_l exists")
without_fan_outs.includes("balls that nearly meet it", replace(MOVED, angle=3.0))
without_fan_outs.accepts("a unit fan-out that does not move (δv_k = 0)", MOVED)
without_fan_outs.rejects("a fan-out of norm 10 that does not move", STRONG)


def exact_difference(
    instance: WeightedPair, *, growth: bool = True, share_of_K: float = 1.0
) -> Margin | None:
    """The margin of the corrected (30) in balls."""
    return pair_margins.fan_outs_kept(instance, growth, share_of_K)


@LEMMA3.claim(
    "corrected",
    part="difference",
    expected="holds",
    enclose=exact_difference,
    on=WeightedPair,
    draw=weighted_pairs,
    assume=K_l_exists,
    examples=(STILL, MOVED, STRONG),
    place=PLACE,
    compares=("‖Δq_jk‖", "≤", "l*_jk (K_l ‖δw_k‖ ‖v*_k‖ + (1 + K_l ‖δw_k‖) ‖δv_k‖)"),
)
def with_fan_outs(
    instance: WeightedPair, context: Context, *, growth: bool = True, share_of_K: float = 1.0
) -> Evidence:
    """Lemma 3: the difference of weighted fan-outs

    ‖Δq_jk‖ ≤ l*_jk (K_l ‖δw_k‖ ‖v*_k‖ + (1 + K_l ‖δw_k‖) ‖δv_k‖)

    With a closed-form K_l for isotropic input on the balls:
    K_l = [(θ₀/2)/sin(θ₀/2)] max (π−t) sin t / κ(α+θ₀) over α ≤ t ≤ α+2θ₀, κ(t) = sin t + (π−t) cos t.
    """
    w = weights_of(instance)
    reach = share_of_K * w.K_l * w.dw_k
    grown = 1 + reach if growth else 1.0
    return difference_at_most(w.star * (reach * instance.strength + grown * instance.shift), w, instance)


with_fan_outs.excludes("a bias", replace(MOVED, threshold=1.0), "isotropic input")
with_fan_outs.excludes("balls that meet the antipode", replace(MOVED, angle=3.1), "K_l exists")
with_fan_outs.includes("balls that nearly meet it", replace(MOVED, angle=3.0))
with_fan_outs.rejects_moved("1e-12 more where the bound is attained", STILL, by=1e-12)
with_fan_outs.rejects("the growth factor of the fan-out's part left out", GROWING, growth=False)
with_fan_outs.rejects("K_l at half its value", STEEP, share_of_K=0.5)


@without_fan_outs.drawn_by
@with_fan_outs.drawn_by
def difference_figure(verdict: Verdict) -> Figure:
    """‖Δq_jk‖ over both bounds as the fan-out moves, at a fixed small step of the fan-in: above 1 a bound fails."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    shifts = np.linspace(0, 0.5, 60)
    start = WeightedPair(theta0=0.05, near_k=1.0, bearing=math.pi)
    moving = [replace(start, shift=float(shift)) for shift in shifts]
    printed = [without_fan_outs(instance, Context()) for instance in moving]
    corrected = [with_fan_outs(instance, Context()) for instance in moving]
    axis.plot(shifts, [e.measured / e.predicted for e in printed], "C3-", label="(30) as printed")
    axis.plot(shifts, [e.measured / e.predicted for e in corrected], "C0-", label="with the fan-out's part")
    axis.axhline(1.0, color="0.4", linewidth=0.8)
    axis.set_xlabel("‖δv_k‖, at ‖δw_k‖ = 0.05")
    axis.set_ylabel("‖Δq_jk‖ / bound")
    axis.legend(frameon=False)
    return figure
