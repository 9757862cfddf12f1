"""Random streams: one for each network, whatever the ensemble, the block or the run; of the measure's law."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from luckproof import (
    Array,
    BiasedGaussian,
    EmpiricalMeasure,
    InputMeasure,
    IsotropicGaussian,
    TeacherStudent,
    TwoLayerStudents,
    network_seeds,
    teachers,
    train,
)
from nets.two_layer.batches import BLOCK_VALUES, FreshBatches


class Tilted(IsotropicGaussian):
    """A law of its own: the Gaussian's samples, the first coordinate made positive."""

    def sample(self, size: int, rng: np.random.Generator) -> Array:
        x = super().sample(size, rng)
        x[:, 0] = np.abs(x[:, 0])
        return x


EMPIRICAL = EmpiricalMeasure(np.eye(3), weights=[0.5, 0.2, 0.3])
MEASURES = [IsotropicGaussian(4, std=2.0), BiasedGaussian(3), EMPIRICAL, Tilted(4)]
FALSE_ALARM = 1e-6


def batches(measure: InputMeasure, seeds: list[int], batch_size: int, device: str = "cpu") -> FreshBatches:
    return FreshBatches(measure, seeds, batch_size, device=torch.device(device), dtype=torch.float64)


@pytest.mark.parametrize("measure", MEASURES, ids=repr)
def test_stream_does_not_depend_on_the_ensemble(measure: InputMeasure, device: str) -> None:
    """Network s draws the same samples, bit for bit, alone and among others, across a change of block."""
    seeds = network_seeds(7, 3)
    together, alone = batches(measure, seeds, 512, device), batches(measure, seeds[1:2], 512, device)
    for _ in range(together.block + 2):
        assert torch.equal(next(together)[1:2], next(alone))


def test_seeds_are_a_prefix_and_differ() -> None:
    """More networks leave the seeds of the first ones as they are; no two seeds agree."""
    seeds = network_seeds(3, 50)
    assert network_seeds(3, 20) == seeds[:20]
    assert len(set(seeds) | set(network_seeds(4, 50))) == 100


@pytest.mark.parametrize("measure", MEASURES, ids=repr)
def test_second_moment_of_the_samples(measure: InputMeasure, device: str) -> None:
    """The mean of x x^T is E[x x^T] within the sampling error of each entry."""
    source = batches(measure, [5], 1000, device)
    x = torch.cat([next(source)[0].mT.clone() for _ in range(40)]).cpu().numpy()
    products = x[:, :, None] * x[:, None, :]
    error = products.std(axis=0) / np.sqrt(len(x))
    deviation = np.abs(products.mean(axis=0) - measure.second_moment())
    quantile = stats.norm.isf(FALSE_ALARM / (2 * measure.dim**2))
    assert np.all(deviation <= quantile * error + 1e-12)
    assert np.any(np.abs(1.1 * products.mean(axis=0) - measure.second_moment()) > quantile * error)  # control


def test_gaussian_samples_have_the_gaussian_law(device: str) -> None:
    """Kolmogorov-Smirnov on one stream; a normal with 5 % more spread is rejected."""
    source = batches(IsotropicGaussian(4, std=2.0), [11], 1000, device)
    x = torch.stack([next(source)[0].clone() for _ in range(50)]).flatten().cpu().numpy()
    assert stats.kstest(x, "norm", args=(0, 2.0)).pvalue > FALSE_ALARM
    assert stats.kstest(x, "norm", args=(0, 2.1)).pvalue < FALSE_ALARM


def test_streams_of_different_networks_are_independent() -> None:
    """Correlations between networks and between successive batches stay within sampling error."""
    source = batches(IsotropicGaussian(4), network_seeds(0, 4), 2000)
    rows = torch.cat([next(source).clone() for _ in range(2)]).flatten(1).numpy()
    correlation = np.corrcoef(rows) - np.eye(8)
    assert np.abs(correlation).max() <= stats.norm.isf(FALSE_ALARM / 56) / np.sqrt(rows.shape[1])


def test_bias_row_is_one() -> None:
    """The augmented coordinate of a biased Gaussian is exactly one in every block."""
    source = batches(BiasedGaussian(3), [1, 2], 64)
    assert all(bool((next(source)[:, -1] == 1).all()) for _ in range(source.block + 1))


def test_a_measure_of_ones_own_is_what_networks_see(device: str) -> None:
    """A derived measure's ``sample`` fills the batches, its law and no other, in whole blocks of any length."""
    source = batches(Tilted(4), [1, 2], 64, device)
    x = torch.cat([next(source).clone() for _ in range(source.block + 1)], dim=-1).cpu().numpy()
    assert x[:, 0].min() > 0 > x[:, 1].min()
    assert stats.kstest(x[0, 0], "halfnorm").pvalue > FALSE_ALARM
    assert not np.array_equal(x[0], x[1])
    assert np.unique(x[0, 1]).size == x[0, 1].size


def test_memory_of_a_block_is_bounded() -> None:
    """A block holds at most the stated number of values for each network, or a single batch where that is larger."""
    assert batches(IsotropicGaussian(10), [0], 256).block == BLOCK_VALUES["cpu"] // 2560
    assert batches(IsotropicGaussian(100), [0], 10_000).block == 1


@pytest.mark.parametrize("projected", [True, False], ids=["projected", "plain"])
@pytest.mark.parametrize("measure", [IsotropicGaussian(4), BiasedGaussian(3)], ids=repr)
def test_network_alone_follows_its_path_in_the_ensemble(measure: InputMeasure, projected: bool) -> None:
    """Trained alone with its own seed, a network repeats its trajectory up to accumulated rounding."""
    rng = np.random.default_rng(2)
    problem = TeacherStudent.at_angle(teachers.random_unit(4, 3, rng, (5,)), 0.4, rng, measure=measure)
    settings = {"lr": 0.1, "batch_size": 32, "steps": 300, "projected": projected, "record_every": 60}
    ensemble = train(TwoLayerStudents.from_problem(problem, "cpu"), seed=9, **settings)
    seeds = network_seeds(9, 5)
    for network in (0, 3):
        students = TwoLayerStudents.from_problem(problem.instance(network), "cpu")
        alone = train(students, seed=[seeds[network]], **settings)
        students = TwoLayerStudents.from_problem(problem.instance(network), "cpu")
        other = train(students, seed=[seeds[1]], **settings)
        # Each step rounds a few ulp, and descent does not amplify them on the way to the teacher.
        tolerance = 10 * settings["steps"] * np.finfo(np.float64).eps
        assert np.abs(alone.state["W"] - ensemble.state["W"][:, network]).max() <= tolerance
        assert np.abs(other.state["W"] - ensemble.state["W"][:, network]).max() > 1e-3  # control
