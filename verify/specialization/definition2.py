"""Definition 2: who observes whom; the count of samples that stands in for it, and where it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import observation
from verify.judging import Assumption, Budget, Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, arbitrary_pairs, draw_arbitrary
from verify.specialization.sources import CODE, source

KEY = "specialization.definition2"
SAMPLES = 500


def sampled_observation(observer: Array, node: Array) -> int:
    """Among the samples at which the observer is active, the smaller number on either side of the node's boundary.

    Pre-activations (N,) each; positive where the sample count calls the node observed.
    Source: the authors' code, ``compute_boundary_obs``.
    """
    t = node[observer > 0]
    return int(min((t > 0).sum(), (t <= 0).sum()))


@dataclass(frozen=True)
class Clusters:
    """The region ``gap / 8 < |x_1| < 1`` of (-1, 1)^d (for ``gap > 0`` two boxes) and the node with boundary x_1 = 0.

    The observer is active everywhere.
    """

    d: int = 1
    gap: int = 1
    seed: int = 0


def sample_clusters(instance: Clusters, size: int) -> Array:
    """``size`` points (size, d) of both clusters, uniform but for the gap in the first coordinate."""
    rng = np.random.default_rng(instance.seed)
    x = rng.uniform(-1, 1, (size, instance.d))
    low = instance.gap / 8
    x[:, 0] = rng.choice([-1.0, 1.0], size) * (low + (1 - low) * rng.uniform(0.001, 1, size))
    return x


def called_observed(instance: Clusters, context: Context) -> Evidence:
    """The sample count, where it is positive, against whether the boundary x_1 = 0 meets the region at all."""
    x = sample_clusters(instance, SAMPLES)
    count = sampled_observation(np.ones(SAMPLES), x[:, 0])
    observed = instance.gap == 0  # x_1 = 0 is outside as soon as there is a gap
    nearest = float(np.abs(x[:, 0]).min())
    return Evidence(
        predicted=0.0,
        measured=float(count),
        margin=float(observed or count == 0) - 0.5,
        details={"nearest sample": nearest},
    )


def confirm_clusters(instance: Clusters) -> Evidence:
    """Exact: samples on both sides, none nearer to x_1 = 0 than the gap."""
    first = [Fraction(value) for value in sample_clusters(instance, SAMPLES)[:, 0].tolist()]
    both = any(value > 0 for value in first) and any(value <= 0 for value in first)
    clear = instance.gap > 0 and min(abs(value) for value in first) > Fraction(instance.gap, 8)
    return Evidence(predicted=0.0, measured=float(both), margin=-0.5 if both and clear else 0.5)


PRINTED = Statement(
    key=KEY,
    form=Form.PRINTED,
    title="Observers counted on samples, any region",
    claim="student k is active at samples on both sides of ∂E_j  ⇒  R ∩ E_k ∩ ∂E_j ≠ ∅",
    source=source("Definition 2", CODE),
    expected=Outcome.REFUTED,
    instance_type=Clusters,
    instances=lambda budget: st.builds(Clusters, st.integers(1, 4), st.integers(0, 7), st.integers(0, 2**16)),
    evidence=called_observed,
    confirm=confirm_clusters,
    controls=(
        Control("no gap", lambda c: called_observed(Clusters(gap=0), c), must_hold=True),
        Control("two clusters", lambda c: called_observed(Clusters(gap=4), c)),
    ),
    cost=Cost(40, 100, 200),
    remark="The region may be disconnected (the paper allows it). Then samples lie on both sides of a "
    "boundary that does not "
    "meet the region; the theorems say nothing about such a node.",
)


def some_pair_called(instance: ArbitraryPair) -> tuple[Assumption, ...]:
    """Something to judge: at least one pair of nodes that the samples call observed."""
    return (Assumption("some pair called observed", float(_calls(instance).max())),)


def _calls(instance: ArbitraryPair) -> Array:
    """Sample counts of every (student, teacher), (n, m)."""
    drawn = draw_arbitrary(instance)
    x = drawn.region.sample(SAMPLES, np.random.default_rng((instance.seed, 9)))
    z, t = drawn.student.pre_activations(x), drawn.teacher.pre_activations(x)
    active = (z > 0).astype(np.float64)
    return np.minimum(active.T @ (t > 0), active.T @ (t <= 0))


def agrees_on_boxes(instance: ArbitraryPair, context: Context, floor: float = 0.0) -> Evidence:
    """Where the count is positive, the exact largest pre-activation on the boundary must be > ``floor``."""
    drawn = draw_arbitrary(instance)
    exact = observation(drawn.region, drawn.student.augmented, drawn.teacher.augmented)
    called = _calls(instance) > 0
    least = float(exact[called].min())
    return Evidence(predicted=floor, measured=least, margin=least - floor)


CORRECTED = Statement(
    key=KEY,
    form=Form.CORRECTED,
    title="Observers counted on samples, convex region",
    claim="R convex, student k active at samples on both sides of ∂E_j  ⇒  R ∩ E_k ∩ ∂E_j ≠ ∅",
    source=source("Definition 2", CODE),
    expected=Outcome.HOLDS,
    instance_type=ArbitraryPair,
    instances=lambda budget: boxes(budget),
    assumptions=some_pair_called,
    evidence=agrees_on_boxes,
    controls=(
        Control(
            "a floor above every pre-activation",
            lambda c: agrees_on_boxes(ArbitraryPair(d=2, students=4), c, floor=100.0),
        ),
        Control("two clusters", lambda c: called_observed(Clusters(gap=4), c)),
    ),
    examples=(ArbitraryPair(d=2, students=4),),
    cost=Cost(150, 1000, 10_000),
    remark="R ∩ E_k is convex, and the segment between samples on either side crosses the boundary in it. "
    "The exact side is "
    "a linear programme, solved in closed form. The converse needs enough samples.",
)


def boxes(budget: Budget) -> st.SearchStrategy[ArbitraryPair]:
    """ReLU networks of two teachers or more on a cube."""
    return arbitrary_pairs(budget, leaky=False).map(
        lambda pair: replace(pair, teachers=max(pair.teachers, 2))
    )
