"""Corollary 1: the mixture coefficients are constant on each region of equal gates above."""

from __future__ import annotations

from dataclasses import dataclass, replace

import hypothesis.strategies as st
import numpy as np
import torch

from dynamics.arrays import Array
from nets.matrix_form.layered import LayeredNetwork
from verify.judging import SPECIALIZATION, Budget, Context, Evidence, Item, Source
from verify.mathematics.families.layered_pairs import DeepPair, hidden_widths, layered, parameters_of
from verify.mathematics.gradients.layer_terms import TanhNetwork, levels
from verify.specialization import REBUILT, VERSION

COROLLARY1 = Item(
    "specialization.corollary1", Source(SPECIALIZATION, "Corollary 1", REBUILT, version=VERSION, section="3")
)

TOLERANCE = 1e-12
"""Relative to the largest coefficient: equal gates multiply equal numbers in equal order, up to the BLAS kernel."""

DEEP = DeepPair(inputs=2, hidden=((6, 3), (5, 4), (4, 3)), outputs=2, samples=2000, biased=True)


@dataclass(frozen=True)
class Pieces:
    """Joint gate patterns of layers l + 1 .. L - 1 of both networks, and A_l, B_l at every sample, flattened."""

    patterns: Array
    coefficients: Array

    def moved(self, nudge: float) -> Pieces:
        """The same with the first sample's coefficients larger by ``nudge`` of themselves."""
        coefficients = self.coefficients.copy()
        coefficients[0] *= 1 + nudge
        return replace(self, coefficients=coefficients)

    def spread(self) -> tuple[float, int]:
        """Largest difference of a coefficient within one pattern, relative to the largest, and the pattern count."""
        _, group = np.unique(self.patterns, axis=0, return_inverse=True)
        group = group.ravel()  # NumPy 2.0 gives it the shape of a column
        order = np.argsort(group, kind="stable")
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        ordered = self.coefficients[order]
        low, high = (f.reduceat(ordered, starts, axis=0) for f in (np.minimum, np.maximum))
        scale = float(np.abs(ordered).max())
        return (float((high - low).max()) / scale if scale else 0.0), len(starts)


def pieces(student: LayeredNetwork, teacher: LayeredNetwork, x: torch.Tensor, skip: int = 0) -> list[Pieces]:
    """The pieces of layers 1..L; ``skip`` > 0 leaves that many of the lowest gates above out of the pattern."""
    found = []
    gates = [net.evaluate(x).gates for net in (student, teacher)]
    for at, level in enumerate(levels(student, teacher, x)):
        above = [g for side in gates for g in side[at + 1 + skip : -1]]
        patterns = torch.cat([torch.zeros(len(x), 1, dtype=x.dtype), *above], dim=1)
        both = torch.cat([level.A.flatten(1), level.B.flatten(1)], dim=1)
        found.append(Pieces(patterns.numpy(), both.numpy()))
    return found


def pairs(budget: Budget) -> st.SearchStrategy[DeepPair]:
    """Teacher and student of two to five hidden layers, ReLU or leaky, with or without biases."""
    return st.builds(
        DeepPair,
        inputs=st.integers(1, 3),
        hidden=hidden_widths((2, 5), 6),
        outputs=st.integers(1, 3),
        samples=st.integers(50, 2000 if budget.full else 300),
        slope=st.sampled_from([0.0, 0.1]),
        biased=st.booleans(),
        seed=st.integers(0, 2**16),
    )


@COROLLARY1.claim(
    "reading",
    expected="holds",
    on=DeepPair,
    draw=pairs,
    examples=(DeepPair(samples=50), DEEP, replace(DEEP, slope=0.1)),
    compares=("largest spread of a coefficient within a gate pattern", "≤", "rounding"),
)
def coefficients_are_constant(
    pair: DeepPair, context: Context, *, skip: int = 0, nudge: float = 0.0
) -> Evidence:
    """Piecewise constant mixture coefficients

    R_0 = finitely many regions plus a null set;  A_l(x), B_l(x) are constant on each of them,
    and on all of R_0 for l ≥ L−1

    A region is a joint gate pattern of the layers above l in both networks; it may be disconnected, and two
    patterns may share their coefficients. The remainder is a null set only if no hidden node is identically zero
    on an open set (a node fed by dead nodes is); constancy holds there too when the gate at 0 is shut.
    """
    student, teacher, x = parameters_of(pair, context.rng(pair.seed))
    ours, inputs = layered(pair, student, x)
    found = pieces(ours, layered(pair, teacher, x)[0], inputs, skip)
    return constancy([piece.moved(nudge) for piece in found])


def constancy(found: list[Pieces]) -> Evidence:
    """Spread within patterns over every layer; the two top layers must have a single pattern."""
    results = [piece.spread() for piece in found]
    worst = max(spread for spread, _ in results)
    single = all(count == 1 for _, count in results[-2:])
    patterns = [float(count) for _, count in results]
    return Evidence.at_most(
        worst if single else np.inf, bound=0.0, tolerance=TOLERANCE, patterns_by_layer=patterns
    )


def tanh_by_its_signs(pair: DeepPair, context: Context) -> Evidence:
    """Altered claim: tanh networks without biases, grouped by the signs of all nodes, as if these made regions."""
    student, teacher, x = parameters_of(pair, context.rng(pair.seed))
    networks = [TanhNetwork(tuple(side.weights)) for side in (student, teacher)]
    signs = [torch.cat([torch.sign(f) for f in net.evaluate(x).activations[1:-1]], dim=1) for net in networks]
    patterns = torch.cat(signs, dim=1).numpy()
    return constancy(
        [
            Pieces(patterns if at < len(pair.hidden) - 1 else patterns[:, :0], level.A.flatten(1).numpy())
            for at, level in enumerate(levels(networks[0], networks[1], x))
        ]
    )


coefficients_are_constant.rejects("patterns without the gates of layer l+1", DEEP, skip=1)
coefficients_are_constant.rejects("one sample's coefficients 1e-10 larger", DEEP, nudge=1e-10)
coefficients_are_constant.rejects_variant("tanh with its derivative as the gate", tanh_by_its_signs, DEEP)
