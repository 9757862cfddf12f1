"""Lucky starts lie between a random one and the teacher; shapes that do not fit are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from luckproof import Architecture, Classification, DeepNetworks, FixedSamples, FreshGaussian, deep_teachers
from nets.deep.training.descent import in_training_mode

SEEDS = [3, 4]
SHAPE = Architecture((5,), (4, 3), 2, bias=False)
WIDE = SHAPE.over_parameterised(2)


def near(luck: float, gain: float = 1.0) -> tuple[DeepNetworks, DeepNetworks]:
    teacher = deep_teachers.separated_teacher(SHAPE, SEEDS)
    return deep_teachers.near_start(WIDE, teacher, SEEDS, luck=luck, gain=gain), teacher


@pytest.mark.parametrize("gain", [1.0, 0.3])
def test_every_fan_in_has_the_gain_as_norm(gain: float) -> None:
    """Lucky or not, in every layer and network."""
    for luck in (0.0, 0.7):
        for layer in near(luck, gain)[0].layers:
            np.testing.assert_allclose(layer.weight.norm(dim=1), gain, rtol=1e-12)


def test_luck_turns_the_first_nodes_to_the_teachers_and_no_others() -> None:
    """``colnorm(noise + luck W*)`` in the block that joins paired nodes; the rest is the random start of the seed."""
    random, teacher = near(0.0)
    lucky, _ = near(1e9)
    for level, (start, drawn, taught) in enumerate(
        zip(lucky.layers, random.layers, teacher.layers, strict=True)
    ):
        below, above = taught.weight.shape[1:]
        found = start.weight[:, :below, :above]
        expected = taught.weight / taught.weight.norm(dim=1, keepdim=True)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-7)
        if level < 2:
            torch.testing.assert_close(start.weight[:, :, above:], drawn.weight[:, :, above:], rtol=0, atol=0)
    some, _ = near(1.0)
    noise = random.layers[0].weight[0, :, :4] + teacher.layers[0].weight[0]
    torch.testing.assert_close(some.layers[0].weight[0, :, :4], noise / noise.norm(dim=0), rtol=1e-12, atol=0)


def test_training_mode_takes_the_statistics_of_the_batch_and_keeps_its_own() -> None:
    """As torch's modules in ``train()``; the running statistics stay what they were."""
    shape = replace(WIDE, normalisation="before", bias=True)
    students = deep_teachers.random_start(shape, SEEDS)
    before = {name: value.clone() for name, value in students.tensors().items()}
    x = torch.randn(2, 9, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    out = in_training_mode(students, x)
    assert out.shape == (2, 9, 2)
    values = x[0]
    for layer in students.layers:
        values = values @ layer.weight[0] + layer.bias[0]
        if layer.norm is not None:
            values = (values - values.mean(0)) / (values.var(0, correction=0) + shape.eps).sqrt()
            values = torch.relu(values * layer.norm.scale[0] + layer.norm.shift[0])
    torch.testing.assert_close(out[0], values)
    assert all(torch.equal(value, before[name]) for name, value in students.tensors().items())


def test_shapes_that_do_not_fit_are_named() -> None:
    """Networks, samples and labels, each by its argument."""
    students = deep_teachers.random_start(SHAPE, SEEDS)
    with pytest.raises(ValueError, match="layers: expected 3, got 2"):
        DeepNetworks(SHAPE, students.layers[:2])
    with pytest.raises(ValueError, match=r"0\.weight: expected shape"):
        DeepNetworks(SHAPE, [students.layers[2], *students.layers[1:]])
    with pytest.raises(ValueError, match="x: expected inputs for 2 networks, got 3"):
        students.expand(torch.zeros(3, 7, 5))
    x = torch.zeros(7, 5)
    for given, named in (
        ({"x": torch.zeros(3, 7, 5)}, "x: expected"),
        ({"labels": torch.zeros(6, dtype=torch.int64)}, "labels"),
        ({"batch_size": 8}, "x: expected at least one batch of 8"),
    ):
        with pytest.raises(ValueError, match=named):
            FixedSamples(**{"x": x, "inputs": (5,), "seeds": SEEDS, "batch_size": 2, **given})
    with pytest.raises(ValueError, match="samples: expected at least one batch of 8"):
        FreshGaussian((5,), (0,), batch_size=8, samples=7)
    with pytest.raises(ValueError, match="labels: expected a source with labels"):
        Classification()(x, None, x)
