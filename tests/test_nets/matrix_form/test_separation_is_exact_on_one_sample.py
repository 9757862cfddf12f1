"""Eqn 6 separates expectations of products: exact where there is one sample, and off by a gap where there are more."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nets.matrix_form.recursion import modulations
from nets.matrix_form.separation import relative_gap, separate
from tests.test_nets.matrix_form.layered_cases import pair

SLOPES = pytest.mark.parametrize("slope", [0.0, 0.3])


@SLOPES
def test_the_exact_gradient_is_autograds(slope: float) -> None:
    """``pull - push`` is minus the gradient of ``1/2 E||f* - f||^2`` in every weight matrix."""
    student, teacher, x = pair(slope=slope)
    weights = [W.clone().requires_grad_() for W in student.weights]
    f = x
    for level, W in enumerate(weights):
        z = f @ W
        f = z if level == student.depth - 1 else torch.where(z > 0, z, slope * z)
    loss = 0.5 * (teacher.evaluate(x).output - f).square().sum(-1).mean()
    expected = torch.autograd.grad(loss, weights)
    for found, gradient in zip(separate(student, teacher, x).exact.total, expected, strict=True):
        torch.testing.assert_close(found, -gradient, rtol=1e-12, atol=1e-12)


@SLOPES
def test_one_sample_separates_exactly(slope: float) -> None:
    """An expectation over one sample is its value: Eqn 6 is the gradient, and its closure is Eqn 3."""
    student, teacher, x = pair(slope=slope, samples=1)
    found = separate(student, teacher, x)
    for side in ("pull", "push", "total"):
        for separated, exact in zip(
            getattr(found.separated(), side), getattr(found.exact, side), strict=True
        ):
            torch.testing.assert_close(separated, exact, rtol=1e-12, atol=1e-12)
    of_teacher, own = found.closed_modulations()
    betas = list(modulations(student, teacher, student.evaluate(x), teacher.evaluate(x)))[::-1]
    for closed, closed_own, beta in zip(of_teacher, own, betas[:-1], strict=True):
        torch.testing.assert_close(closed, beta.teacher[0], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(closed_own, beta.student[0], rtol=1e-12, atol=1e-12)


@SLOPES
def test_expectations_are_means_over_the_samples(slope: float) -> None:
    """L, D and beta of many samples are the means of those of each, whatever the pieces."""
    student, teacher, x = pair(slope=slope)
    alone = [separate(student, teacher, one[None]) for one in x]
    for elements in (1, 1 << 22):
        together = separate(student, teacher, x, elements)
        for side in ("to_teacher", "own"):
            for name in ("L", "D", "beta"):
                for level, found in enumerate(getattr(getattr(together, side), name)):
                    each = torch.stack([getattr(getattr(one, side), name)[level] for one in alone])
                    torch.testing.assert_close(found, each.mean(0), rtol=1e-12, atol=1e-12)


def test_many_samples_leave_a_gap() -> None:
    """Control: on more than one sample Eqn 6 is not the gradient."""
    student, teacher, x = pair()
    found = separate(student, teacher, x)
    gaps = [relative_gap(a, b) for a, b in zip(found.exact.total, found.separated().total, strict=True)]
    assert min(map(float, gaps[:-1])) > 0.01
    assert float(gaps[-1]) < 1e-12  # the top has no gate: nothing is separated there


def test_a_relative_gap_is_a_quotient_of_norms() -> None:
    """Of a stack of matrices, pair by pair."""
    rng = np.random.default_rng(0)
    a, b = torch.from_numpy(rng.standard_normal((2, 3, 4, 5)))
    expected = [np.linalg.norm(y - x) / np.linalg.norm(x) for x, y in zip(a.numpy(), b.numpy(), strict=True)]
    np.testing.assert_allclose(relative_gap(a, b), expected, rtol=1e-14)


def test_no_sample_is_refused() -> None:
    """There is no mean over nothing."""
    student, teacher, x = pair()
    with pytest.raises(ValueError, match="at least one sample"):
        separate(student, teacher, x[:0])
