"""Every training runs on an accelerator: nothing on two devices, so many kernels a step, and no wait or copy in it.

There the kernels are small and their launches are what a step costs, so their number is held fixed here, without the
graphs that launch many steps at once (``test_steps_are_captured_on_a_device.py``). How long they take is for the tests
marked ``gpu``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from luckproof import (
    SGD,
    DeepNetworks,
    EmpiricalMeasure,
    IsotropicGaussian,
    SpecializationSetting,
    Trajectory,
    deep_teachers,
    train_specialization,
)
from nets.captured_steps import SWITCH
from nets.deep.training.batches import gaussian_inputs
from nets.products import Products
from nets.specialization.steps import BLOCK
from nets.two_layer.batches import BLOCK_VALUES
from tests.pretended_device import NAME, OnDevice, Traffic, pretended_device
from tests.test_nets.small_trainings import SEEDS, SHAPE, beyond, deep, two_layer

CHECK_STEPS = 16
"""Steps between two looks of the host at the losses here; 64 otherwise."""

FEW, MANY = 1, 3
"""Blocks of steps in a short and a long run: what the long one has beyond is the steps' own."""


@pytest.fixture
def traffic(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SWITCH, "never")
    monkeypatch.setattr("nets.two_layer.training.CHECK_STEPS", CHECK_STEPS)
    monkeypatch.setattr("nets.deep.training.run.CHECK_STEPS", CHECK_STEPS)
    with pretended_device(monkeypatch) as found:
        yield found


def test_two_devices_are_refused_as_cuda_does(traffic: Traffic) -> None:
    """The check itself: the pretended device finds what it is for."""
    here, there = torch.ones(3), torch.ones(3, device=NAME)
    with pytest.raises(RuntimeError, match="expected all tensors on one device"):
        torch.add(here, there)
    assert isinstance(there + 1, OnDevice)
    assert (traffic.launches, traffic.waits, traffic.copies) == (2, 0, 0)
    assert (there * 2).sum().item() == 6
    assert there[torch.tensor([0, 2])].cpu().tolist() == [1, 1]
    assert (traffic.launches, traffic.waits, traffic.copies) == (5, 2, 1)


@pytest.mark.parametrize(
    ("options", "launches"),
    [
        ({}, 14),
        ({"train_V": True}, 16),
        ({"projected": False, "train_V": False}, 9),
        ({"projected": False}, 11),
    ],
    ids=["Theorem 4", "Theorem 5", "plain W", "plain W and V"],
)
@pytest.mark.parametrize("sampled", [False, True], ids=["Gaussian", "samples"])
def test_two_layer_training(traffic: Traffic, options: dict[str, bool], launches: int, sampled: bool) -> None:
    """Samples are drawn on the device, and the host looks at the losses once in ``CHECK_STEPS`` steps."""
    atoms = np.random.default_rng(1).standard_normal((50, 6))
    measure = EmpiricalMeasure(atoms) if sampled else IsotropicGaussian(6)
    drawing = beyond(
        traffic, lambda blocks: two_layer("cuda", blocks * CHECK_STEPS, measure, **options), FEW, MANY
    )
    steps = (MANY - FEW) * CHECK_STEPS
    assert launches <= drawing[0] / steps < launches + 0.5  # some more for a block of samples and a look
    assert drawing[1:] == (MANY - FEW, 0)


def test_two_layer_training_does_the_same_as_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the same samples: the step on a device is the step on the host."""
    monkeypatch.setattr("nets.two_layer.batches.DeviceStream", lambda seed, device, atoms: _HostDrawn(seed))
    monkeypatch.setattr("nets.two_layer.batches.HostStream", lambda seed, atoms: _HostDrawn(seed))
    here = two_layer("cpu", 100)
    with pretended_device(monkeypatch):
        there = two_layer("cuda", 100)
    np.testing.assert_allclose(there.state["W"], here.state["W"], rtol=0, atol=1e-12)


class _HostDrawn:
    """Normals of one generator wherever they are needed, so that devices may be compared."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def fill_normal(self, rows: torch.Tensor) -> None:
        for step in range(rows.shape[0]):  # blocks differ in length between devices, steps do not
            rows[step].copy_(torch.from_numpy(self._rng.standard_normal(tuple(rows.shape[1:]))))


def specialization(blocks: int, device: str) -> Trajectory:
    setting = SpecializationSetting(d=6, m=3, train_samples=200, eval_samples=50)
    steps = blocks * BLOCK
    return train_specialization(setting, seed=0, networks=4, steps=steps, record_at=(steps,), device=device)


def test_specialization_training(traffic: Traffic) -> None:
    """Twelve operations a step."""
    launches, waits, copies = beyond(traffic, lambda blocks: specialization(blocks, "cuda"), FEW, MANY)
    assert 12 <= launches / ((MANY - FEW) * BLOCK) < 12.5
    assert waits == 0
    assert copies == MANY - FEW  # the order of a block of samples, drawn on the host


def pageable_beyond(traffic: Traffic, run: Callable[[int], object]) -> tuple[int, int]:
    """Copies from the host, and those for which it waits, that ``MANY`` blocks of steps have beyond ``FEW``."""
    counts = []
    for blocks in (FEW, MANY):
        traffic.counts.clear()
        run(blocks)
        counts.append((traffic.copies, traffic.pageable))
    few, many = counts
    return many[0] - few[0], many[1] - few[1]


class DrawnOnTheHost(IsotropicGaussian):
    """A measure with a ``sample`` of its own."""

    def sample(self, size: int, rng: np.random.Generator) -> np.ndarray:
        return super().sample(size, rng)


def test_what_the_host_draws_is_sent_without_waiting(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From pinned memory: orders of samples, samples of a measure that is drawn there, and a set that stays there."""
    monkeypatch.setitem(BLOCK_VALUES, NAME, CHECK_STEPS * 64 * 6)
    sampled = pageable_beyond(traffic, lambda n: two_layer("cuda", n * CHECK_STEPS, DrawnOnTheHost(6)))
    assert sampled == ((MANY - FEW) * 4, 0)  # one for each network
    assert pageable_beyond(traffic, lambda n: specialization(n, "cuda")) == (MANY - FEW, 0)
    assert pageable_beyond(traffic, lambda n: deep(NAME, CHECK_STEPS, n, SGD(0.02), fixed=True)) == (
        MANY - FEW,
        0,
    )
    there = pageable_beyond(
        traffic, lambda n: deep(NAME, CHECK_STEPS, n, SGD(0.02), fixed=True, labels=True, samples_on="cpu")
    )
    assert there == (2 * (MANY - FEW), 0)  # inputs and labels, gathered on the host


def test_copies_that_wait_are_told_from_others(traffic: Traffic) -> None:
    """The check itself: ordinary memory waits, and so does pinned memory that is not sent as ``non_blocking``."""
    pinned = torch.ones(3, pin_memory=True)
    torch.ones(3).to(NAME, non_blocking=True)
    pinned.to(NAME)
    pinned.to(NAME, non_blocking=True)
    assert (traffic.copies, traffic.pageable) == (3, 2)


@pytest.mark.parametrize(
    ("fixed", "labels", "sgd", "launches"),
    [
        (False, False, SGD(0.02), 45),
        (False, False, SGD(0.02, momentum=0.5, weight_decay=0.01), 72),
        (True, False, SGD(0.02), 45),
        (True, True, SGD(0.02), 42),
    ],
    ids=["fresh", "fresh with momentum", "fixed", "fixed with labels"],
)
def test_deep_training(traffic: Traffic, fixed: bool, labels: bool, sgd: SGD, launches: int) -> None:
    """The epochs wait for two things: the look at the losses in ``CHECK_STEPS`` steps, and the sum of an epoch's."""
    found = beyond(
        traffic, lambda blocks: deep(NAME, CHECK_STEPS, blocks, sgd, fixed=fixed, labels=labels), FEW, MANY
    )
    assert launches <= found[0] / ((MANY - FEW) * CHECK_STEPS) < launches + 1
    assert found[1] == 2 * (MANY - FEW)
    assert found[2] == (MANY - FEW) * fixed  # the order of an epoch, drawn on the host


@pytest.mark.parametrize(("products", "launches"), [("float32", 70), ("float32-backward", 60)])
def test_deep_training_with_products_in_float32(traffic: Traffic, products: Products, launches: int) -> None:
    """Rounding is done there, into buffers that stay: no copy from the host, and no wait but the looks at losses."""
    found = beyond(
        traffic, lambda blocks: deep(NAME, CHECK_STEPS, blocks, SGD(0.02), products=products), FEW, MANY
    )
    assert launches <= found[0] / ((MANY - FEW) * CHECK_STEPS) < launches + 1
    assert found[1:] == (2 * (MANY - FEW), 0)


def test_deep_networks_are_measured_there(traffic: Traffic) -> None:
    """A network goes to the device and back with the same output."""
    students = deep_teachers.random_start(SHAPE, SEEDS)
    x = gaussian_inputs(SHAPE.inputs, SEEDS, 20, 1.0)
    there = students.to("cuda").output(x.to(NAME))
    assert isinstance(there, OnDevice)
    torch.testing.assert_close(there.cpu(), students.output(x), rtol=0, atol=1e-13)
    assert isinstance(students.to("cuda"), DeepNetworks)
