"""Learning rates change at the step that their schedule says, and records are summed up as their names say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from luckproof import SGD, Architecture, FreshGaussian, deep_teachers, train_deep
from nets.deep.steps import Step
from nets.deep.training.batches import gaussian_inputs


def test_a_drop_begins_with_its_epoch() -> None:
    """From the first step of the epoch on, counted from 0, and no step before."""
    sgd = SGD(1.0, drops=((2, 0.1), (3, 0.01)))
    rates = [sgd.rate(step, 5, 4) for step in range(20)]
    assert rates == [1.0] * 10 + [0.1] * 5 + [0.01] * 5


def test_a_linear_decay_ends_at_zero() -> None:
    """From a share of the run on it falls in equal steps, to 0 after the last one; drops scale it."""
    sgd = SGD(2.0, decay_from=0.6)
    rates = [sgd.rate(step, 5, 4) for step in range(21)]
    assert rates[:13] == [2.0] * 13
    np.testing.assert_allclose(np.diff(rates[12:]), -2.0 / 8, rtol=1e-12)
    assert rates[20] == 0.0
    assert SGD(2.0, decay_from=0.0, drops=((1, 1.0),)).rate(10, 5, 4) == pytest.approx(0.5)


def test_summaries_over_teacher_nodes_are_their_mean_and_median() -> None:
    """Layer by layer, of the same ranks and correlations that stand beside them node by node."""
    shape, seeds = Architecture((6,), (5, 4), 2), [0, 1]
    teacher = deep_teachers.separated_teacher(shape, seeds)
    students = deep_teachers.random_start(shape.over_parameterised(3), seeds)
    run = train_deep(
        students, teacher, FreshGaussian((6,), tuple(seeds), 8, 80, std=1.0), sgd=SGD(0.05), epochs=2,
        evaluation=gaussian_inputs((6,), seeds, 60, 1.0), record_at=(0, 1, 2),
    )  # fmt: skip
    seen = run.observables
    for layer, nodes in enumerate((slice(0, 5), slice(5, 9))):
        ranks, best = seen["winner_rank"][..., nodes], seen["best_rho"][..., nodes]
        np.testing.assert_allclose(seen["mean_rank"][..., layer], ranks.mean(-1), rtol=1e-14)
        np.testing.assert_allclose(seen["median_rank"][..., layer], np.median(ranks, axis=-1), rtol=1e-14)
        np.testing.assert_allclose(seen["rho_bar"][..., layer], best.mean(-1), rtol=1e-14)
    alive = seen["best_rho"][-1] > 0  # with a dead teacher node all students tie
    assert np.all(seen["winner_rank"][-1][alive] == 0)  # of the last record's own winners
    assert np.any(seen["mean_rank"] != seen["median_rank"])


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_a_step_is_torchs_with_weight_decay(momentum: float) -> None:
    """Three steps of a bias and of a matrix, whose gradient is a product, with momentum and without."""
    drawn = torch.randn(40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    bias, weight = drawn[:4].clone(), drawn[4:16].clone().view(1, 3, 4)
    x, g = drawn[16:22].clone().view(1, 2, 3), drawn[22:30].clone().view(1, 2, 4)
    theirs = [torch.nn.Parameter(value.clone()) for value in (bias, weight)]
    known = torch.optim.SGD(theirs, lr=0.1, momentum=momentum, weight_decay=0.3)
    velocities = [torch.zeros_like(value) if momentum else None for value in (bias, weight)]
    step = Step(0.1, momentum, 0.3)
    for _ in range(3):
        theirs[0].grad, theirs[1].grad = g[0, 0].clone(), x.mT @ g
        known.step()
        step.along(bias, velocities[0], g[0, 0])
        step.along_product(weight, velocities[1], x, g)
    torch.testing.assert_close(bias, theirs[0].data, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(weight, theirs[1].data, rtol=1e-14, atol=1e-14)
