"""Closing the hierarchy of E[beta]: a rule that Eqn 6 needs, and the layers at which it is exact."""

from __future__ import annotations

from collections.abc import Sequence

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from nets.matrix_form.separation import separate
from verify.judging import SEARCH, Context, Evidence, drawn_fields
from verify.luckmatters.theorem2 import THEOREM2
from verify.mathematics.families.integer_pairs import FOUR_MATRICES, THREE_MATRICES, IntegerPair
from verify.mathematics.families.layered_pairs import hidden_widths
from verify.mathematics.gradients.separation_gap import absolute_separation, rounding_of
from verify.mathematics.precise.rational_pairs import RationalPair


def closure_error(pair: IntegerPair, levels: Sequence[int], factor: float = 1.0) -> float:
    """The largest ``factor E[beta_l] - W_l H_{l+1} W_l^T`` over ``levels``, relative to the size of its terms."""
    separation, sizes = separate(*pair.tensors()), sizes_of_the_terms(pair)
    largest = 0.0
    for moments, closed, size in zip(
        (separation.own, separation.to_teacher), reversed(separation.closed_modulations()), sizes, strict=True
    ):
        for level in levels:
            error = float((factor * moments.beta[level - 1] - closed[level - 1]).abs().max())
            largest = max(largest, error / (size[level - 1] or 1.0))
    return largest


def sizes_of_the_terms(pair: IntegerPair) -> tuple[list[float], list[float]]:
    """Per layer the largest entry of both sides with every term in absolute value: own, with the teacher."""
    bound = absolute_separation(*pair.tensors())
    closed = bound.closed_modulations()[::-1]
    own, teacher = (
        [
            max(float(beta.max()), float(product.max()))
            for beta, product in zip(side.beta, products, strict=False)
        ]
        for side, products in zip((bound.own, bound.to_teacher), closed, strict=True)
    )
    return own, teacher


@THEOREM2.claim(
    "reading",
    part="closure",
    expected="refuted",
    on=IntegerPair,
    draw=drawn_fields(IntegerPair, hidden=hidden_widths((3, 4), 3)),
    cost=SEARCH.at_quick(200),
    place="Theorem 2, Eqn 6",
    note="our reading, in no source: Eqn 6 as closed dynamics needs a rule for E[β]; another rule may fare differently",
    compares=("largest difference of E[β_l] and W_l H_{l+1} W_lᵀ, relative to their terms", "=", "none"),
    telling=lambda pair: pair.samples >= 4,
)
def closes_at_every_layer(pair: IntegerPair, context: Context, *, factor: float = 1.0) -> Evidence:
    """Closing the hierarchy of E[β]

    E[β_l] = W_l H_{l+1} W_lᵀ,   E[β*_l] = W_l H*_{l+1} W*_lᵀ   at every layer

    Our reading: the paper does not print this rule. Eqn 6 needs E[β_l], and Eqn 3 gives it as W_l E[f'f'ᵀ ∘ β_{l+1}]
    W_lᵀ; to have H there is a second separation, E[f'f' β] = E[f'f'] E[β], which Assumption 1 does not contain. First
    false with four weight matrices.
    """
    error = closure_error(pair, range(1, pair.depth), factor)
    return Evidence.at_most(error, bound=0.0, tolerance=rounding_of(*pair.tensors()))


@closes_at_every_layer.confirmed_precisely(digits=0)
def in_fractions(pair: IntegerPair) -> Evidence:
    """The same differences in exact arithmetic."""
    rational, sizes = pair.rational(), sizes_of_the_terms(pair)
    largest = 0.0
    for level in range(1, pair.depth):
        for other, size in zip((rational.student, rational.teacher), sizes, strict=True):
            exact, closed = (
                rational.averaged(level - 1, other)[0],
                closed_in_fractions(rational, level, other),
            )
            largest = max(largest, float(np.abs(exact - closed).max()) / (size[level - 1] or 1.0))
    return Evidence.at_most(largest, bound=0.0, tolerance=0.0)


def closed_in_fractions(rational: RationalPair, level: int, other: Sequence[Array]) -> Array:
    """``W_l H_{l+1} W_l^T`` with ``other`` for the second factor."""
    beta, D, _ = rational.averaged(level, other)
    return np.asarray(rational.student[level] @ (beta * D) @ other[level].T)


closes_at_every_layer.errs(
    says="Eqn 6 (v4, section 2) gives the dynamics of the weights in terms of E[β]; no rule that closes it is printed.",
    true="The rule that suggests itself, E[β_l] = W_l H_{l+1} W_lᵀ, is a second separation. It is exact for the two "
    "topmost hidden layers on any input and false from four weight matrices on.",
    impact="none",
    matters="The paper does not print the rule. Two-layer results do not need one; multi-layer dynamics from Eqn 6"
    " alone do.",
)
closes_at_every_layer.rejects("four weight matrices", FOUR_MATRICES)
closes_at_every_layer.rejects("three weight matrices, E[β] 1e-11 larger", THREE_MATRICES, factor=1 + 1e-11)
closes_at_every_layer.accepts("three weight matrices", THREE_MATRICES)


@THEOREM2.claim(
    "corrected",
    part="closure",
    expected="holds",
    on=IntegerPair,
    draw=drawn_fields(IntegerPair, hidden=hidden_widths((2, 5), 3), samples=st.integers(1, 8)),
    examples=(THREE_MATRICES, FOUR_MATRICES),
    place="Theorem 2, Eqn 6",
    note="layers restricted",
    compares=("largest difference of E[β_l] and W_l H_{l+1} W_lᵀ, relative to their terms", "=", "none"),
)
def closes_at_the_two_highest(
    pair: IntegerPair, context: Context, *, layers: int = 2, factor: float = 1.0
) -> Evidence:
    """The hierarchy of E[β] closes at the two highest hidden layers

    E[β_l] = W_l H_{l+1} W_lᵀ  for l = L−1 and l = L−2, of L weight matrices;  any input

    β of the layer above is constant there (I at the top, W Wᵀ below it), so nothing has to be separated.
    """
    highest = range(max(1, pair.depth - layers), pair.depth)
    error = closure_error(pair, highest, factor)
    return Evidence.at_most(error, bound=0.0, tolerance=rounding_of(*pair.tensors()))


closes_at_the_two_highest.rejects("the lowest layer of four", FOUR_MATRICES, layers=3)
closes_at_the_two_highest.rejects("E[β] 1e-11 larger", FOUR_MATRICES, factor=1 + 1e-11)
