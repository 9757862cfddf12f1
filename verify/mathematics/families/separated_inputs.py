"""Networks and inputs on which expectations separate exactly (Assumption 1), and generic ones on which they do not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from dynamics.arrays import Array
from nets.matrix_form.layered import LayeredNetwork
from verify.mathematics.families.layered_pairs import Widths

Family = Callable[[list[tuple[int, ...]], int, np.random.Generator], tuple[list[list[Array]], Array]]


def _normal(sizes: tuple[int, ...], rng: np.random.Generator) -> list[Array]:
    return [rng.standard_normal(shape) for shape in pairwise(sizes)]


def generic(
    sizes: list[tuple[int, ...]], count: int, rng: np.random.Generator
) -> tuple[list[list[Array]], Array]:
    """Normal weights and inputs: Assumption 1 fails."""
    return [_normal(side, rng) for side in sizes], rng.standard_normal((count, sizes[0][0]))


def one_sample(
    sizes: list[tuple[int, ...]], count: int, rng: np.random.Generator
) -> tuple[list[list[Array]], Array]:
    """A point mass: every expectation is a value, so all products separate."""
    return generic(sizes, 1, rng)


def constant_gates(
    sizes: list[tuple[int, ...]], count: int, rng: np.random.Generator
) -> tuple[list[list[Array]], Array]:
    """Positive inputs; each column of one sign, mostly positive: a gate is open for all inputs or for none.

    beta is then the same for every input and gates are constants, at any depth. The top is unrestricted.
    """
    nets = []
    for side in sizes:
        weights = [np.abs(W) for W in _normal(side, rng)[:-1]]
        signed = [W * np.where(rng.random(W.shape[1]) < 0.8, 1.0, -1.0) for W in weights]
        nets.append([*signed, rng.standard_normal(side[-2:])])
    return nets, np.abs(rng.standard_normal((count, sizes[0][0]))) + 0.1


def switch(
    sizes: list[tuple[int, ...]], count: int, rng: np.random.Generator
) -> tuple[list[list[Array]], Array]:
    """The first coordinate is +1 or -1 and decides every gate of the first layer; the rest is small and symmetric.

    Inputs (±1, ±u): gates are a function of the switch, ``x x^T`` averages to the same on either side of it. With one
    hidden layer Assumption 1 is exact although the gates vary; above it gates and activations share the switch.
    """
    nets = [_normal(side, rng) for side in sizes]
    rest = rng.uniform(-1, 1, (count, sizes[0][0] - 1))
    samples = np.array([(s, *(t * u)) for u in rest for s in (1.0, -1.0) for t in (1.0, -1.0)])
    for weights in nets:
        first = weights[0]
        first[0] = np.where(first[0] > 0, 1.0, -1.0) * (1 + np.abs(first[1:]).sum(axis=0))
    return nets, samples


FAMILIES: dict[str, Family] = {
    "generic": generic,
    "one sample": one_sample,
    "constant gates": constant_gates,
    "switch": switch,
}
"""Where inputs and weights come from; all but the first separate expectations ("switch" with one hidden layer only)."""


def separated_pair(
    family: str, inputs: int, hidden: Widths, outputs: int, count: int, rng: np.random.Generator
) -> tuple[LayeredNetwork, LayeredNetwork, Tensor]:
    """Student, teacher and inputs ``(N, d)`` of one of FAMILIES. Raises ValueError on an unknown name."""
    if family not in FAMILIES:
        raise ValueError(f"family: expected one of {', '.join(FAMILIES)}, got {family!r}")
    sizes = [(inputs, *(widths[side] for widths in hidden), outputs) for side in (0, 1)]
    (student, teacher), samples = FAMILIES[family](sizes, count, rng)
    networks = (LayeredNetwork(tuple(map(torch.from_numpy, weights))) for weights in (student, teacher))
    return next(networks), next(networks), torch.from_numpy(samples)
