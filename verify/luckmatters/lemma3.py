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
    Verdict,
)
from verify.mathematics.families.near_pairs import NearPair, columns, near_pairs
from verify.mathematics.first_moment_constants import STEEPEST, lipschitz_l_isotropic
from verify.mathematics.precise.first_moment import difference, length, psi_l
from verify.mathematics.precise.kernels import DIGITS

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""Relative rounding of a kernel and of the few products around it."""


@dataclass(frozen=True)
class WeightedPair(NearPair):
    """A pair under isotropic input with the fan-outs of teacher k and student k.

    ``v*_k = (strength, 0)`` and ``v_k = v*_k + shift (cos bearing, sin bearing)``: two outputs hold every relative
    position of two fan-outs.
    """

    strength: float = 1.0
    shift: float = 1.0
    bearing: float = 0.0

    def fan_outs(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """``v*_k`` and ``dv_k``."""
        return (self.strength, 0.0), (
            self.shift * math.cos(self.bearing),
            self.shift * math.sin(self.bearing),
        )


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


def assumptions(instance: WeightedPair) -> Sequence[Assumption]:
    """The balls stay clear of antiparallel vectors, where no K_l exists."""
    return (Assumption("K_l exists: α_max + θ₀ < π", math.pi - instance.angle - instance.theta0),)


def printed_difference(instance: WeightedPair, context: Context) -> Evidence:
    """(30): no fan-out on the right-hand side."""
    w = weights_of(instance)
    bound = (1 + w.K_l) * w.star * w.dw_k
    return _at_most(instance, w, bound)


def corrected_difference(instance: WeightedPair, context: Context) -> Evidence:
    """The part of the fan-out restored."""
    w = weights_of(instance)
    reach = w.K_l * w.dw_k
    return _at_most(instance, w, w.star * (reach * instance.strength + (1 + reach) * instance.shift))


def _at_most(instance: WeightedPair, w: Weights, bound: float) -> Evidence:
    tolerance = ROUNDING * w.star * (instance.strength + instance.shift)
    return Evidence.at_most(
        w.delta_q, bound=bound, tolerance=tolerance, K_l=w.K_l, dw_k=w.dw_k, dv_k=instance.shift
    )


def confirm_difference(instance: WeightedPair) -> Evidence:
    """(30) in mpmath, with own kernels and the closed-form K_l once more."""
    with mp.workdps(DIGITS):
        (_, teacher_k), (student_j, student_k) = columns(instance, mp.mp)
        star, own = (psi_l(student_j, k, biased=False) for k in (teacher_k, student_k))
        fan_out, moved = (mp.matrix([mp.mpf(x) for x in v]) for v in instance.fan_outs())
        delta_q = length(fan_out * star - (fan_out + moved) * own)
        dw_k = length(difference(student_k, teacher_k))
        bound = (1 + precise_K_l(instance)) * star * dw_k
        return Evidence(predicted=float(bound), measured=float(delta_q), margin=float(bound - delta_q))


def precise_K_l(pair: NearPair) -> mp.mpf:
    """The closed-form K_l in the working precision of mpmath."""
    alpha, theta0 = mp.mpf(pair.angle), mp.mpf(pair.theta0)
    furthest = alpha + theta0
    steepest = min(max(mp.mpf(STEEPEST), alpha), min(furthest + theta0, mp.pi))
    kappa = mp.sin(furthest) + (mp.pi - furthest) * mp.cos(furthest)
    return theta0 / 2 / mp.sin(theta0 / 2) * (mp.pi - steepest) * mp.sin(steepest) / kappa


def weighted_pairs(budget: Budget) -> st.SearchStrategy[WeightedPair]:
    """Pairs under isotropic input with fan-outs up to ten and shifts up to three times a unit."""
    sizes = {
        "strength": st.floats(0.01, 10),
        "shift": st.floats(0, 3),
        "bearing": st.floats(-math.pi, math.pi),
    }
    return near_pairs(WeightedPair, **sizes)


def difference_figure(verdict: Verdict) -> Figure:
    """``||Delta q_jk||`` over both bounds as the fan-out moves, at a fixed small step of the fan-in."""
    figure, axis = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    shifts = np.linspace(0, 0.5, 60)
    start = WeightedPair(theta0=0.05, near_k=1.0, bearing=math.pi)
    for name, bound, style in (
        ("(30) as printed", printed_difference, "C3-"),
        ("with the fan-out's part", corrected_difference, "C0-"),
    ):
        ratio = [
            (e := bound(replace(start, shift=float(s)), Context())).measured / e.predicted for s in shifts
        ]
        axis.plot(shifts, ratio, style, label=name)
    axis.axhline(1.0, color="0.4", linewidth=0.8)
    axis.set_xlabel("‖δv_k‖, at ‖δw_k‖ = 0.05")
    axis.set_ylabel("‖Δq_jk‖ / bound")
    axis.legend(frameon=False)
    return figure


STILL = WeightedPair()
"""Both fan-ins of node k agree, its fan-out does not."""
MOVED = WeightedPair(near_k=1.0, strength=1.0, shift=0.0)
STRONG = WeightedPair(angle=2.0, near_k=1.0, turn_k=math.pi, strength=10.0, shift=0.0)
GROWING = WeightedPair(theta0=0.2, angle=2.5, near_k=1.0, strength=0.01, shift=3.0, bearing=0.0)
STEEP = WeightedPair(theta0=0.01, angle=2.5, near_k=1.0, shift=0.0)
SOURCE = Source(LUCK_MATTERS, "Lemma 3, Eqns 29-30")

PRINTED = Statement(
    key="luckmatters.lemma3.difference",
    form=Form.PRINTED,
    title="Lemma 3: the difference of weighted fan-outs",
    claim="‖Δq_jk‖ ≤ (1 + K_l) l*_jk ‖δw_k‖,  Δq_jk = v*_k l*_jk − v_k l_jk",
    source=SOURCE,
    expected=Outcome.REFUTED,
    instance_type=WeightedPair,
    assumptions=assumptions,
    evidence=printed_difference,
    instances=weighted_pairs,
    examples=(STILL,),
    confirm=confirm_difference,
    controls=(
        Control(
            "a unit fan-out that does not move (δv_k = 0)",
            lambda c: printed_difference(MOVED, c),
            must_hold=True,
        ),
        Control("a fan-out of norm 10 that does not move", lambda c: printed_difference(STRONG, c)),
    ),
    figure=difference_figure,
    remark=(
        "Erratum. The proof is said to be that of Lemma 2, but there the vectors of the sum are the unit "
        "fan-ins themselves; here they are fan-outs, which move on their own and have any norm. With δw_k "
        "= 0 and δv_k ≠ 0 the right-hand side is zero and the left is l_jk ‖δv_k‖. Also with δv_k = 0 the "
        "bound fails where ‖v*_k‖ is large."
    ),
)


CORRECTED = replace(
    PRINTED,
    form=Form.CORRECTED,
    claim="‖Δq_jk‖ ≤ l*_jk (K_l ‖δw_k‖ ‖v*_k‖ + (1 + K_l ‖δw_k‖) ‖δv_k‖)",
    expected=Outcome.HOLDS,
    evidence=corrected_difference,
    examples=(STILL, MOVED, STRONG),
    confirm=None,
    controls=(
        Control(
            "the growth factor of the fan-out's part left out",
            lambda c: _without_growth(GROWING),
        ),
        Control("K_l at half its value", lambda c: _with_half_K(STEEP)),
    ),
    remark=(
        "With a closed-form K_l for isotropic input on the balls: "
        "K_l = [(θ₀/2)/sin(θ₀/2)] max (π−t) sin t / κ(α+θ₀) over α ≤ t ≤ α+2θ₀, κ(t) = sin t + (π−t) cos t."
    ),
)


def _without_growth(instance: WeightedPair) -> Evidence:
    w = weights_of(instance)
    return _at_most(instance, w, w.star * (w.K_l * w.dw_k * instance.strength + instance.shift))


def _with_half_K(instance: WeightedPair) -> Evidence:
    w = weights_of(instance)
    return _at_most(instance, w, w.star * w.K_l / 2 * w.dw_k * instance.strength)
