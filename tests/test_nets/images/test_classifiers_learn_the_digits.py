"""Teachers from data: they learn, their accuracy is what it says, and torch computes the same from their state dict."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from luckproof import SGD, Architecture, deep_teachers, load_digits, train_classifiers
from nets.images.classifiers import TaskTensors, accuracy, predictions
from nets.images.vgg_layout import vgg_state_dict

SEEDS = (1, 2, 3)
INPUTS = {"conv": (1, 8, 8), "dense": (64,)}
WIDTHS = {"conv": (4, 4, 4), "dense": (16, 16, 16)}


@pytest.fixture(scope="module")
def digits():
    return load_digits().standardised()


@pytest.fixture(scope="module", params=list(INPUTS))
def trained(request, digits):
    """Small networks after three epochs, and their task."""
    inputs = INPUTS[request.param]
    task = TaskTensors.of(digits, inputs)
    networks = deep_teachers.random_start(
        Architecture(inputs, WIDTHS[request.param], 10, normalisation="before"), SEEDS, dtype=torch.float32
    )
    run = train_classifiers(networks, task, SEEDS, sgd=SGD(0.05, momentum=0.9), epochs=3, batch_size=32)
    assert run.success
    return networks, task


def test_they_learn(trained):
    """Far above the 10 % of chance, on images they have not seen."""
    networks, task = trained
    assert (accuracy(networks, task.test_x, task.test_labels) > 0.8).all()


def test_accuracy_is_the_share_of_right_predictions(trained):
    networks, task = trained
    right = predictions(networks, task.test_x).numpy() == task.test_labels.numpy()
    np.testing.assert_array_equal(accuracy(networks, task.test_x, task.test_labels), right.mean(axis=1))
    scrambled = task.test_labels.roll(1)
    assert (accuracy(networks, task.test_x, scrambled) < 0.3).all()


def test_torch_computes_the_same_from_the_state_dict(trained):
    """Conv2d or Linear, BatchNorm, ReLU in turn, loaded strictly; float32 rounding apart."""
    networks, task = trained
    widths = networks.architecture.widths
    conv = networks.architecture.convolutional
    modules: list[nn.Module] = []
    for below, above in zip((task.x.shape[1], *widths), widths, strict=False):
        modules += [nn.Conv2d(below, above, 3), nn.BatchNorm2d(above)] if conv else [
            nn.Linear(below, above), nn.BatchNorm1d(above)
        ]  # fmt: skip
        modules.append(nn.ReLU())
    model = nn.ModuleDict(
        {
            "features": nn.Sequential(*modules),
            "classifier": nn.Sequential(nn.Linear(networks.architecture.fan_in(3), 10)),
        }
    )
    state = vgg_state_dict(networks, 1)
    missing = model.load_state_dict(state, strict=False)
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)
    assert not missing.unexpected_keys
    model.eval()
    with torch.no_grad():
        output = model["classifier"](model["features"](task.test_x).flatten(1))
    torch.testing.assert_close(output, networks.output(task.test_x)[1], rtol=1e-4, atol=1e-4)


def test_only_vgg_like_networks_have_the_layout():
    networks = deep_teachers.random_start(Architecture((3,), (2,), 2, normalisation="after"), (0,))
    with pytest.raises(ValueError, match="normalisation before the ReLU"):
        vgg_state_dict(networks, 0)
