"""Eqn 6 with H* as printed: the shape that the product needs, and what it says where it is defined."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
from torch import Tensor

from nets.matrix_form.separation import LayerGradients, Separation, separate
from verify.judging import SEARCH, Assumption, Budget, Context, Evidence
from verify.luckmatters.theorem2 import ON_A_KINK, THEOREM2
from verify.mathematics.families.integer_pairs import IntegerPair, off_the_kinks
from verify.mathematics.families.layered_pairs import hidden_widths
from verify.mathematics.families.narrowed import narrowed
from verify.mathematics.gradients.separation_gap import (
    autograd_gradients,
    largest_error,
    rounding_of,
    rounding_scales,
)

ASYMMETRIC = IntegerPair(2, ((2, 2),), 1, 1, 3, 0)
"""Both nodes on either side see the sample, and H* is not symmetric."""


def equally_wide_pairs(budget: Budget) -> st.SearchStrategy[IntegerPair]:
    """One sample; two or three weight matrices, each hidden layer as wide in the student as in the teacher."""
    hidden = hidden_widths((2, 3), 3).map(lambda widths: tuple((max(pair), max(pair)) for pair in widths))
    return narrowed(IntegerPair, budget, hidden=hidden, samples=st.integers(1, 1))


def equally_wide(pair: IntegerPair) -> tuple[Assumption, ...]:
    """Equal widths, for which the printed product is defined, and no sample on a kink."""
    square = all(ours == theirs for ours, theirs in pair.hidden)
    return (Assumption.that("student as wide as the teacher", square), *off_the_kinks(pair))


def eqn6_as_printed(separation: Separation) -> list[Tensor]:
    """Eqn 6 with H* where the text has it, not transposed: one field for each layer."""
    moments = separation.to_teacher
    pull = [moments.L[level] @ W @ moments.H(level) for level, W in enumerate(separation.teacher.weights)]
    return LayerGradients(pull, separation.separated().push).total


@THEOREM2.claim(
    "printed",
    part="orientation",
    expected="refuted",
    on=IntegerPair,
    draw=equally_wide_pairs,
    assume=equally_wide,
    cost=SEARCH.at_quick(80),
    note="a transpose",
    compares=("largest difference of the gradient and Eqn 6, relative to the size of its terms", "=", "none"),
    telling=lambda pair: pair.hidden[0][0] >= 3,
)
def without_a_transpose(
    pair: IntegerPair, context: Context, *, transpose: bool = False, factor: float = 1.0
) -> Evidence:
    """Eqn 6 with H* as printed

    Ẇ_l = L*_l W*_l H*_{l+1} − L_l W_l H_{l+1},   H* = [h_jj°] student × teacher,   no transpose

    With n student and m teacher nodes L* W* is n_l × m_{l+1} and H* is n_{l+1} × m_{l+1}: the printed product is
    defined only for n = m, and is then wrong unless H* is symmetric, even on a single sample, where Assumption 1 is
    exact. A slip, and nothing depends on it: read H*ᵀ.
    """
    student, teacher, x = pair.tensors()
    separation = separate(student, teacher, x)
    claimed = separation.separated().total if transpose else eqn6_as_printed(separation)
    exact = [factor * g for g in autograd_gradients(student, teacher, x)]
    error = largest_error(exact, claimed, rounding_scales(student, teacher, x))
    return Evidence.at_most(error, bound=0.0, tolerance=rounding_of(student, teacher, x))


@without_a_transpose.confirmed_precisely(digits=0)
def in_fractions(pair: IntegerPair, *, transpose: bool = False) -> Evidence:
    """The gradient against Eqn 6 with H* as printed, in exact arithmetic."""
    rational = pair.rational()
    scales = rounding_scales(*pair.tensors())
    errors = [
        float(np.abs(rational.gradient(level) - rational.separated(level, transpose=transpose)).max())
        / (scales[level] or 1.0)
        for level in range(pair.depth)
    ]
    return Evidence.at_most(max(errors), bound=0.0, tolerance=0.0)


without_a_transpose.errs(
    says="Theorem 2 (v4, section 2, Eqn 6): Ẇ_l = L*_l W*_l H*_{l+1} − L_l W_l H_{l+1} with H* student × teacher.",
    true="It must be H*ᵀ: the printed product exists for n = m only and is wrong even then (exact difference 1 on a "
    "single sample, where Assumption 1 is exact).",
    impact="typographical",
    matters="Nothing depends on it: the proof works with components (Eqn 15).",
)
without_a_transpose.rejects("first of the examples", ASYMMETRIC)
without_a_transpose.rejects(
    "the transpose, and the gradient 1e-11 larger", ASYMMETRIC, transpose=True, factor=1 + 1e-11
)
without_a_transpose.excludes("three nodes and two", replace(ASYMMETRIC, hidden=((3, 2),)), "student as wide")
without_a_transpose.excludes("a sample on a kink", ON_A_KINK, "no sample on a kink")
without_a_transpose.includes("as wide, off the kinks", ASYMMETRIC)
without_a_transpose.accepts("the same with the transpose", ASYMMETRIC, transpose=True)
