"""Random deep student-teacher pairs as instances: widths, a slope, biases and a seed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import torch
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork, augmented
from verify.judging import SEED, Each, Instance, drawn, integers, reals
from verify.judging.domains import OneOf

Widths = tuple[tuple[int, int], ...]

HIDDEN = Each(Each(integers(1), 2, 2), 1)
"""Domain of the hidden widths: (student, teacher) of at least one layer."""


def hidden_widths(depth: tuple[int, int], widest: int) -> st.SearchStrategy[Widths]:
    """(student, teacher) widths of every hidden layer, any two of them, for ``depth`` weight matrices (least, most)."""
    width = st.integers(1, widest)
    return st.lists(st.tuples(width, width), min_size=depth[0] - 1, max_size=depth[1] - 1).map(tuple)


@dataclass(frozen=True)
class DeepPair(Instance):
    """A student and a teacher of equal depth; ``hidden`` holds (student, teacher) widths from the bottom up.

    Weights are standard normal over sqrt(fan-in), biases (where ``biased``) and inputs standard normal.
    """

    inputs: int = drawn(2, st.integers(1, 12), integers(1))
    hidden: Widths = drawn(((2, 1),), lambda budget: hidden_widths((2, 6), 40 if budget.full else 12), HIDDEN)
    outputs: int = drawn(1, st.integers(1, 6), integers(1))
    samples: int = drawn(4, st.integers(1, 16), integers(1))
    slope: float = drawn(0.0, st.sampled_from([0.0, 0.01, 0.1, 0.5]), reals(0, 1, high_open=True))
    biased: bool = drawn(False, st.booleans(), OneOf((False, True)))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    @property
    def depth(self) -> int:
        """Number of weight matrices."""
        return len(self.hidden) + 1

    def sizes(self, side: int) -> tuple[int, ...]:
        """Layer sizes of the student (0) or the teacher (1), input and output included."""
        return (self.inputs, *(widths[side] for widths in self.hidden), self.outputs)


@dataclass(frozen=True)
class Parameters:
    """Weights and biases as a framework would hold them."""

    weights: list[Tensor]
    biases: list[Tensor]


def parameters_of(pair: DeepPair, rng: np.random.Generator) -> tuple[Parameters, Parameters, Tensor]:
    """Student and teacher parameters and inputs ``(N, d)``; biases are zero where the pair has none."""
    drawn = []
    for side in (0, 1):
        sizes = pair.sizes(side)
        shapes = list(pairwise(sizes))
        weights = [torch.from_numpy(rng.standard_normal(shape) / np.sqrt(shape[0])) for shape in shapes]
        biases = [torch.from_numpy(pair.biased * rng.standard_normal(shape[1])) for shape in shapes]
        drawn.append(Parameters(weights, biases))
    return drawn[0], drawn[1], torch.from_numpy(rng.standard_normal((pair.samples, pair.inputs)))


def layered(pair: DeepPair, parameters: Parameters, x: Tensor) -> tuple[LayeredNetwork, Tensor]:
    """The network without free biases and its inputs: augmented where the pair is biased."""
    if not pair.biased:
        return LayeredNetwork(tuple(parameters.weights), pair.slope), x
    return LayeredNetwork.with_biases(parameters.weights, parameters.biases, pair.slope), augmented(x)
