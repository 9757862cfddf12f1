"""Theorem 2 and Assumption 1: the separated gradient against rational arithmetic, and where projection helps."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import assume, given

from luckproof import BUDGETS
from nets.matrix_form.layered import LayeredNetwork
from nets.matrix_form.separation import relative_gap, separate
from verify.luckmatters.assumption1 import overlap_moment
from verify.luckmatters.assumption1_width import WidePair, predicted_gap
from verify.mathematics.families.integer_pairs import IntegerPair, off_the_kinks
from verify.mathematics.families.layered_pairs import hidden_widths
from verify.mathematics.families.narrowed import narrowed
from verify.mathematics.families.separated_inputs import separated_pair
from verify.mathematics.gradients.separation_gap import autograd_gradients, gap_tensors

pytestmark = pytest.mark.statement("luckmatters.theorem2", "luckmatters.assumption1")


@given(narrowed(IntegerPair, BUDGETS["quick"]))
def test_expectations_equal_rational_arithmetic(pair: IntegerPair) -> None:
    """L, D, E[beta], Eqn 6 and the exact gradient of torch equal fractions that share no code with them."""
    assume(all(assumption.satisfied for assumption in off_the_kinks(pair)))
    student, teacher, x = pair.tensors()
    rational, separation = pair.rational(), separate(student, teacher, x)
    autograd = autograd_gradients(student, teacher, x)
    for level in range(pair.depth):
        beta, D, L = rational.averaged(level, rational.teacher)
        claimed = separation.to_teacher
        for exact, found in ((beta, claimed.beta), (D, claimed.D), (L, claimed.L)):
            np.testing.assert_allclose(found[level], exact.astype(float), rtol=1e-14, atol=1e-14)
        for exact, found in (
            (rational.separated(level), separation.separated().total),
            (rational.gradient(level), separation.exact.total),
            (rational.gradient(level), autograd),
        ):
            size = float(np.abs(exact.astype(float)).max()) + float(separation.exact.pull[level].abs().max())
            np.testing.assert_allclose(found[level], exact.astype(float), rtol=0, atol=1e-13 * (size + 1))


@given(narrowed(IntegerPair, BUDGETS["quick"], hidden=hidden_widths((2, 3), 3)))
def test_gap_tensor_equals_rational_arithmetic(pair: IntegerPair) -> None:
    """The largest entry of the gap, in floats and in fractions."""
    student, teacher, x = pair.tensors()
    rational, gaps = pair.rational(), gap_tensors(separate(student, teacher, x), x)
    for level, both in enumerate(gaps):
        exact = float(rational.assumption1_gap(level))
        assert max(float(g.abs().max()) for g in both) == pytest.approx(exact, rel=1e-12, abs=1e-9)


def test_chunks_do_not_change_the_expectations() -> None:
    """Accumulated over pieces of a few samples, all eight groups of expectations are the same."""
    student, teacher, x = separated_pair("generic", 3, ((4, 2), (3, 3)), 2, 50, np.random.default_rng(0))
    whole, pieces = separate(student, teacher, x), separate(student, teacher, x, elements=100)
    for name in ("L", "D", "beta"):
        for side in ("to_teacher", "own"):
            for a, b in zip(
                getattr(getattr(whole, side), name), getattr(getattr(pieces, side), name), strict=True
            ):
                torch.testing.assert_close(a, b)
    for a, b in zip(whole.exact.total, pieces.exact.total, strict=True):
        torch.testing.assert_close(a, b)


def projected_gap(depth: int, samples: int) -> float:
    """Relative gap of the projected first layer for isotropic input, root mean square over 16 random pairs."""
    rng = np.random.default_rng(0)
    sides = []
    for width in (8, 4):
        sizes = (4, *(width,) * (depth - 1), 2)
        shapes = pairwise(sizes)
        sides.append(LayeredNetwork(tuple(torch.from_numpy(rng.standard_normal((16, *s))) for s in shapes)))
    separation = separate(*sides, torch.from_numpy(rng.standard_normal((samples, 4))))
    w = sides[0].weights[0]
    exact, eqn6 = (
        g - w * (w * g).sum(dim=-2, keepdim=True) / w.square().sum(dim=-2, keepdim=True)
        for g in (separation.exact.total[0], separation.separated().total[0])
    )
    return float(relative_gap(exact, eqn6).square().mean().sqrt())


def test_projection_removes_the_gap_of_two_layers_only() -> None:
    """Isotropic input, first layer: 16 times the samples leave a quarter of the error with two weight matrices
    (it is sampling error), and all of it with three (it is the gap)."""
    two, three = ([projected_gap(depth, n) for n in (1000, 16_000)] for depth in (2, 3))
    assert two[1] < 0.35 * two[0]
    assert three[1] > 0.8 * three[0] > 0.2


def test_gap_of_wide_networks_approaches_its_limit() -> None:
    """2 / sqrt(pi^2 + 4) for many nodes in a high dimension."""
    assert predicted_gap(WidePair(2000, 10_000, 0, 1)) == pytest.approx(2 / np.sqrt(np.pi**2 + 4), rel=2e-3)


def test_overlap_moment_has_the_trace_of_the_gaussian() -> None:
    """Its trace is 2 psi_d, its value at angle 0 half the identity."""
    np.testing.assert_allclose(overlap_moment(0.0), np.eye(2) / 2, atol=1e-14)
    assert np.trace(overlap_moment(2.0)) == pytest.approx((np.pi - 2) / np.pi)


def test_unknown_family_is_refused() -> None:
    """Named, with the known ones."""
    with pytest.raises(ValueError, match="one sample"):
        separated_pair("nothing", 1, ((1, 1),), 1, 1, np.random.default_rng(0))
