"""Deep ensembles train as ``torch.nn`` modules under ``torch.optim.SGD`` do, layer by layer and batch by batch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from luckproof import (
    SGD,
    Architecture,
    Classification,
    DeepNetworks,
    Distillation,
    FixedSamples,
    FreshGaussian,
    deep_teachers,
    network_seeds,
)
from nets.deep.training.descent import DeepDescent, resting

DENSE = Architecture((5,), (4, 3), 3)
CONVOLUTIONS = Architecture((2, 7, 6), (4, 3), 3)
CASES = [
    pytest.param(replace(shape, normalisation=norm, affine=affine, bias=bias), id=f"{kind}-{norm}-{affine}-{bias}")
    for kind, shape in (("dense", DENSE), ("conv", CONVOLUTIONS))
    for norm, affine, bias in (
        ("none", True, True), ("none", True, False), ("before", True, True), ("before", False, False),
        ("after", True, True), ("after", False, True),
    )
]  # fmt: skip
STEPS, BATCH = 12, 6


def module_of(networks: DeepNetworks, index: int) -> nn.Sequential:
    """One network of an ensemble as torch's own modules, with a copy of its parameters."""
    shape = networks.architecture
    parts: list[nn.Module] = []
    for level, layer in enumerate(networks.layers):
        top = level == shape.depth - 1
        weight = layer.weight[index].clone()
        linear: nn.Module
        if weight.dim() == 4:
            linear = nn.Conv2d(weight.shape[1], weight.shape[0], shape.kernel, bias=shape.bias)
        else:
            linear, weight = nn.Linear(*weight.shape, bias=shape.bias), weight.T
        linear.weight = nn.Parameter(weight.contiguous())
        if layer.bias is not None:
            linear.bias = nn.Parameter(layer.bias[index].clone())
        norm = []
        if layer.norm is not None:
            made = (nn.BatchNorm2d if shape.convolutional else nn.BatchNorm1d)(
                shape.widths[level], eps=shape.eps, momentum=shape.momentum, affine=shape.affine
            )
            norm = [made.double()]
        relu = [] if top else [nn.ReLU()]
        hidden = [*norm, *relu] if shape.normalisation == "before" else [*relu, *norm]
        flatten = [nn.Flatten()] if top and shape.convolutional else []
        parts += [*flatten, linear, *hidden]
    return nn.Sequential(*parts)


def named(module: nn.Sequential) -> dict[str, Tensor]:
    """The module's parameters and running statistics under the ensemble's names."""
    found: dict[str, Tensor] = {}
    level = -1
    for part in module:
        if isinstance(part, nn.Linear | nn.Conv2d):
            level += 1
            found[f"{level}.weight"] = part.weight.T if isinstance(part, nn.Linear) else part.weight
            if part.bias is not None:
                found[f"{level}.bias"] = part.bias
        elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            values = {
                "mean": part.running_mean,
                "var": part.running_var,
                "scale": part.weight,
                "shift": part.bias,
            }
            found |= {f"{level}.{name}": value for name, value in values.items() if value is not None}
    return found


def descend(students: DeepNetworks, source: FreshGaussian, goal: Distillation, sgd: SGD) -> Tensor:
    descent = DeepDescent(students, goal, sgd, resting(students, sgd))
    everything = slice(0, students.count)
    losses = [
        descent.step(x, labels, sgd.rate(step, source.steps, 1))
        for step, (x, labels) in enumerate(source.batches(0, everything, students.device, students.dtype))
    ]
    return torch.stack(losses)


@pytest.mark.parametrize("shape", CASES)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    "sgd", [SGD(0.1), SGD(0.05, momentum=0.9, weight_decay=0.01, decay_from=0.5)], ids=["plain", "momentum"]
)
def test_every_network_follows_torch(shape: Architecture, count: int, sgd: SGD) -> None:
    """Parameters, running statistics and losses agree to 1e-10 after 12 steps, in every placement and shape."""
    seeds = network_seeds(1, count)
    teacher = deep_teachers.separated_teacher(replace(shape, normalisation="none"), seeds)
    students = deep_teachers.random_start(shape.over_parameterised(2), seeds)
    modules = [module_of(students, index) for index in range(count)]
    source = FreshGaussian(shape.inputs, tuple(seeds), BATCH, STEPS * BATCH, std=1.0)
    losses = descend(students, source, Distillation(teacher), sgd)
    for index, module in enumerate(modules):
        own = slice(index, index + 1)
        optimiser = torch.optim.SGD(
            module.parameters(), lr=sgd.lr, momentum=sgd.momentum, weight_decay=sgd.weight_decay
        )
        for step, (x, _) in enumerate(source.batches(0, own, students.device, students.dtype)):
            for settings in optimiser.param_groups:
                settings["lr"] = sgd.rate(step, STEPS, 1)
            target = teacher.part(own).output(x[None])[0]
            loss = 0.5 * (module(x) - target).square().sum(-1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            assert float(losses[step, index]) == pytest.approx(loss.item(), rel=1e-10)
        theirs = named(module)
        ours = students.part(own).tensors()
        assert theirs.keys() == ours.keys()
        for name, value in ours.items():
            torch.testing.assert_close(value[0], theirs[name].detach(), rtol=1e-10, atol=1e-10, msg=name)
        module.eval()
        fresh = torch.randn(4, *shape.inputs, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(
            students.part(own).output(fresh)[0], module(fresh).detach(), rtol=1e-10, atol=1e-10
        )


def test_mse_loss_is_met_by_the_stated_rate() -> None:
    """torch's MSELoss at rate r takes the steps of the project's loss at ``2 r / C``, and not those at r."""
    seeds = network_seeds(0, 1)
    teacher = deep_teachers.separated_teacher(DENSE, seeds)
    source = FreshGaussian(DENSE.inputs, tuple(seeds), BATCH, STEPS * BATCH, std=1.0)
    start = deep_teachers.random_start(DENSE, seeds)
    module = module_of(start, 0)
    optimiser = torch.optim.SGD(module.parameters(), lr=0.3)
    for x, _ in source.batches(0, slice(0, 1), start.device, start.dtype):
        optimiser.zero_grad()
        nn.MSELoss()(module(x), teacher.output(x[None])[0]).backward()
        optimiser.step()
    ours, other = start.clone(), start.clone()
    descend(ours, source, Distillation(teacher), SGD(2 * 0.3 / DENSE.outputs))
    descend(other, source, Distillation(teacher), SGD(0.3))
    reached = named(module)["0.weight"].detach()
    torch.testing.assert_close(ours.weights[0][0], reached, rtol=1e-10, atol=1e-10)
    assert (other.weights[0][0] - reached).abs().max() > 1e-3


def test_classification_is_cross_entropy() -> None:
    """Two epochs over a labelled set, every network in its own order, as CrossEntropyLoss takes them."""
    shape = replace(DENSE, normalisation="after")
    seeds = network_seeds(3, 2)
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(31, 5, dtype=torch.float64, generator=generator)
    y = torch.randint(0, 3, (31,), generator=generator)
    source = FixedSamples(x, shape.inputs, seeds, batch_size=8, labels=y)
    students = deep_teachers.random_start(shape, seeds)
    modules = [module_of(students, index) for index in range(2)]
    descent = DeepDescent(students, Classification(), SGD(0.2), None)
    for epoch in range(2):
        for batch, labels in source.batches(epoch, slice(0, 2), students.device, students.dtype):
            descent.step(batch, labels, 0.2)
    for index, module in enumerate(modules):
        optimiser = torch.optim.SGD(module.parameters(), lr=0.2)
        for epoch in range(2):
            own = source.batches(epoch, slice(index, index + 1), students.device, students.dtype)
            for batch, labels in own:
                assert labels is not None
                optimiser.zero_grad()
                nn.CrossEntropyLoss()(module(batch), labels[:, 0]).backward()
                optimiser.step()
        for name, value in students.part(slice(index, index + 1)).tensors().items():
            torch.testing.assert_close(value[0], named(module)[name].detach(), rtol=1e-10, atol=1e-10)
