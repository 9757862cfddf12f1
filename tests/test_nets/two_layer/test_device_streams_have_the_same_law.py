"""Streams of a device (torch's own generator) on the CPU: other numbers of the same law, a stream for every seed."""

from __future__ import annotations

import numpy as np
import torch

from luckproof import EmpiricalMeasure, IsotropicGaussian
from nets.two_layer.batches import Atoms, DeviceStream, HostStream

CPU, FLOAT = torch.device("cpu"), torch.float64


def stream(seed: int) -> DeviceStream:
    return DeviceStream(seed, CPU, Atoms(CPU, FLOAT))


def test_normals_are_normal_and_the_seed_decides() -> None:
    """Contiguous or not: mean 0, variance 1, the same numbers again from the same seed, others from another."""
    rows = torch.empty(200, 5, 8, dtype=FLOAT)
    for part in (rows, rows.transpose(1, 2), rows[:, :-1]):
        stream(0).fill_normal(part)
        size = part.numel()
        assert abs(float(part.mean())) < 6 / np.sqrt(size)
        assert abs(float(part.var()) - 1) < 6 * np.sqrt(2 / size)
        again, other = torch.empty_like(part), torch.empty_like(part)
        stream(0).fill_normal(again)
        stream(1).fill_normal(other)
        assert torch.equal(again, part)
        assert not torch.equal(other, part)


def test_samples_are_chosen_by_weight() -> None:
    """Each column is one of the samples, as often as its weight says; the last one too."""
    samples, weights = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]), np.array([0.5, 0.2, 0.3])
    rows = torch.empty(100, 2, 50, dtype=FLOAT)
    for one in (stream(0), HostStream(0, Atoms(CPU, FLOAT))):
        one.fill_chosen(rows, samples, weights)
        assert torch.equal(rows[:, 1], rows[:, 0] + 1)
        shares = np.array([float((rows[:, 0] == sample[0]).double().mean()) for sample in samples])
        assert np.all(np.abs(shares - weights) < 6 * np.sqrt(weights * (1 - weights) / 5000))


def test_a_measure_draws_on_the_host_where_it_knows_no_other_way() -> None:
    """``rng`` is a generator of the stream's own seed, and what it draws is put on the device."""
    rows, drawn = torch.empty(3, 4, 5, dtype=FLOAT), stream(7).rng.standard_normal((3, 4, 5))
    stream(7).fill_with(rows, drawn)
    assert np.array_equal(rows.numpy(), HostStream(7, Atoms(CPU, FLOAT)).rng.standard_normal((3, 4, 5)))


def test_measures_fill_their_batches_from_either_stream() -> None:
    """Second moments of what networks would see on a device."""
    rows = torch.empty(400, 3, 20, dtype=FLOAT)
    for measure in (IsotropicGaussian(3, 2.0), EmpiricalMeasure(np.diag([1.0, 2.0, 3.0]))):
        measure.fill_batches(rows, stream(3))
        x = rows.transpose(1, 2).reshape(-1, 3).numpy()
        np.testing.assert_allclose(x.T @ x / len(x), measure.second_moment(), atol=0.4)
