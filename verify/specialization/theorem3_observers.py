"""What Theorem 3's observers are for: without them g_1 = 0 says little; and they may not exist."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.geometry.boundaries import Box, observation, visibility
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork, sample_gradients
from verify.judging import (
    FLOW,
    SEARCH,
    Assumption,
    Budget,
    Context,
    Evidence,
    Instance,
    OneOf,
    drawn,
    integers,
)
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, NetworkPair, relu_pairs
from verify.mathematics.kinks.exact_critical_points import UNCONFIRMED
from verify.mathematics.kinks.nearly_attained import just_below
from verify.specialization.theorem3 import (
    LONE,
    OPPOSED,
    THEOREM3,
    fan_outs_cancel,
    observed_student,
    observers_are_pulled,
)

SAMPLES = 400


@dataclass(frozen=True)
class Ramp(Instance):
    """On (-1, 1): teacher sigma(x + s) with fan-out v, one student sigma(x) with fan-out v, output bias v s.

    ``s = shift / 8``, ``v = fan_out / 4`` (a zero fan-out is a teacher that is not there). ``second`` adds a student
    that is active everywhere, sees the first one's boundary, and has the fan-out v.
    """

    shift: int = drawn(1, st.integers(1, 7), integers(0, 7))
    fan_out: int = drawn(1, st.integers(-8, 8), integers(-64, 64))
    second: bool = drawn(False, st.booleans(), OneOf((False, True)))

    def networks(self) -> NetworkPair:
        """The region and the two networks."""
        s, v = self.shift / 8, self.fan_out / 4
        teacher = TwoLayerNetwork(np.ones((1, 1)), np.array([s]), np.array([[v]]), np.zeros(1))
        student = TwoLayerNetwork(np.ones((1, 1)), np.zeros(1), np.array([[v]]), np.array([v * s]))
        if self.second:
            W, b = np.array([[1.0, 0.5]]), np.array([0.0, 1.0])
            student = TwoLayerNetwork(W, b, np.array([[v], [v]]), student.c)
        return NetworkPair(Box.cube(1), teacher, student)


def first_layer_critical(ramp: Ramp) -> tuple[Assumption, ...]:
    """g_1 = 0 at points of the region that include the boundaries; the student is unaligned with a visible boundary."""
    networks = ramp.networks()
    x = np.linspace(-1, 1, SAMPLES + 2)[1:-1, None]
    gradient = float(np.abs(sample_gradients(networks.student, networks.teacher, x).nodes).max())
    visible = float(visibility(networks.region, networks.student.augmented).min(initial=1.0))
    return (
        Assumption.below("|g_1| on the region", gradient, 1e-12),
        Assumption.above("student's boundary visible: reach", visible, 0),
        Assumption.above("student not aligned: shift", ramp.shift, 0),
    )


@THEOREM3.claim(
    "necessity",
    part="observers",
    expected="needed",
    on=Ramp,
    assume=first_layer_critical,
    cost=SEARCH.at_quick(40),
    place="Theorem 3, its independent observers left out",
    compares=("fan-out of an unaligned student", "=", "zero"),
    telling=lambda ramp: 2 <= ramp.shift <= 6 and abs(ramp.fan_out) >= 4,
)
def no_fan_out_without_observers(ramp: Ramp, context: Context) -> Evidence:
    """Are the observers needed: Theorem 3 from g_1 = 0 alone

    g_1(x) = 0 on the region, student k not aligned with any teacher and alone on its line  ⇒  v_k = 0

    R = (−1, 1), teacher σ(x+½), student σ(x), output bias ½: g_1 is 0 wherever the student is active, its fan-out
    is 1 and the residual goes up to ½. The printed theorem asks for C observers,
    or the top layer has to be critical too (the sharp form).
    """
    networks = ramp.networks()
    student = networks.student
    x = networks.region.sample(SAMPLES, context.rng())
    seen = observation(networks.region, student.augmented, student.augmented[:, :1])[:, 0] > 0
    return Evidence.at_most(
        float(student.strengths[0]),
        bound=0.0,
        tolerance=0.0,
        observers=int(seen.sum()),
        largest_residual=float(np.abs(networks.residual(x)).max()),
    )


@no_fan_out_without_observers.confirmed_precisely(digits=0)
def residual_in_fractions(ramp: Ramp) -> Evidence:
    """In fractions: on 0 < x < 1, the student's active part, r = v (x + s) - v x - v s is affine and 0 at both ends."""
    s, v = Fraction(ramp.shift, 8), Fraction(ramp.fan_out, 4)
    if ramp.second:
        return UNCONFIRMED
    residuals = [
        v * max(x + s, Fraction(0)) - v * max(x, Fraction(0)) - v * s for x in (Fraction(0), Fraction(1))
    ]
    critical = all(v * residual == 0 for residual in residuals) and s > 0
    return Evidence.at_most(float(abs(v)) if critical else 0.0, bound=0.0, tolerance=0.0)


no_fan_out_without_observers.accepts("an idle student, at a teacher of no strength", Ramp(fan_out=0))
no_fan_out_without_observers.rejects("shift 1/2, fan-out 1", Ramp(4, 4))
no_fan_out_without_observers.excludes(
    "an observer of fan-out 1", Ramp(4, 4, second=True), "|g_1| on the region"
)
no_fan_out_without_observers.excludes("a student on its teacher", Ramp(0, 4), "student not aligned")
no_fan_out_without_observers.includes("no observer", Ramp(4, 4))
no_fan_out_without_observers.excludes(
    "a boundary beyond the region", Ramp(6, 0, second=True), "student's boundary visible"
)

no_fan_out_without_observers.errs(
    says="Section 4.3, Theorem 3 asks for C observers with independent fan-outs.",
    true=(
        "The observers are indispensable without a trained output bias (g_1 = 0 with fan-out 1 and "
        "residual up to ½), redundant with one, and impossible to have in the number asked for when C > n"
        " − 1 (C = 50: up to n = 50)."
    ),
    impact="substance",
    matters=(
        "At the sizes of section 6, ten teacher nodes and 50 outputs, the condition cannot be met by students of one,"
        " two or five times as many nodes, only by those of ten times; with a trained output bias Theorem 1 gives the"
        " conclusion without it."
    ),
)


def pairs_of_the_experiments(budget: Budget) -> st.SearchStrategy[ArbitraryPair]:
    """ReLU networks with the 50 outputs of section 6 and 10 students."""
    return relu_pairs(budget).map(lambda pair: replace(pair, outputs=50, students=10))


@THEOREM3.claim(
    "corrected",
    part="many_outputs",
    expected="vacuous",
    on=ArbitraryPair,
    draw=pairs_of_the_experiments,
    assume=observed_student,
    cost=FLOW.at_quick(20),
    place="Theorem 3",
    note="the rank condition at the sizes of section 6",
    compares=("largest gradient of an observer", "≥", "η s_min(Q) ‖κ‖ / (4√q)"),
)
def observers_of_many_outputs(pair: ArbitraryPair, context: Context) -> Evidence:
    """Theorem 3 with more outputs than other students

    n = 10 students, C = 50 outputs: C observers with independent fan-outs  ⇒  κ_k = 0

    Fewer than C other students cannot have fan-outs of rank C: with the experiments' 50 outputs and 10 students the
    condition is never met. The sharp form of Theorem 3 needs no observers.
    """
    return observers_are_pulled(pair, context)


observers_of_many_outputs.rejects_variant(
    "an antiparallel pair, positive multiples only", fan_outs_cancel, OPPOSED
)
observers_of_many_outputs.rejects_variant(
    "few outputs, gradients 1e-11 below the bound", just_below(observers_are_pulled), LONE, share=1e-11
)
observers_of_many_outputs.excludes(
    "50 outputs and 10 students", replace(LONE, outputs=50, students=10), "an unaligned student"
)
observers_of_many_outputs.includes("two outputs and five students", LONE)
