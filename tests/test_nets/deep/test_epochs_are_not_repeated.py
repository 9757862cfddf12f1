"""Every epoch has samples, or an order, of its own; an epoch asked for again is the same one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from luckproof import FixedSamples, FreshGaussian

CPU, FLOAT = torch.device("cpu"), torch.float64
SAMPLES = torch.arange(24, dtype=FLOAT)[:, None]
SOURCES = {
    "fresh": lambda: FreshGaussian((1,), (3, 5), batch_size=4, samples=24),
    "fixed": lambda: FixedSamples(SAMPLES, (1,), (3, 5), batch_size=4),
}


def epoch_of(source, epoch: int) -> np.ndarray:
    """All samples of an epoch in their order, ``(steps B, S)``."""
    parts = [x.clone() for x, _ in source.batches(epoch, slice(0, 2), CPU, FLOAT)]
    return torch.cat(parts).numpy()


@pytest.mark.parametrize("kind", SOURCES)
def test_two_epochs_differ_and_two_networks_too(kind):
    """Neither the samples of an epoch nor their order come back in the next epoch or in the next network."""
    source = SOURCES[kind]()
    first, second = epoch_of(source, 0), epoch_of(source, 1)
    assert not np.array_equal(first, second)
    assert (first[:, 0] != second[:, 0]).mean() > 0.5
    assert (first[:, 0] != first[:, 1]).mean() > 0.5


@pytest.mark.parametrize("kind", SOURCES)
def test_an_epoch_is_the_same_after_a_resume(kind):
    """A new source, asked for epoch 7 at once, gives what one that has run from epoch 0 gives."""
    resumed, running = SOURCES[kind](), SOURCES[kind]()
    for epoch in range(7):
        epoch_of(running, epoch)
    assert np.array_equal(epoch_of(resumed, 7), epoch_of(running, 7))


def test_every_sample_of_a_fixed_set_is_drawn_once_an_epoch():
    """An order is a permutation: nothing is drawn twice, nothing left out."""
    for epoch in range(3):
        order = epoch_of(SOURCES["fixed"](), epoch)
        for network in range(2):
            assert sorted(order[:, network]) == sorted(SAMPLES[:, 0].tolist())


def test_an_incomplete_batch_leaves_out_other_samples_each_epoch():
    """Over many epochs every sample is drawn, although one batch's worth is left out of each."""
    source = FixedSamples(SAMPLES[:22], (1,), (3, 5), batch_size=4)
    drawn = np.concatenate([epoch_of(source, epoch) for epoch in range(40)])
    assert set(drawn[:, 0]) == set(SAMPLES[:22, 0].tolist())
