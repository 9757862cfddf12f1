"""Removing whole nodes: exactly those that send least, and nothing at all where what is removed sends nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from luckproof import Architecture, DeepNetworks, deep_teachers
from nets.deep.architecture import NORMALISATIONS
from nets.deep.structured_pruning import contributions, fan_out_norms, pruned

SHAPES = {"dense": ((6,), (7, 5, 6)), "conv": ((2, 8, 8), (6, 5, 4))}
KEPT = (4, 3, 3)


def networks_of(kind: str, normalisation, seeds=(7, 8, 9)) -> DeepNetworks:
    """Random networks whose normalisation is not the identity, with biases that leave no node dead."""
    inputs, widths = SHAPES[kind]
    found = deep_teachers.random_start(Architecture(inputs, widths, 3, normalisation=normalisation), seeds)
    rng = torch.Generator().manual_seed(0)
    for layer in found.layers:
        layer.bias.abs_().add_(0.3)
        if layer.norm is not None:
            layer.norm.mean.normal_(0, 0.1, generator=rng)
            layer.norm.var.uniform_(0.5, 2.0, generator=rng)
            layer.norm.scale.uniform_(0.5, 2.0, generator=rng)
            layer.norm.shift.uniform_(0.1, 0.5, generator=rng)
    return found


def samples(kind: str, count: int = 200) -> torch.Tensor:
    inputs = SHAPES[kind][0]
    return torch.randn(count, *inputs, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


@pytest.mark.parametrize("normalisation", NORMALISATIONS)
@pytest.mark.parametrize("kind", list(SHAPES))
def test_nodes_that_send_nothing_leave_without_a_trace(kind, normalisation):
    """Fan-outs of all but a few nodes, other nodes in each network, are zero: the pruned networks compute the same."""
    networks, x = networks_of(kind, normalisation), samples(kind)
    rng = np.random.default_rng(5)
    for level, keep in enumerate(KEPT):
        nodes = networks.architecture.widths[level]
        above = networks.layers[level + 1].weight
        for network in range(networks.count):
            for node in rng.permutation(nodes)[keep:]:
                if above.dim() == 5:
                    above[network, :, node] = 0
                else:
                    above[network].view(nodes, -1, above.shape[-1])[node] = 0
    strength = contributions(networks, x)
    # else a node that is constant, and not zero, could be taken for one that sends nothing
    assert all(((s > 0).sum(-1) == keep).all() for s, keep in zip(strength, KEPT, strict=True))
    small = pruned(networks, KEPT, x)
    assert small.architecture.widths == KEPT
    torch.testing.assert_close(small.output(x), networks.output(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", list(SHAPES))
def test_the_strongest_stay_in_their_order(kind):
    """Against a sort by hand, on the biases, which tell the nodes apart."""
    networks, x = networks_of(kind, "before"), samples(kind)
    small = pruned(networks, KEPT, x)
    for level, strength in enumerate(contributions(networks, x)):
        for network in range(networks.count):
            best = sorted(np.argsort(-strength[network].numpy(), kind="stable")[: KEPT[level]])
            torch.testing.assert_close(
                small.layers[level].bias[network], networks.layers[level].bias[network, best]
            )


@pytest.mark.parametrize("kind", list(SHAPES))
def test_contribution_is_spread_times_fan_out(kind):
    """By numpy, and in chunks or at once alike."""
    networks, x = networks_of(kind, "after"), samples(kind)
    values = networks.activations(x)
    for level, found in enumerate(contributions(networks, x)):
        f = values[level].movedim(2, 1).flatten(2).numpy()
        expected = f.std(axis=-1) * fan_out_norms(networks, level).numpy()
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10, atol=1e-14)


def test_rescaled_nodes_contribute_the_same():
    """w_j and b_j times a, the fan-out divided by a: the function and the contribution stay."""
    networks, x = networks_of("dense", "none"), samples("dense")
    before = contributions(networks, x)[1]
    networks.layers[1].weight[:, :, 2] *= 10
    networks.layers[1].bias[:, 2] *= 10
    networks.layers[2].weight[:, 2] /= 10
    torch.testing.assert_close(contributions(networks, x)[1], before)


def test_keeping_all_changes_nothing_and_shares_nothing():
    networks, x = networks_of("conv", "before"), samples("conv")
    same = pruned(networks, networks.architecture.widths, x)
    assert same.fingerprint() == networks.fingerprint()
    for value in same.tensors().values():
        value.zero_()
    assert all(weight.any() for weight in networks.weights)


@pytest.mark.parametrize("widths", [(8, 5, 6), (7, 5), (7, 0, 6)])
def test_impossible_widths_are_refused(widths):
    with pytest.raises(ValueError, match="widths: expected 1 to"):
        pruned(networks_of("dense", "none"), widths, samples("dense"))
