"""Theorem 3: filters of convolutions, what else breaks the conservation, and the bounds that the statements lean on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from luckproof import BUDGETS, Context
from nets.matrix_form.normalised import NO_EPS, NormalisedStudent, normalisation_variance
from verify.luckmatters.theorem3 import norms_are_conserved_by_the_flow
from verify.luckmatters.theorem3_eps import exchanged_with_the_scale
from verify.luckmatters.theorem3_step import steps_lengthen_a_filter
from verify.mathematics.families.narrowed import narrowed
from verify.mathematics.gradients.normalised_rounding import block_passes, radial_rounding
from verify.mathematics.gradients.normalised_training import Training, flow_rates, half_mean_square, loss
from verify.mathematics.precise.normalised import radial_drift

pytestmark = pytest.mark.statement("luckmatters.theorem3", "luckmatters.lemma1")

TRAINING = Training(inputs=4, hidden=(5, 3), outputs=2, samples=16, seed=1)


def relative_growth(
    training: Training, optimizer: torch.optim.Optimizer, student: NormalisedStudent
) -> float:
    """Growth of ||w||^2 over one small step, relative to what the gradient could move it radially."""
    x, y = training.batch()
    w = student.linears[0].weight
    before = w.detach().clone()
    optimizer.zero_grad()
    loss(student, x, y).backward()
    optimizer.step()
    step = (w.detach() - before).norm(dim=1)
    moved = step > 0  # a node that is shut for the whole batch stays
    radial = ((w.detach() - before) * before).sum(dim=1) / before.norm(dim=1)
    return float((radial[moved] / step[moved]).abs().max())


def test_only_plain_gradients_are_tangent() -> None:
    """SGD steps orthogonally to the filter; Adam and weight decay do not."""
    radial = {}
    for name, make in {
        "sgd": lambda p: torch.optim.SGD(p, lr=1e-3),
        "adam": lambda p: torch.optim.Adam(p, lr=1e-3),
        "decay": lambda p: torch.optim.SGD(p, lr=1e-3, weight_decay=0.1),
    }.items():
        student = TRAINING.student()
        radial[name] = relative_growth(TRAINING, make(student.parameters()), student)
    assert radial["sgd"] < 1e-9
    assert radial["adam"] > 1e-2
    assert radial["decay"] > 1e-2


def test_evaluation_mode_does_not_conserve() -> None:
    """With running statistics the normalisation is affine, and gradients have a radial part."""
    student = TRAINING.student().eval()
    assert relative_growth(TRAINING, torch.optim.SGD(student.parameters(), lr=1e-3), student) > 1e-2


@pytest.mark.parametrize("placement", ["relu_bn", "bn_relu"])
def test_filters_of_convolutions_are_conserved(placement: str) -> None:
    """BatchNorm2d takes its statistics over samples and positions; the filter's gradient stays tangent."""
    torch_rng = torch.Generator().manual_seed(0)
    conv = nn.Conv2d(2, 3, 3, bias=False, dtype=torch.float64)
    with torch.no_grad():
        conv.weight.normal_(generator=torch_rng)
    norm, relu = nn.BatchNorm2d(3, eps=NO_EPS, dtype=torch.float64), nn.ReLU()
    blocks = (conv, relu, norm) if placement == "relu_bn" else (conv, norm, relu)
    x = torch.randn(5, 2, 6, 6, generator=torch_rng, dtype=torch.float64)
    out = nn.Sequential(*blocks)(x)
    (out * torch.randn(out.shape, generator=torch_rng, dtype=torch.float64)).sum().backward()
    assert conv.weight.grad is not None
    filters = conv.weight.detach()
    radial = (filters * conv.weight.grad).sum(dim=(1, 2, 3))
    size = filters.norm() * conv.weight.grad.norm()
    assert float(radial.abs().max() / size) < 1e-13
    assert float(size) > 1


def test_drift_grows_in_proportion_to_eps() -> None:
    """O(eps / sigma^2): ten times the eps, ten times the drift, while eps is far below the variance."""
    drift = [
        max(float(block.weight.abs().max()) for block in flow_rates(dataclasses.replace(TRAINING, eps=eps)))
        for eps in (1e-7, 1e-6, 1e-5)
    ]
    np.testing.assert_allclose(np.divide(drift[1:], drift[:-1]), 10, rtol=2e-3)


@pytest.mark.parametrize("placement", ["relu_bn", "bn_relu"])
def test_many_digits_agree_with_autograd(placement: str) -> None:
    """The radial drift by differentiating the loss along the filter, without back-propagation."""
    training = dataclasses.replace(
        TRAINING, hidden=(2,), samples=5, eps=0.1, biased=True, placement=placement
    )
    largest = max(float(block.weight.abs().max()) for block in flow_rates(training))
    assert float(radial_drift(training)) == pytest.approx(largest, rel=1e-10)


def test_rounding_bounds_are_not_slack_without_limit() -> None:
    """A relative radial error of 1e-9 would be seen at every pinned example; a filter of one weight is all radial."""
    for statement in (norms_are_conserved_by_the_flow, exchanged_with_the_scale):
        for training in (each for each in statement.examples if min(each.hidden) > 1):
            for block in flow_rates(training):
                student, (x, y) = training.student(), training.batch()
                loss(student, x, y).backward()
                smallest = min(
                    float((lin.weight.detach().norm(dim=1) * lin.weight.grad.norm(dim=1)).max())
                    for lin in student.linears[:-1]
                )
                assert float(block.rounding.max()) < 1e-9 * smallest
    assert steps_lengthen_a_filter(steps_lengthen_a_filter.examples[0], Context()).holds


@pytest.mark.parametrize("placement", ["relu_bn", "bn_relu"])
@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_rounding_bounds_cover_and_follow_nearly_constant_batches(placement: str, shift: float) -> None:
    """A bias of 1e3 multiplies the rounding met and its bound alike: covered, and never by more than 1e4.

    The flow at eps = 0: all of ``weight + bias`` is rounding, where it is not exactly zero.
    """
    covered = []
    for seed in range(60):
        training = dataclasses.replace(TRAINING, placement=placement, seed=seed, biased=True)
        student, (x, y) = training.student(), training.batch()
        with torch.no_grad():
            student.linears[0].bias.add_(shift)
        passes, _ = block_passes(student, x, lambda outputs, y=y: half_mean_square(y, outputs))
        linear, block = student.linears[0], passes[0]
        radial = (linear.weight * block.weight).sum(dim=1) + linear.bias * block.bias
        alive = normalisation_variance(block.fed) > 0
        covered.append((radial.abs() / radial_rounding(linear, student.norms[0], block))[alive].detach())
    worst = float(torch.cat(covered).max())
    assert 1e-4 < worst < 1


def test_strategies_draw_both_placements() -> None:
    """Neither placement is forgotten."""
    seen = set()

    @settings(max_examples=50, database=None)
    @given(narrowed(Training, BUDGETS["quick"]))
    def collect(training: Training) -> None:
        seen.add(training.placement)

    collect()
    assert seen == {"relu_bn", "bn_relu"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (((3, 1), "relu_bn", 0.0), "sizes"),
        (((3, 2, 1), "bn", 0.0), "placement"),
        (((3, 2, 1), "relu_bn", -1.0), "eps"),
    ],
)
def test_bad_students_are_refused(arguments: tuple[tuple[int, ...], str, float], named: str) -> None:
    """One ValueError that names the argument."""
    sizes, placement, eps = arguments
    with pytest.raises(ValueError, match=named):
        NormalisedStudent(sizes, placement, eps=eps)  # type: ignore[arg-type]
