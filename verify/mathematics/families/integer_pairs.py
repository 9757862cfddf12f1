"""Deep pairs with small integer weights and samples: exact in float64 and in rational arithmetic alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import torch

from dynamics.arrays import Array
from nets.matrix_form.layered import LayeredNetwork
from verify.judging import Assumption, drawn
from verify.judging.domains import SEED, Instance, integers
from verify.mathematics.families.layered_pairs import HIDDEN, Widths, hidden_widths
from verify.mathematics.precise.rational_pairs import RationalPair, exact


@dataclass(frozen=True)
class IntegerPair(Instance):
    """A student and a teacher without biases on an empirical measure of a few samples, all entries integers.

    ``hidden`` holds (student, teacher) widths from the bottom up. Entries are uniform on -largest .. largest; weights
    are non-zero.
    """

    inputs: int = drawn(1, st.integers(1, 3), integers(1))
    hidden: Widths = drawn(((1, 1),), hidden_widths((2, 4), 3), HIDDEN)
    outputs: int = drawn(1, st.integers(1, 2), integers(1))
    samples: int = drawn(2, st.integers(1, 4), integers(1))
    largest: int = drawn(3, st.integers(1, 9), integers(1))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    @property
    def depth(self) -> int:
        """Number of weight matrices."""
        return len(self.hidden) + 1

    def matrices(self) -> tuple[list[Array], list[Array], Array]:
        """Student weights, teacher weights and samples ``(N, d)`` as float arrays with integer entries."""
        rng = np.random.default_rng(self.seed)

        def nonzero(shape: tuple[int, ...]) -> Array:
            signs = rng.choice([-1.0, 1.0], shape)
            return np.asarray(rng.integers(1, self.largest + 1, shape) * signs)

        nets = []
        for side in (0, 1):
            sizes = (self.inputs, *(widths[side] for widths in self.hidden), self.outputs)
            nets.append([nonzero(shape) for shape in pairwise(sizes)])
        samples = rng.integers(-self.largest, self.largest + 1, (self.samples, self.inputs)).astype(float)
        return nets[0], nets[1], samples

    def tensors(self) -> tuple[LayeredNetwork, LayeredNetwork, torch.Tensor]:
        """The pair and its samples for the torch side."""
        student, teacher, x = self.matrices()
        networks = (LayeredNetwork(tuple(map(torch.from_numpy, weights))) for weights in (student, teacher))
        return next(networks), next(networks), torch.from_numpy(x)

    def rational(self) -> RationalPair:
        """The pair and its samples as fractions."""
        student, teacher, x = self.matrices()
        return RationalPair(tuple(map(exact, student)), tuple(map(exact, teacher)), exact(x))


THREE_MATRICES = IntegerPair(2, ((3, 2), (3, 2)), 2, 4, 9, 3)
FOUR_MATRICES = IntegerPair(2, ((3, 2), (3, 3), (3, 2)), 2, 4, 9, 3)
"""Pairs with three and with four weight matrices: with three the first gates above gates."""


def off_the_kinks(pair: IntegerPair) -> tuple[Assumption, ...]:
    """No sample on a kink: where a node sees anything at all, its pre-activation is not zero."""
    nearest = np.inf
    student, teacher, x = pair.matrices()
    for weights in (student, teacher):
        f = x
        for W in weights[:-1]:
            z = f @ W
            seen = (f != 0).any(axis=1)
            nearest = min(nearest, np.abs(z[seen]).min(initial=np.inf))
            f = np.maximum(z, 0)
    return (Assumption.that("no sample on a kink", nearest > 0),)
