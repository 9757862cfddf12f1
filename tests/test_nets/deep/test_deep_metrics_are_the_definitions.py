"""Correlations, ranks, activity and loss of deep students are what their definitions say, whatever the chunks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import nets.deep.metrics
from luckproof import Architecture, deep_teachers, network_seeds
from nets.deep.metrics import evaluate, record
from nets.deep.node_matching import correlation, ranks, winner_rank, winners
from nets.deep.training.batches import gaussian_inputs

DENSE = Architecture((5,), (4, 3), 2)
CONVOLUTIONS = Architecture((1, 6, 7), (3, 2), 4)


@pytest.mark.parametrize("shape", [DENSE, CONVOLUTIONS], ids=["dense", "conv"])
@pytest.mark.parametrize("normalisation", ["none", "before", "after"])
@pytest.mark.parametrize("elements", [1, 100, 1 << 22])
def test_evaluation_is_numpys(
    shape: Architecture, normalisation: str, elements: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """np.corrcoef over samples and positions, plain means for activity and loss; chunks do not matter."""
    monkeypatch.setattr(nets.deep.metrics, "CHUNK_ELEMENTS", elements)
    seeds = network_seeds(7, 2)
    teacher = deep_teachers.separated_teacher(shape, seeds)
    students = deep_teachers.random_start(
        replace(shape.over_parameterised(2), normalisation=normalisation), seeds
    )
    x = gaussian_inputs(shape.inputs, seeds, 23, 1.0) + 3.0
    found = evaluate(students, teacher, x)
    ours, theirs = students.traced(x), teacher.traced(x)
    for level, layer in enumerate(found.layers):
        for network in range(2):
            rows = [side[level][1][network].movedim(1, -1).flatten(0, -2).numpy() for side in (ours, theirs)]
            with np.errstate(invalid="ignore"):
                table = np.corrcoef(rows[0], rows[1], rowvar=False)[: rows[0].shape[1], rows[0].shape[1] :]
            constant = np.isnan(table)
            assert not layer.rho[network].numpy()[constant].any()
            np.testing.assert_allclose(layer.rho[network], np.nan_to_num(table), atol=1e-11)
            gate = (ours[level][0][network].movedim(1, -1).flatten(0, -2) > 0).double().mean(0)
            torch.testing.assert_close(layer.active[network], gate)
    error = (ours[-1][1] - theirs[-1][1]).square().flatten(1).mean(1)
    torch.testing.assert_close(found.loss, error)


def test_a_dead_node_correlates_with_nothing() -> None:
    """Under a normalisation its constant value rounds: still exactly 0, in float32 too."""
    seeds = network_seeds(7, 1)
    students = deep_teachers.random_start(replace(DENSE, normalisation="after"), seeds, dtype=torch.float32)
    first = students.layers[0]
    assert first.bias is not None
    assert first.norm is not None
    first.bias[0, 1] = -1e3
    first.norm.mean.fill_(0.1)
    first.norm.var.fill_(0.7)
    x = gaussian_inputs((5,), seeds, 500, 1.0, dtype=torch.float32)
    found = evaluate(students, deep_teachers.separated_teacher(DENSE, seeds, dtype=torch.float32), x)
    assert not found.layers[0].rho[0, 1].any()
    assert float(found.layers[0].active[0, 1]) == 0
    assert found.layers[0].rho[0, 0].any()


def test_ranks_hold_what_the_final_winner_needs() -> None:
    """Ranks of all students, taken at any winner, are the rank of that winner; ties count against it."""
    generator = torch.Generator().manual_seed(0)
    early, late = torch.rand(2, 3, 7, 4, generator=generator).round(decimals=1)  # with ties
    winner = winners(late)
    taken = ranks(early).gather(-2, winner[:, None, :])[:, 0] / 6
    torch.testing.assert_close(taken, winner_rank(early, winner))
    by_hand = sum(float(early[1, k, 2] >= early[1, winner[1, 2], 2]) for k in range(7)) - 1
    assert float(taken[1, 2]) == pytest.approx(by_hand / 6)


def test_a_record_holds_the_evaluation() -> None:
    seeds = network_seeds(7, 2)
    x = gaussian_inputs((5,), seeds, 50, 1.0)
    students, teacher = (
        deep_teachers.random_start(DENSE, seeds),
        deep_teachers.separated_teacher(DENSE, seeds),
    )
    kept = record(evaluate(students, teacher, x))
    rho = correlation(students.activations(x)[0], teacher.activations(x)[0])
    np.testing.assert_allclose(kept["best_rho_1"], rho.amax(-2), atol=1e-12)
    np.testing.assert_array_equal(kept["winner_1"], rho.argmax(-2))


@pytest.mark.parametrize("shape", [DENSE, CONVOLUTIONS], ids=["dense", "conv"])
def test_separated_teachers_have_distinct_discrete_unit_fan_ins(shape: Architecture) -> None:
    """Unit columns on the grid of entries up to their scale, no two of one direction, biases of the stated law."""
    teacher = deep_teachers.separated_teacher(shape, network_seeds(0, 20))
    shifts = []
    for index, layer in enumerate(teacher.layers):
        W = layer.weight
        columns = W.flatten(2).mT if W.dim() == 5 else W
        torch.testing.assert_close(columns.norm(dim=1), torch.ones_like(columns[:, 0]))
        cosine = columns.mT @ columns - 2 * torch.eye(columns.shape[2], dtype=W.dtype)
        assert cosine.max() < 1 - 1e-6
        top = columns.abs().amax(1, keepdim=True)
        quarters = torch.stack([columns / top * scale for scale in (1, 2)])
        on_grid = ((quarters - quarters.round()).abs() < 1e-9).all(2)
        assert on_grid.any(0).all()  # entries 0, +-1/4, +-1/2 over the largest of them
        assert layer.bias is not None
        assert layer.bias.shape == (20, shape.node_count(index))
        # ||e|| = largest entry of e over the largest entry of w: 1/4 or 1/2 over it
        bound = 0.5 / (torch.where(on_grid[0], 0.25, 0.5) / top[:, 0])
        assert (layer.bias.abs() <= bound + 1e-12).all()
        shifts.append(layer.bias.flatten())
    joined = torch.cat(shifts)
    assert joined.std() > 0.05
    assert joined.mean().abs() < 5 * joined.std() / len(joined) ** 0.5


@pytest.mark.parametrize("shape", [Architecture((20,), (10, 15, 20), 8), CONVOLUTIONS], ids=["dense", "conv"])
def test_balanced_teachers_are_half_active_and_standardised(shape: Architecture) -> None:
    """On fresh inputs within five standard errors; the plain generator is neither."""
    seeds, samples = network_seeds(1, 3), 4000
    teacher = deep_teachers.balanced_teacher(shape, seeds, samples=samples)
    x = gaussian_inputs(shape.inputs, seeds, samples)
    reach = 5 * (0.5 / samples**0.5) * 2**0.5  # of both samples, for shares and (in sigmas) for the mean
    *hidden, (y, _) = teacher.traced(x)
    for z, _ in hidden:
        share = (z.movedim(2, -1).flatten(1, -2) > 0).double().mean(1)
        assert (share - 0.5).abs().max() < reach
    assert y.mean(1).abs().max() < 2 * reach
    assert (y.std(1) - 1).abs().max() < 4 * reach  # kurtosis of sums of ReLUs is within a few
    plain = deep_teachers.separated_teacher(shape, seeds).traced(x)[-1][1]
    assert (plain.std(1) - 1).abs().max() > 1
    with pytest.raises(ValueError, match="expected biases and no normalisation"):
        deep_teachers.balanced_teacher(replace(shape, normalisation="after"), seeds)


def test_a_seed_gives_its_network_whatever_the_others() -> None:
    """Teachers and starts of one seed are the same alone and among others, and differ between seeds."""
    seeds = network_seeds(1, 3)
    for made in (
        deep_teachers.separated_teacher,
        deep_teachers.random_start,
        lambda *a: deep_teachers.balanced_teacher(*a, samples=100),
    ):
        together, alone = made(DENSE, seeds), made(DENSE, seeds[1:2])
        for name, value in alone.tensors().items():
            assert torch.equal(together.tensors()[name][1:2], value)
        assert not torch.equal(together.weights[0][0], together.weights[0][1])
