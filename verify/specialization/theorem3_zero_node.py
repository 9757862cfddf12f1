"""Theorem 3 and nodes without a weight, which have no boundary."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.geometry.boundaries import Box, observation
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork, sample_gradients
from verify.judging import SEARCH, Assumption, Context, Evidence, Instance, drawn, integers
from verify.mathematics.families.two_layer_pairs import NetworkPair
from verify.specialization.theorem3 import THEOREM3

PLACE = "Theorem 3 with the boundary of section 4.2"


@dataclass(frozen=True)
class PureBias(Instance):
    """On (-1, 1)^d: teacher and student share one node; the student has another, ``w e_1^T x + b`` with fan-out v.

    ``w, b`` in quarters; where w = 0 and b > 0 the output bias takes the constant back.
    """

    d: int = drawn(1, st.integers(1, 3), integers(1))
    w: int = drawn(0, st.integers(0, 4), integers(0, 4))
    b: int = drawn(0, st.integers(-3, 3), integers(-3, 3))
    v: int = drawn(1, st.integers(-4, 4), integers(-64, 64))

    def networks(self) -> NetworkPair:
        """The teacher, and a student with one node of weight ``w e_1`` and bias ``b`` beside the teacher's own."""
        first = np.eye(self.d)[:, :1]
        teacher = TwoLayerNetwork(first, np.array([0.5]), np.ones((1, 1)), np.zeros(1))
        W = np.concatenate([first, self.w / 4 * first], axis=1)
        b = self.b / 4
        constant = -self.v * max(b, 0.0) if self.w == 0 else 0.0
        fan_outs = np.array([[1.0], [float(self.v)]])
        student = TwoLayerNetwork(W, np.array([0.5, b]), fan_outs, np.array([constant]))
        return NetworkPair(Box.cube(self.d), teacher, student)


def critical_and_observed(node: PureBias) -> tuple[Assumption, ...]:
    """Every gradient zero; the second node unaligned; its boundary w^T x + b = 0 meets the active first node."""
    networks = node.networks()
    columns = networks.student.augmented
    x = networks.region.sample(50, np.random.default_rng(0))
    gradient = sample_gradients(networks.student, networks.teacher, x).largest
    everywhere = node.w == 0 and node.b == 0  # the set w^T x + b = 0 is the whole space
    seen = 1.0 if everywhere else float(observation(networks.region, columns[:, :1], columns[:, 1:])[0, 0])
    distinct = node.w == 0 or node.w * 0.5 != node.b
    return (
        Assumption.below("every per-sample gradient", gradient, 1e-12),
        Assumption.that("second node not a multiple of the first", distinct),
        Assumption.above("first node observes the second: value", seen, 0),
    )


@THEOREM3.claim(
    "necessity",
    part="zero_node",
    expected="needed",
    on=PureBias,
    assume=critical_and_observed,
    examples=(PureBias(),),  # one of 35 draws or so: not left to chance
    cost=SEARCH,
    place=PLACE,
    compares=("fan-out of an unaligned student", "=", "zero"),
)
def lone_node_is_idle(node: PureBias, context: Context) -> Evidence:
    """Does a student need a weight: Theorem 3 with a node whose weights are all zero

    student k unaligned, alone on its line, {w_kᵀx + b_k = 0} met by an active observer  ⇒  v_k = 0

    For w = 0, b = 0 the set {w^T x + b = 0} is the whole space, so everything observes it, and its fan-out is
    arbitrary. The paper normalises the teachers and takes it for granted that a student has a boundary: w_k ≠ 0. Every
    instance with a weight and v_k ≠ 0 has a gradient, so nothing is claimed of it.
    """
    return Evidence.at_most(float(abs(node.v)), bound=0.0, tolerance=0.0)


@lone_node_is_idle.confirmed_precisely(digits=0)
def silent_everywhere(node: PureBias) -> Evidence:
    """A node that is 0 everywhere changes no output, and 0 = 0 on its boundary at every point."""
    silent = node.w == 0 and node.b == 0
    return Evidence.at_most(float(abs(Fraction(node.v))) if silent else 0.0, bound=0.0, tolerance=0.0)


lone_node_is_idle.accepts("fan-out 0", PureBias(v=0))
lone_node_is_idle.accepts("a weight and no fan-out", PureBias(w=4, b=1, v=0))
lone_node_is_idle.rejects("fan-out 1", PureBias())
lone_node_is_idle.excludes("a weight and a fan-out", PureBias(w=4, b=1, v=1), "every per-sample gradient")
lone_node_is_idle.includes("a weight and no fan-out, inside", PureBias(w=4, b=1, v=0))
lone_node_is_idle.excludes("a multiple", PureBias(w=4, b=2, v=2), "second node not a multiple of the first")
lone_node_is_idle.excludes(
    "an observer out of sight", PureBias(w=3, b=2, v=0), "first node observes the second"
)

lone_node_is_idle.errs(
    says="Section 4.2 gives every node the boundary {wᵀx + b = 0}.",
    true=(
        "For w = 0, b = 0 that set is the whole space, everything observes it, and its fan-out is "
        "arbitrary. Nodes without a weight have no boundary and must be left out."
    ),
    impact="typographical",
    matters="Nothing depends on it: trained nodes have weights.",
)
