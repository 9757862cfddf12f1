"""Theorem 1 with a constant: small batch gradients mean small gradients at every sample."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
import torch

from dynamics.arrays import Array
from nets.matrix_form.recursion import node_gradients
from verify.judging import (
    ALGEBRA,
    BUDGETS,
    SEED,
    Assumption,
    Budget,
    Context,
    Each,
    Evidence,
    Instance,
    OneOf,
    fixed,
    integers,
)
from verify.mathematics.families.batches import batches
from verify.mathematics.families.layered_pairs import DeepPair, layered, parameters_of
from verify.mathematics.families.narrowed import narrowed
from verify.specialization import DERIVED
from verify.specialization.theorem1 import THEOREM1


@dataclass(frozen=True)
class BatchedPair(Instance):
    """A deep pair and the batch size; every batch of that size is formed."""

    inputs: int = fixed(2, integers(1))
    hidden: tuple[tuple[int, int], ...] = fixed(((2, 1),), Each(Each(integers(1), 2, 2), 1))
    outputs: int = fixed(1, integers(1))
    samples: int = fixed(3, integers(1))
    size: int = fixed(1, integers(1))
    biased: bool = fixed(False, OneOf((False, True)))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        return "expected a batch of at most all samples" if self.size > self.samples else ""

    @property
    def pair(self) -> DeepPair:
        """Its networks without the batches."""
        return DeepPair(
            self.inputs, self.hidden, self.outputs, self.samples, biased=self.biased, seed=self.seed
        )


def batched_pairs(budget: Budget) -> st.SearchStrategy[BatchedPair]:
    """Deep pairs of the sizes of the quick budget on two to eight samples with every smaller batch size."""

    def batched(pair: DeepPair, samples: int, size: int) -> BatchedPair:
        return BatchedPair(
            pair.inputs, pair.hidden, pair.outputs, samples, min(size, samples - 1), pair.biased, pair.seed
        )

    return st.builds(
        batched,
        narrowed(DeepPair, BUDGETS["quick"]),
        samples=st.integers(2, 8),
        size=st.integers(1, 7),
    )


def rank_ones(batched: BatchedPair, context: Context) -> list[Array]:
    """``f_{l-1}(x_i) g_l(x_i)^T`` of every layer, (N, n_{l-1}, n_l)."""
    pair = batched.pair
    student, teacher, x = parameters_of(pair, context.rng(batched.seed))
    ours, inputs = layered(pair, student, x)
    gradients = node_gradients(ours, layered(pair, teacher, x)[0], inputs)
    activations = ours.evaluate(inputs).activations
    return [
        torch.einsum("Ni,Nj->Nij", f, layer.gradient).numpy()
        for f, layer in zip(activations[:-1], gradients, strict=True)
    ]


def size_limit(batched: BatchedPair) -> tuple[Assumption, ...]:
    """The batch is not the whole data set."""
    return (Assumption.below("B / N", batched.size / batched.samples, 1),)


LARGE = BatchedPair(5, ((6, 4), (5, 3)), 2, samples=8, size=4)
SINGLES = BatchedPair(5, ((6, 4), (5, 3)), 2, samples=8, size=1)


@THEOREM1.claim(
    "sharp",
    expected="holds",
    on=BatchedPair,
    draw=batched_pairs,
    assume=size_limit,
    examples=(BatchedPair(), LARGE),
    cost=ALGEBRA,
    note=DERIVED,
    compares=("largest ‖f_{l−1}(x_i)‖ ‖g_l(x_i)‖", "≤", "(2B−1) × largest batch gradient"),
)
def samples_are_bounded_by_batches(
    batched: BatchedPair, context: Context, *, factor: float = 1.0
) -> Evidence:
    """Small batch gradients mean small gradients at every sample

    ‖f_{l−1}(x_i)‖ ‖g_l(x_i)‖ ≤ (2B−1) max_batch ‖Ẇ_l‖   (every B-subset, B < N)

    Two batches that differ in one sample bound the difference of two summands by 2Bε; averaging over a batch
    gives (2B−1)ε. This is Theorem 1 with a constant: ε → 0 gives it back.
    """
    found = [bound_of(summands, batched.size, factor) for summands in rank_ones(batched, context)]
    return min(found, key=lambda evidence: evidence.margin / max(evidence.measured, 1e-300))


def bound_of(summands: Array, size: int, factor: float) -> Evidence:
    """Largest norm of a summand, (N, ...), against ``(2B - 1)`` times the largest norm of a mean of B of them."""
    flat = summands.reshape(len(summands), -1)
    means = np.array(batches(len(flat), size, "every subset")) / size @ flat
    largest = float(np.linalg.norm(flat, axis=1).max())
    bound = factor * (2 * size - 1) * float(np.linalg.norm(means, axis=1).max())
    return Evidence.at_most(largest, bound=bound, tolerance=1e-12 * largest)  # sums of at most 8 terms


@dataclass(frozen=True)
class Summands:
    """Numbers in the place of the gradients of single samples, and the batch size."""

    values: tuple[float, ...] = (-4.0, 2.0, 2.0)
    size: int = 2


def of_numbers(summands: Summands, context: Context, *, factor: float = 1.0) -> Evidence:
    """The bound on numbers: -4, 2, 2 with B = 2 have batch means -1, -1, 2, and the bound is 6 times ``factor``."""
    return bound_of(np.array(summands.values), summands.size, factor)


samples_are_bounded_by_batches.rejects_variant(
    "(2B−1) × 0.6 on the summands −4, 2, 2", of_numbers, Summands(), factor=0.6
)
samples_are_bounded_by_batches.rejects(
    "a third of the bound at B = 1, where it is attained", SINGLES, factor=1 / 3
)
samples_are_bounded_by_batches.rejects(
    "the bound 1e-10 of itself smaller at B = 1, where it is attained", SINGLES, factor=1 - 1e-10
)
samples_are_bounded_by_batches.excludes(
    "the whole data set as the batch", BatchedPair(samples=3, size=3), "B / N"
)
samples_are_bounded_by_batches.includes("all samples but one", BatchedPair(samples=3, size=2))
