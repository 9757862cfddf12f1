"""Theorem 1: stationary for every batch means stationary at every sample, if the batches are rich enough."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st

from verify.judging import (
    SEARCH,
    SPECIALIZATION,
    Assumption,
    Context,
    Evidence,
    Instance,
    Item,
    OneOf,
    Source,
    fixed,
    integers,
)
from verify.judging.enclosing.enclosure import Margin
from verify.mathematics.families.batches import SCHEMES, batches, exchanges
from verify.mathematics.precise.null_space import null_space
from verify.specialization import REBUILT, VERSION

THEOREM1 = Item(
    "specialization.theorem1", Source(SPECIALIZATION, "Theorem 1", REBUILT, version=VERSION, section="4.1")
)


@dataclass(frozen=True)
class Batching(Instance):
    """``samples`` N, batch ``size`` B, and which batches training uses (one of ``SCHEMES``)."""

    samples: int = fixed(2, integers(1))
    size: int = fixed(1, integers(1))
    scheme: str = fixed("every subset", OneOf(SCHEMES))

    def impossible(self) -> str:
        return (
            "expected a batch of at most all samples, a divisor of them for one partition"
            if self.size > self.samples or (self.scheme == "one partition" and self.samples % self.size)
            else ""
        )

    def rows(self) -> list[list[int]]:
        """The batch-sum map: how often each sample occurs in each batch."""
        return batches(self.samples, self.size, self.scheme)


def batchings(*, rich: bool) -> st.SearchStrategy[Batching]:
    """Up to 8 samples; with ``rich`` only what Theorem 1 needs, otherwise every scheme and size."""

    def of_size(samples: int) -> st.SearchStrategy[Batching]:
        replaced = st.builds(
            Batching, st.just(samples), st.integers(1, min(samples, 4)), st.just("with replacement")
        )
        subset = st.builds(
            Batching, st.just(samples), st.integers(1, samples - 1 if rich else samples), st.just(SCHEMES[0])
        )
        divisors = [size for size in range(1, samples + 1) if samples % size == 0]
        partition = st.builds(Batching, st.just(samples), st.sampled_from(divisors), st.just("one partition"))
        return st.one_of(subset, replaced) if rich else st.one_of(subset, replaced, partition)

    return st.integers(2, 8).flatmap(of_size)


def exact_dimension(batching: Batching) -> Margin:
    """Minus the dimension: it is an integer, found in exact arithmetic."""
    return -int(kernel_dimension(batching).measured)


@THEOREM1.claim(
    "necessity",
    expected="needed",
    enclose=exact_dimension,
    on=Batching,
    draw=batchings(rich=False),
    cost=SEARCH,
    place="Definition 1 and Theorem 1",
    compares=("dimension of what sums to zero over every batch", "=", "zero"),
    telling=lambda batching: 1 < batching.size < batching.samples,
)
def any_batches_interpolate(batching: Batching, context: Context) -> Evidence:
    """Is "for any batch" needed: interpolation where only the batches of a run are stationary

    Ẇ_l = E_batch[f_{l−1} g_lᵀ] = 0 for every batch of the run  ⇒  f_{l−1}(x_i) g_l(x_i)ᵀ = 0 for every i

    The paper defines an SGD critical point by "any batch" and says that it is much stronger than one of gradient
    descent. Left out, the proof fails: it needs that only zero sums to zero over every batch. Full-batch gradient
    descent (B = N) leaves a kernel of dimension N − 1, a fixed partition one of N − N/B: gradients may cancel between
    samples.
    """
    return kernel_dimension(batching)


def kernel_dimension(batching: Batching) -> Evidence:
    """Dimension of the per-sample values whose sum vanishes over every batch used; the theorem needs 0."""
    # Where a few batches leave nothing, all of them leave nothing: then there is no need to list them all.
    few = exchanges(batching.samples, batching.size, batching.scheme)
    if few and not null_space(few):
        return Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
    dimension = len(null_space(batching.rows()))
    return Evidence.at_most(float(dimension), bound=0.0, tolerance=0.0)


@any_batches_interpolate.confirmed_precisely(digits=0)
def cancelling_values(batching: Batching) -> Evidence:
    """How many explicit independent assignments every batch sums to zero: 1 at a part's first sample, -1 at another.

    A full batch is one part of N samples, with N - 1 of them; a partition has B - 1 in each of its parts.
    """
    rows, found = batching.rows(), 0
    for sample in range(batching.samples):
        first = sample - sample % batching.size
        values = [Fraction((at == first) - (at == sample)) for at in range(batching.samples)]
        sums = (sum(a * count for a, count in zip(values, row, strict=True)) for row in rows)
        found += sample != first and not any(sums)
    return Evidence.at_most(float(found), bound=0.0, tolerance=0.0)


any_batches_interpolate.accepts("every subset of 3 out of 6", Batching(6, 3))
any_batches_interpolate.rejects("one partition of 6 into pairs", Batching(6, 2, "one partition"))

any_batches_interpolate.errs(
    says=(
        'Section 4.1, Definition 1 and Theorem 1: stationary "for any batch" means stationary at every '
        "sample."
    ),
    true=(
        "Any batch must mean B < N with every subset, or sampling with replacement: a full batch leaves a"
        " kernel of dimension N − 1, a fixed partition one of N − N/B. Quantitatively ‖f_{l−1}(x_i)‖ "
        "‖g_l(x_i)‖ ≤ (2B − 1) max_batch ‖Ẇ_l‖."
    ),
    impact="substance",
    matters=(
        "The paper says that SGD is stronger than GD; it does not say how rich the batches of a run must "
        "be, and epochs over one fixed split are not enough."
    ),
)


def rich(batching: Batching) -> tuple[Assumption, ...]:
    """Batches from which a single sample can be told."""
    replaced = batching.scheme == "with replacement"
    smaller = batching.scheme == SCHEMES[0] and batching.size < batching.samples
    return (Assumption.that("every subset smaller than the whole, or with replacement", replaced or smaller),)


@THEOREM1.claim(
    "corrected",
    expected="holds",
    enclose=exact_dimension,
    on=Batching,
    assume=rich,
    draw=batchings(rich=True),
    examples=(Batching(5, 1), Batching(5, 2), Batching(5, 4), Batching(6, 3)),
    cost=SEARCH,
    note="condition on the batches added",
    compares=("dimension of what sums to zero over every batch", "=", "zero"),
)
def rich_batches_interpolate(batching: Batching, context: Context) -> Evidence:
    """Interpolation at SGD critical points, batches rich enough

    every B-subset occurs and B < N, or sampling is with replacement:
    Ẇ_l = 0 for every batch  ⇒  f_{l−1}(x_i) = 0 or g_l(x_i) = 0, for every i and l

    The kernel of the batch-sum map is computed in exact arithmetic. With biases f_{l−1} carries a 1 and is
    never 0, so g_l(x_i) = 0.
    """
    return kernel_dimension(batching)


rich_batches_interpolate.rejects("the full batch of 5", Batching(5, 5))
rich_batches_interpolate.rejects("one partition of 6 into pairs", Batching(6, 2, "one partition"))
rich_batches_interpolate.excludes(
    "all five", Batching(5, 5), "every subset smaller than the whole, or with replacement"
)
rich_batches_interpolate.excludes(
    "a partition", Batching(6, 2, "one partition"), "every subset smaller than the whole, or with replacement"
)
rich_batches_interpolate.includes("four of five", Batching(5, 4))
