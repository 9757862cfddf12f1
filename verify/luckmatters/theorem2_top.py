"""The top layer, where Eqn 6 is exact."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st

from nets.matrix_form.separation import separate
from verify.judging import Context, Evidence, drawn_fields
from verify.judging.enclosing.enclosure import Margin, as_fraction
from verify.luckmatters.theorem2 import THEOREM2
from verify.mathematics.families.integer_pairs import FOUR_MATRICES, THREE_MATRICES, IntegerPair
from verify.mathematics.families.layered_pairs import hidden_widths
from verify.mathematics.gradients.separation_gap import (
    autograd_gradients,
    largest_error,
    rounding_of,
    rounding_scales,
)


def exact_gap(pair: IntegerPair, *, level: int = -1, factor: float = 1.0) -> Margin:
    """Minus the largest difference of Eqn 6 and the gradient by an exact central difference, in fractions.

    At the top the loss is quadratic in the weights: no gate moves.
    """
    rational = pair.rational()
    at = level % pair.depth
    gaps = rational.separated(at) - as_fraction(factor) * rational.gradient(at)
    return -max(Fraction(abs(gap)) for gap in gaps.ravel())


@THEOREM2.claim(
    "sharp",
    part="top",
    expected="holds",
    enclose=exact_gap,
    on=IntegerPair,
    draw=drawn_fields(IntegerPair, hidden=hidden_widths((2, 5), 3), samples=st.integers(1, 8)),
    examples=(THREE_MATRICES, FOUR_MATRICES),
    place="Theorem 2, Eqn 6 at l = l_max − 1",
    note="not in the paper",
    compares=("largest difference of the gradient and Eqn 6, relative to the size of its terms", "=", "none"),
)
def top_layer_is_exact(
    pair: IntegerPair, context: Context, *, level: int = -1, factor: float = 1.0
) -> Evidence:
    """The top layer is exact

    Ẇ_{L−1} = L*_{L−1} W*_{L−1} − L_{L−1} W_{L−1}  for any input and any depth, without Assumption 1

    Gates and β are constants at the top, so there is nothing to separate.
    """
    student, teacher, x = pair.tensors()
    claimed = separate(student, teacher, x).separated().total[level]
    exact = factor * autograd_gradients(student, teacher, x)[level]
    scale = rounding_scales(student, teacher, x)[level]
    error = largest_error([exact], [claimed], [scale])
    return Evidence.at_most(error, bound=0.0, tolerance=rounding_of(student, teacher, x))


top_layer_is_exact.rejects("the layer below it", THREE_MATRICES, level=-2)
top_layer_is_exact.rejects("the gradient 1e-11 larger", THREE_MATRICES, factor=1 + 1e-11)
