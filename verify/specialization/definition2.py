"""Definition 2: who observes whom; the count of samples that stands in for it, and where it does."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import observation
from verify.judging import (
    ALGEBRA,
    SEARCH,
    SEED,
    SPECIALIZATION,
    Assumption,
    Budget,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    drawn,
    integers,
)
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, relu_pairs
from verify.specialization import VERSION

DEFINITION2 = Item(
    "specialization.definition2",
    Source(
        SPECIALIZATION,
        "Definition 2",
        "the count is the authors' published code",
        version=VERSION,
        section="4.2",
    ),
)
SAMPLES = 500


def sampled_observation(observer: Array, node: Array) -> int:
    """Among the samples at which the observer is active, the smaller number on either side of the node's boundary.

    Pre-activations (N,) each; positive where the sample count calls the node observed.
    Source: the authors' code, ``compute_boundary_obs``.
    """
    t = node[observer > 0]
    return int(min((t > 0).sum(), (t <= 0).sum()))


@dataclass(frozen=True)
class Clusters(Instance):
    """The region ``gap / 8 < |x_1| < 1`` of (-1, 1)^d (for ``gap > 0`` two boxes) and the node with boundary x_1 = 0.

    The observer is active everywhere.
    """

    d: int = drawn(1, st.integers(1, 4), integers(1))
    gap: int = drawn(1, st.integers(0, 7), integers(0, 7), note="eighths of the half-width")
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def sample(self, size: int) -> Array:
        """``size`` points (size, d) of both clusters, uniform but for the gap in the first coordinate."""
        rng = np.random.default_rng(self.seed)
        x = rng.uniform(-1, 1, (size, self.d))
        low = self.gap / 8
        x[:, 0] = rng.choice([-1.0, 1.0], size) * (low + (1 - low) * rng.uniform(0.001, 1, size))
        return x


@DEFINITION2.claim(
    "necessity",
    expected="needed",
    on=Clusters,
    cost=SEARCH.at_quick(40),
    compares=("samples on the smaller side of the boundary", "≤", "0 where the boundary misses the region"),
    telling=lambda clusters: clusters.d >= 2 and 2 <= clusters.gap <= 6,
)
def counted_is_observed(clusters: Clusters, context: Context) -> Evidence:
    """Must the region be convex: observers counted on samples of any region

    student k is active at samples on both sides of ∂E_j  ⇒  R ∩ E_k ∩ ∂E_j ≠ ∅

    The count is the authors' code; Definition 2 itself is a definition and says nothing of samples. The region may be
    disconnected (Fig. 2 allows it). Then samples lie on both sides of a boundary that does not
    meet the region; the theorems say nothing about such a node.
    """
    x = clusters.sample(SAMPLES)
    count = sampled_observation(np.ones(SAMPLES), x[:, 0])
    observed = clusters.gap == 0  # x_1 = 0 is outside as soon as there is a gap
    most = float(SAMPLES) if observed else 0.0
    nearest = float(np.abs(x[:, 0]).min())
    return Evidence.at_most(float(count), bound=most, tolerance=0.0, nearest_sample=nearest)


@counted_is_observed.confirmed_precisely(digits=0)
def both_sides_and_a_gap(clusters: Clusters) -> Evidence:
    """Exact: samples on both sides, none nearer to x_1 = 0 than the gap."""
    first = [Fraction(value) for value in clusters.sample(SAMPLES)[:, 0].tolist()]
    both = any(value > 0 for value in first) and any(value <= 0 for value in first)
    clear = clusters.gap > 0 and min(abs(value) for value in first) > Fraction(clusters.gap, 8)
    sides = [sum(value > 0 for value in first), sum(value <= 0 for value in first)]
    return Evidence.at_most(float(min(sides)), bound=0.0 if both and clear else float(SAMPLES), tolerance=0.0)


counted_is_observed.accepts("no gap", Clusters(gap=0))
counted_is_observed.rejects("two clusters", Clusters(gap=4))

counted_is_observed.errs(
    says=(
        "Section 4.2, Definition 2, as the authors' code counts it: samples on both sides of the boundary"
        " at which the observer is active."
    ),
    true=(
        "On a disconnected region (allowed by Fig. 2) the count reports observers across a gap, where the"
        " boundary does not meet the region; on a convex region the count is sound."
    ),
    impact="typographical",
    matters="Only the counts of observers in the code depend on it, no theorem.",
)


def some_pair_called(pair: ArbitraryPair) -> tuple[Assumption, ...]:
    """Something to judge: at least one pair of nodes that the samples call observed."""
    return (Assumption.that("some pair called observed", bool(sample_counts(pair).any())),)


def sample_counts(pair: ArbitraryPair) -> Array:
    """:func:`sampled_observation` of every (student, teacher), (n, m)."""
    networks = pair.networks()
    x = networks.region.sample(SAMPLES, np.random.default_rng((pair.seed, 9)))
    z, t = networks.student.pre_activations(x), networks.teacher.pre_activations(x)
    active = (z > 0).astype(np.float64)
    return np.minimum(active.T @ (t > 0), active.T @ (t <= 0))


def pairs(budget: Budget) -> st.SearchStrategy[ArbitraryPair]:
    """ReLU networks of two teachers or more."""
    return relu_pairs(budget, teachers=st.integers(1, 4).map(lambda count: max(count, 2)))


@DEFINITION2.claim(
    "corrected",
    expected="holds",
    on=ArbitraryPair,
    draw=pairs,
    assume=some_pair_called,
    examples=(ArbitraryPair(d=2, students=4),),
    cost=ALGEBRA.at_quick(150),
    compares=("smallest exact observation of a pair called observed", ">", "0"),
)
def counted_is_observed_if_convex(pair: ArbitraryPair, context: Context, *, floor: float = 0.0) -> Evidence:
    """Observers counted on samples, convex region

    R convex, student k active at samples on both sides of ∂E_j  ⇒  R ∩ E_k ∩ ∂E_j ≠ ∅

    R ∩ E_k is convex, and the segment between samples on either side crosses the boundary in it. The exact side is
    a linear programme, solved in closed form. The converse needs enough samples.
    """
    networks = pair.networks()
    exact = observation(networks.region, networks.student.augmented, networks.teacher.augmented)
    least = float(exact[sample_counts(pair) > 0].min())
    return Evidence(predicted=floor, measured=least, margin=least - floor)


counted_is_observed_if_convex.rejects(
    "a floor above every pre-activation", ArbitraryPair(d=2, students=4), floor=100.0
)
counted_is_observed_if_convex.excludes(
    "a student active on one side only", ArbitraryPair(seed=2), "some pair called observed"
)
counted_is_observed_if_convex.includes("a student active on both", ArbitraryPair())
counted_is_observed_if_convex.rejects_variant("two clusters", counted_is_observed, Clusters(gap=4))
