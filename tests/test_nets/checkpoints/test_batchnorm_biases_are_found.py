"""Every batch normalisation of a state dict is found, in order, and nothing else; its biases are counted exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from luckproof import NormLayer, norm_layers
from tests.test_nets.checkpoints.state_dict_layouts import NORMS, timm_head, torchvision_head, vgg


@pytest.mark.parametrize("head", [torchvision_head, timm_head])
@pytest.mark.parametrize("name", list(NORMS))
@pytest.mark.parametrize("prefix", ["", "module."])
def test_vgg_layouts(name, head, prefix):
    """Names, order and biases of VGG11/13/16/19-bn as torchvision and timm save them, also from several GPUs."""
    state, biases = vgg(name, np.random.default_rng(0), head)
    layers = norm_layers({prefix + key: value for key, value in state.items()})
    assert [layer.name for layer in layers] == [f"{prefix}features.{place}" for place in NORMS[name]]
    for layer, expected in zip(layers, biases, strict=True):
        np.testing.assert_array_equal(layer.bias, expected)
        assert layer.negative == (expected < 0).sum()


def test_only_batch_normalisation_counts():
    """Layer and group norms have no running statistics, an affine-free batch norm has no bias."""
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.LayerNorm(4), nn.BatchNorm2d(4, affine=False),
        nn.InstanceNorm2d(4, affine=True), nn.BatchNorm2d(4), nn.Linear(4, 4),
    )  # fmt: skip
    assert [layer.name for layer in norm_layers(network.state_dict())] == ["5"]
    with pytest.raises(
        ValueError, match=r"no batch normalisation with scale and bias found .* among 2 tensors"
    ):
        norm_layers(nn.Linear(3, 2).state_dict())


def test_a_lone_normalisation_has_a_name():
    assert norm_layers(nn.BatchNorm1d(3).state_dict())[0].name == "(the network itself)"


def test_unequal_lengths_are_no_normalisation():
    state = nn.BatchNorm1d(3).state_dict()
    with pytest.raises(ValueError, match="no batch normalisation"):
        norm_layers(state | {"bias": torch.zeros(2)})


def test_biases_that_are_not_numbers_are_refused():
    state = nn.Sequential(nn.BatchNorm1d(3)).state_dict()
    state["0.bias"][1] = torch.nan
    with pytest.raises(ValueError, match="0: expected finite"):
        norm_layers(state)


def test_zero_is_not_negative():
    layer = NormLayer("", np.ones(4), np.array([-1e-300, 0.0, -0.0, 1.0]))
    assert (layer.negative, layer.share_negative) == (1, 0.25)


def test_open_share_is_how_often_the_relu_is_open():
    """Against a normalisation in torch and a ReLU, on normal inputs: within 5 standard errors of the sample."""
    samples, nodes = 20_000, 6
    rng = torch.Generator().manual_seed(0)
    norm = nn.BatchNorm1d(nodes, eps=1e-12, dtype=torch.float64)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([1.0, 0.3, -0.5, 0.0, 0.0, 2.0]))
        norm.bias.copy_(torch.tensor([-0.4, 0.2, -1.0, -0.1, 0.1, 0.0]))
        x = torch.randn(samples, nodes, generator=rng, dtype=torch.float64) * 3 + 1
        measured = (torch.relu(norm(x)) > 0).double().mean(0).numpy()
    predicted = norm_layers(norm.state_dict())[0].open_shares
    error = np.sqrt(predicted * (1 - predicted) / samples)
    assert (np.abs(measured - predicted) <= 5 * error).all()
    assert predicted[3] == 0
    assert predicted[4] == 1
