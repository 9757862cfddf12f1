"""What Theorem 3's observers are for: without them g_1 = 0 says little; and they may not exist."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.geometry.boundaries import Box, observation, visibility
from dynamics.two_layer.relu_network import TwoLayerNetwork, sample_gradients
from verify.judging import Assumption, Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, Splitting, arbitrary_pairs
from verify.specialization.sources import source
from verify.specialization.theorem3 import observed_assumptions, prunable, sums_along_lines

POINTS = 400


@dataclass(frozen=True)
class Ramp:
    """On (-1, 1): teacher sigma(x + s) with fan-out v, one student sigma(x) with fan-out v, output bias v s.

    ``s = shift / 8``, ``v = fan_out / 4`` (a zero fan-out is a teacher that is not there). ``second`` adds a student
    that is active everywhere, sees the first one's boundary, and has the fan-out v.
    """

    shift: int = 1
    fan_out: int = 1
    second: bool = False


def networks(instance: Ramp) -> tuple[Box, TwoLayerNetwork, TwoLayerNetwork]:
    """Region, teacher and student of a ramp."""
    s, v = instance.shift / 8, instance.fan_out / 4
    teacher = TwoLayerNetwork(np.ones((1, 1)), np.array([s]), np.array([[v]]), np.zeros(1))
    student = TwoLayerNetwork(np.ones((1, 1)), np.zeros(1), np.array([[v]]), np.array([v * s]))
    if instance.second:
        student = TwoLayerNetwork(
            np.array([[1.0, 0.5]]), np.array([0.0, 1.0]), np.array([[v], [v]]), student.c
        )
    return Box.cube(1), teacher, student


def first_layer_critical(instance: Ramp) -> tuple[Assumption, ...]:
    """g_1 = 0 at points of the region that include the boundaries; the student is unaligned with a visible boundary."""
    region, teacher, student = networks(instance)
    x = np.linspace(-1, 1, POINTS + 2)[1:-1, None]
    gradient = float(np.abs(sample_gradients(student, teacher, x).nodes).max())
    return (
        Assumption("g_1 = 0 on the region", 1e-12 - gradient),
        Assumption(
            "student's boundary visible", float(visibility(region, student.augmented).min(initial=1.0))
        ),
        Assumption("student not aligned", float(instance.shift)),
    )


def fan_out_left(instance: Ramp, context: Context) -> Evidence:
    """The fan-out of the unaligned student, which Theorem 3 wants to be zero."""
    region, teacher, student = networks(instance)
    x = region.sample(POINTS, context.rng())
    seen = observation(region, student.augmented, student.augmented[:, :1])[:, 0] > 0
    residual = float(np.abs(teacher(x) - student(x)).max())
    return Evidence.at_most(
        float(student.strengths[0]),
        bound=0.0,
        tolerance=0.0,
        observers=int(seen.sum()),
        largest_residual=residual,
    )


def confirm_fan_out(instance: Ramp) -> Evidence:
    """In fractions: on 0 < x < 1, the student's active part, r = v (x + s) - v x - v s is affine and 0 at both ends."""
    s, v = Fraction(instance.shift, 8), Fraction(instance.fan_out, 4)
    if instance.second:
        return Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
    residuals = [
        v * max(x + s, Fraction(0)) - v * max(x, Fraction(0)) - v * s for x in (Fraction(0), Fraction(1))
    ]
    critical = all(v * residual == 0 for residual in residuals) and s > 0
    return Evidence.at_most(float(abs(v)) if critical else 0.0, bound=0.0, tolerance=0.0)


WITHOUT = Statement(
    key="specialization.theorem3.observers",
    form=Form.PRINTED,
    title="Theorem 3 from g_1 = 0 alone, without observers",
    claim="g_1(x) = 0 on the region, student k not aligned with any teacher and alone on its line  ⇒  v_k "
    "= 0",
    source=source("Theorem 3 without its observers"),
    expected=Outcome.REFUTED,
    instance_type=Ramp,
    instances=lambda budget: st.builds(
        Ramp, shift=st.integers(1, 7), fan_out=st.integers(-8, 8), second=st.booleans()
    ),
    assumptions=first_layer_critical,
    evidence=fan_out_left,
    confirm=confirm_fan_out,
    controls=(
        Control(
            "an idle student, at a teacher of no strength",
            lambda c: fan_out_left(Ramp(fan_out=0), c),
            must_hold=True,
        ),
        Control("shift 1/2, fan-out 1", lambda c: fan_out_left(Ramp(4, 4), c)),
    ),
    cost=Cost(40, 100, 200),
    remark="R = (−1, 1), teacher σ(x+½), student σ(x), output bias ½: g_1 is 0 wherever the student is "
    "active, its fan-out "
    "is 1 and the residual goes up to ½. The printed theorem asks for C observers, "
    "or the top layer has to be critical too (the sharp form).",
)


MANY_OUTPUTS = Statement(
    key="specialization.theorem3.many_outputs",
    form=Form.CORRECTED,
    title="Theorem 3 with more outputs than other students",
    claim="n = 10 students, C = 50 outputs: C observers with independent fan-outs  ⇒  κ_k = 0",
    source=source("Theorem 3", "the rank condition at the sizes of section 6"),
    expected=Outcome.VACUOUS,
    instance_type=ArbitraryPair,
    instances=lambda budget: arbitrary_pairs(budget, leaky=False).map(
        lambda pair: replace(pair, outputs=50, students=10)
    ),
    assumptions=observed_assumptions,
    evidence=prunable,
    controls=(
        Control(
            "an antiparallel pair, positive multiples only",
            lambda c: sums_along_lines(Splitting(2, 1, 2, opposed=1), c),
        ),
    ),
    cost=Cost(20, 50, 200),
    remark="Fewer than C other students cannot have fan-outs of rank C: with the experiments' 50 outputs "
    "and 10 students the "
    "condition is never met. The sharp form of Theorem 3 needs no observers.",
)


# Nodes without a weight


@dataclass(frozen=True)
class PureBias:
    """On (-1, 1)^d: teacher and student share one node; the student has another, ``w e_1^T x + b`` with fan-out v.

    ``w, b`` in quarters; where w = 0 and b > 0 the output bias takes the constant back.
    """

    d: int = 1
    w: int = 0
    b: int = 0
    v: int = 1


def with_pure_bias(instance: PureBias) -> tuple[Box, TwoLayerNetwork, TwoLayerNetwork]:
    """Region, teacher and a student with one node of weight ``w e_1`` and bias ``b`` beside the teacher's own."""
    first = np.eye(instance.d)[:, :1]
    teacher = TwoLayerNetwork(first, np.array([0.5]), np.ones((1, 1)), np.zeros(1))
    W = np.concatenate([first, instance.w / 4 * first], axis=1)
    b = instance.b / 4
    constant = -instance.v * max(b, 0.0) if instance.w == 0 else 0.0
    student = TwoLayerNetwork(
        W, np.array([0.5, b]), np.array([[1.0], [float(instance.v)]]), np.array([constant])
    )
    return Box.cube(instance.d), teacher, student


def lone_assumptions(instance: PureBias) -> tuple[Assumption, ...]:
    """Every gradient zero; the second node unaligned; its boundary ``w^T x + b = 0`` meets the active first node."""
    region, teacher, student = with_pure_bias(instance)
    x = region.sample(50, np.random.default_rng(0))
    gradient = sample_gradients(student, teacher, x).largest
    boundary_everywhere = instance.w == 0 and instance.b == 0
    seen = (
        1.0
        if boundary_everywhere
        else float(observation(region, student.augmented[:, :1], student.augmented[:, 1:])[0, 0])
    )
    return (
        Assumption("every per-sample gradient zero", 1e-12 - gradient),
        Assumption(
            "second node not a multiple of the first", abs(instance.w * 0.5 - instance.b) + (instance.w == 0)
        ),
        Assumption("first node observes the second", seen),
    )


def lone_fan_out(instance: PureBias, context: Context) -> Evidence:
    """The fan-out of the second node, alone on its line."""
    return Evidence.at_most(float(abs(instance.v)), bound=0.0, tolerance=0.0)


def confirm_lone(instance: PureBias) -> Evidence:
    """A node that is 0 everywhere changes no output, and 0 = 0 on its boundary at every point."""
    silent = instance.w == 0 and instance.b == 0
    return Evidence.at_most(float(abs(Fraction(instance.v))) if silent else 0.0, bound=0.0, tolerance=0.0)


def pure_biases(least_w: int) -> st.SearchStrategy[PureBias]:
    """Nodes of quarter weights and biases from ``least_w`` on."""
    return st.builds(
        PureBias, d=st.integers(1, 3), w=st.integers(least_w, 4), b=st.integers(-3, 3), v=st.integers(-4, 4)
    )


ZERO_NODE = Statement(
    key="specialization.theorem3.zero_node",
    form=Form.PRINTED,
    title="Theorem 3 with a node whose weights are all zero",
    claim="student k unaligned, alone on its line, {w_kᵀx + b_k = 0} met by an active observer  ⇒  v_k = 0",
    source=source("Theorem 3 with the boundary of section 4.2"),
    expected=Outcome.REFUTED,
    instance_type=PureBias,
    examples=(PureBias(),),  # one of 35 draws or so: not left to chance
    instances=lambda budget: pure_biases(0),
    assumptions=lone_assumptions,
    evidence=lone_fan_out,
    confirm=confirm_lone,
    controls=(
        Control("fan-out 0", lambda c: lone_fan_out(PureBias(v=0), c), must_hold=True),
        Control("fan-out 1", lambda c: lone_fan_out(PureBias(), c)),
    ),
    cost=Cost(60, 200, 500),
    remark="For w = 0, b = 0 the set {w^T x + b = 0} is the whole space, so everything observes it, and "
    "its fan-out is "
    "arbitrary. A node with w = 0 (a pure bias) has no boundary; exclude it, as the other forms here do.",
)

ZERO_NODE_CORRECTED = replace(
    ZERO_NODE,
    form=Form.CORRECTED,
    title="Theorem 3 with nodes that have a weight",
    claim="the same with w_k ≠ 0  ⇒  v_k = 0",
    expected=Outcome.HOLDS,
    instances=lambda budget: pure_biases(1),
    confirm=None,
    examples=(PureBias(w=4, b=1, v=0),),
    controls=(Control("fan-out 1 on a node without weights", lambda c: lone_fan_out(PureBias(), c)),),
    remark="Among the instances every one with v_k ≠ 0 has a gradient and drops out; what is left has v_k "
    "= 0.",
)
