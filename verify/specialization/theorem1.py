"""Theorem 1: stationary for every batch means stationary at every sample, if the batches are rich enough."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import torch

from nets.matrix_form.recursion import node_gradients
from verify.judging import (
    BUDGETS,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Statement,
)
from verify.luckmatters.theorem1 import instances as deep_pairs
from verify.mathematics.families.batches import SCHEMES, batches, kernel
from verify.mathematics.families.layered_pairs import DeepPair, draw, layered
from verify.specialization.sources import DERIVED, source

KEY = "specialization.theorem1"
EXAMPLES = Cost(60, 300, 2000)


@dataclass(frozen=True)
class Batching:
    """``samples`` N, batch ``size`` B, and which batches training uses (one of ``SCHEMES``)."""

    samples: int = 2
    size: int = 1
    scheme: str = "every subset"


def kernel_dimension(batching: Batching, context: Context) -> Evidence:
    """Dimension of the per-sample values whose sum vanishes over every batch used; the theorem needs 0."""
    found = len(kernel(batches(batching.samples, batching.size, batching.scheme)))
    return Evidence.at_most(float(found), bound=0.0, tolerance=0.0)


def confirm_kernel(batching: Batching) -> Evidence:
    """An explicit non-zero assignment that every batch sums to zero: the largest value, or 0 if there is none.

    Sample 0 against sample B - 1 of the same part; every batch of size N, and every part of a partition, has both.
    """
    values = [Fraction(0)] * batching.samples
    if batching.size > 1:
        values[0], values[batching.size - 1] = Fraction(1), Fraction(-1)
    rows = batches(batching.samples, batching.size, batching.scheme)
    vanishes = all(sum(a * count for a, count in zip(values, row, strict=True)) == 0 for row in rows)
    return Evidence.at_most(float(max(values)) if vanishes else 0.0, bound=0.0, tolerance=0.0)


def batchings(budget: Budget, rich: bool) -> st.SearchStrategy[Batching]:
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


PRINTED = Statement(
    key=KEY,
    form=Form.PRINTED,
    title="Interpolation at SGD critical points, for whatever batches are used",
    claim="Ẇ_l = E_batch[f_{l−1} g_lᵀ] = 0 for every batch of the run  ⇒  f_{l−1}(x_i) g_l(x_i)ᵀ = 0 for every i",
    source=source("Definition 1 and Theorem 1"),
    expected=Outcome.REFUTED,
    instance_type=Batching,
    instances=lambda budget: batchings(budget, rich=False),
    evidence=kernel_dimension,
    confirm=confirm_kernel,
    controls=(
        Control(
            "every subset of 3 out of 6",
            lambda context: kernel_dimension(Batching(6, 3), context),
            must_hold=True,
        ),
        Control(
            "one partition of 6 into pairs",
            lambda context: kernel_dimension(Batching(6, 2, "one partition"), context),
        ),
    ),
    cost=EXAMPLES,
    remark="The proof needs that only zero sums to zero over every batch. Full-batch gradient descent (B = N) leaves a "
    "kernel of dimension N − 1, a fixed partition one of N − N/B: gradients may cancel between samples.",
)

CORRECTED = Statement(
    key=KEY,
    form=Form.CORRECTED,
    title="Interpolation at SGD critical points, batches rich enough",
    claim="every B-subset occurs and B < N, or sampling is with replacement:\n"
    "Ẇ_l = 0 for every batch  ⇒  f_{l−1}(x_i) = 0 or g_l(x_i) = 0, for every i and l",
    source=source("Theorem 1", "condition on the batches added"),
    expected=Outcome.HOLDS,
    instance_type=Batching,
    instances=lambda budget: batchings(budget, rich=True),
    evidence=kernel_dimension,
    examples=(Batching(5, 1), Batching(5, 2), Batching(5, 4), Batching(6, 3)),
    controls=(
        Control("the full batch of 5", lambda context: kernel_dimension(Batching(5, 5), context)),
        Control(
            "one partition of 6 into pairs",
            lambda context: kernel_dimension(Batching(6, 2, "one partition"), context),
        ),
    ),
    cost=EXAMPLES,
    remark="The kernel of the batch-sum map is computed in exact arithmetic. With biases f_{l−1} carries a 1 and is "
    "never 0, so g_l(x_i) = 0.",
)


@dataclass(frozen=True)
class BatchedPair:
    """A deep pair without biases and the batch size; every batch of that size is formed."""

    inputs: int = 2
    hidden: tuple[tuple[int, int], ...] = ((2, 1),)
    outputs: int = 1
    samples: int = 3
    size: int = 1
    biased: bool = False
    seed: int = 0

    @property
    def pair(self) -> DeepPair:
        """Its networks without the batches."""
        return DeepPair(
            self.inputs, self.hidden, self.outputs, self.samples, biased=self.biased, seed=self.seed
        )


def rank_ones(batched: BatchedPair, context: Context) -> list[np.ndarray]:
    """``f_{l-1}(x_i) g_l(x_i)^T`` of every layer, (N, n_{l-1}, n_l)."""
    pair = batched.pair
    student, teacher, x = draw(pair, context.rng(batched.seed))
    ours, inputs = layered(pair, student, x)
    gradients = node_gradients(ours, layered(pair, teacher, x)[0], inputs)
    activations = ours.evaluate(inputs).activations
    return [
        torch.einsum("Ni,Nj->Nij", f, layer.gradient).numpy()
        for f, layer in zip(activations[:-1], gradients, strict=True)
    ]


def size_limit(batched: BatchedPair) -> tuple[Assumption, ...]:
    """The batch is not the whole data set."""
    return (Assumption("B < N", float(batched.samples - batched.size)),)


def per_sample_bound(batched: BatchedPair, context: Context, factor: float = 1.0) -> Evidence:
    """Every ``||f_{l-1}(x_i)|| ||g_l(x_i)||`` against ``(2B - 1)`` times the largest batch gradient, layer by layer."""
    rows = np.array(batches(batched.samples, batched.size, "every subset")) / batched.size
    worst = Evidence(predicted=0.0, measured=0.0, margin=np.inf)
    for summands in rank_ones(batched, context):
        flat = summands.reshape(len(summands), -1)
        size = float(np.linalg.norm(flat, axis=1).max())
        bound = factor * (2 * batched.size - 1) * float(np.linalg.norm(rows @ flat, axis=1).max())
        found = Evidence.at_most(size, bound=bound, tolerance=1e-12 * size)  # sums of at most 8 terms
        worst = min(worst, found, key=lambda e: e.margin / max(e.measured, 1e-300))
    return worst


def alternating(context: Context, factor: float) -> Evidence:
    """B = 2 and the scalar summands -4, 2, 2: batch means -1, -1, 2, and the bound is 6 times ``factor``."""
    rows = np.array(batches(3, 2, "every subset")) / 2
    values = np.array([-4.0, 2.0, 2.0])
    bound = factor * 3 * float(np.abs(rows @ values).max())
    return Evidence.at_most(float(np.abs(values).max()), bound=bound, tolerance=0.0)


def batched_pairs(budget: Budget) -> st.SearchStrategy[BatchedPair]:
    """Deep pairs on two to eight samples with every smaller batch size."""

    def batched(pair: DeepPair, samples: int, size: int) -> BatchedPair:
        return BatchedPair(
            pair.inputs, pair.hidden, pair.outputs, samples, min(size, samples - 1), pair.biased, pair.seed
        )

    return st.builds(
        batched,
        deep_pairs(BUDGETS["quick"], homogeneous=True),
        samples=st.integers(2, 8),
        size=st.integers(1, 7),
    )


SHARP = Statement(
    key=KEY,
    form=Form.SHARP,
    title="Small batch gradients mean small gradients at every sample",
    claim="‖f_{l−1}(x_i)‖ ‖g_l(x_i)‖ ≤ (2B−1) max_batch ‖Ẇ_l‖   (every B-subset, B < N)",
    source=source("Theorem 1", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=BatchedPair,
    instances=batched_pairs,
    assumptions=size_limit,
    evidence=per_sample_bound,
    examples=(BatchedPair(), BatchedPair(5, ((6, 4), (5, 3)), 2, 8, 4)),
    controls=(
        Control("(2B−1) × 0.6 on the summands −4, 2, 2", lambda context: alternating(context, 0.6)),
        Control("a third of the bound at B = 1, where it is attained", lambda context: _third(context)),
    ),
    cost=Cost(100, 500, 10_000),
    remark="Two batches that differ in one sample bound the difference of two summands by 2Bε; averaging over a batch "
    "gives (2B−1)ε. This is Theorem 1 with a constant: ε → 0 gives it back.",
)


def _third(context: Context) -> Evidence:
    return per_sample_bound(BatchedPair(5, ((6, 4), (5, 3)), 2, 8, 1), context, factor=1 / 3)


# The top layer: zero training loss


@dataclass(frozen=True)
class DeadStudent:
    """One teacher node on [-1, 1]; ``nodes`` students below or in reach of the inputs, without an output bias."""

    nodes: int = 1
    samples: int = 2
    depth_below: int = 1
    output_bias: bool = False


def zero_loss(instance: DeadStudent, context: Context) -> Evidence:
    """Largest residual where every gradient of the trained parameters vanishes; infinite margin where one does not.

    Students sigma(x - depth_below) are dead on [-1, 1] for depth_below >= 1, their fan-outs 1; the teacher is
    sigma(x + 1) with fan-out 2.
    """
    x = np.linspace(-1, 1, instance.samples)
    residual = 2 * np.maximum(x + 1, 0)
    z = np.tile(x[:, None] - instance.depth_below, (1, instance.nodes))
    residual = residual - np.maximum(z, 0).sum(axis=1)
    hidden = np.where(z > 0, residual[:, None], 0.0)
    gradients = [hidden, np.maximum(z, 0) * residual[:, None]]
    if instance.output_bias:
        gradients.append(residual[:, None])
    largest = max(float(np.abs(part).max(initial=0.0)) for part in gradients)
    if largest > 0:
        return Evidence(predicted=0.0, measured=0.0, margin=np.inf, details={"largest gradient": largest})
    return Evidence.at_most(float(np.abs(residual).max()), bound=0.0, tolerance=0.0)


def confirm_zero_loss(instance: DeadStudent) -> Evidence:
    """The same in fractions: the output does not change when any weight of a node is lowered by a small step."""
    inputs = [Fraction(2 * i, max(instance.samples - 1, 1)) - 1 for i in range(instance.samples)]
    parameters = [Fraction(1), Fraction(-instance.depth_below), Fraction(1)]  # of each identical node

    def residual(x: Fraction, w: Fraction, b: Fraction, v: Fraction) -> Fraction:
        others = (instance.nodes - 1) * max(x - instance.depth_below, Fraction(0))
        return 2 * max(x + 1, Fraction(0)) - others - v * max(w * x + b, Fraction(0))

    if instance.output_bias:
        return Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
    for x in inputs:
        start = residual(x, *parameters)
        for at in range(3):
            moved = list(parameters)
            moved[at] -= Fraction(1, 10**9)
            if residual(x, *moved) != start:
                return Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
    return Evidence.at_most(
        float(max(abs(residual(x, *parameters)) for x in inputs)), bound=0.0, tolerance=0.0
    )


ZERO_LOSS = Statement(
    key="specialization.theorem1.zero_loss",
    form=Form.PRINTED,
    title="Interpolation without a trained output bias",
    claim="at an SGD critical point  g_L(x_i) = f*_L(x_i) − f_L(x_i) = 0  for every sample: zero training loss",
    source=source("the paragraph after Theorem 1"),
    expected=Outcome.REFUTED,
    instance_type=DeadStudent,
    instances=lambda budget: st.builds(
        DeadStudent, st.integers(1, 5), st.integers(2, 9), st.integers(0, 3), st.booleans()
    ),
    evidence=zero_loss,
    confirm=confirm_zero_loss,
    controls=(
        Control(
            "dead students with a trained output bias are no critical point",
            lambda context: zero_loss(DeadStudent(output_bias=True), context),
            must_hold=True,
        ),
        Control("one dead student", lambda context: zero_loss(DeadStudent(), context)),
    ),
    cost=EXAMPLES,
    remark="At the top f_{L−1}(x_i) = 0 is the other way out: students dead on the data have no gradient at any loss. "
    "A trained output bias (f_{L−1} augmented by a 1) closes it; then the corrected Theorem 1 gives zero loss.",
)
