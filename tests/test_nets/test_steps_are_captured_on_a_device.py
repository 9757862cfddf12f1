"""Captured steps are the steps: recorded once and replayed, every training ends where it did, in far fewer launches.

The graphs are those of the pretended device; a test marked ``gpu`` makes the comparison on a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from luckproof import (
    SGD,
    Architecture,
    DeepNetworks,
    Distillation,
    EmpiricalMeasure,
    SpecializationSetting,
    Trajectory,
    deep_teachers,
    train_specialization,
)
from nets.captured_steps import SWITCH, CapturedSteps, NotCapturedWarning
from nets.products import PRODUCTS, Products
from nets.specialization.steps import BLOCK
from tests.pretended_device import NAME, Traffic, pretended_device
from tests.test_nets.small_trainings import SEEDS, SHAPE, beyond, deep, two_layer

CHECK_STEPS = 16
"""Steps between two looks of the host at the losses here; 64 otherwise."""

AT_ONCE = 4
"""Steps of a deep training in a block here; 16 otherwise."""

FEW, MANY = 3, 5
"""Blocks of steps in a short and a long run, in both of which the blocks have been recorded."""

MODES = {
    "Theorem 4": {},
    "Theorem 5": {"train_V": True},
    "plain W": {"projected": False, "train_V": False},
    "plain W and V": {"projected": False},
}


@pytest.fixture
def traffic(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("nets.two_layer.training.CHECK_STEPS", CHECK_STEPS)
    monkeypatch.setattr("nets.deep.training.run.CHECK_STEPS", CHECK_STEPS)
    monkeypatch.setattr("nets.deep.training.captured.AT_ONCE", AT_ONCE)
    with pretended_device(monkeypatch) as found:
        yield found


def on_device() -> CapturedSteps:
    return CapturedSteps(torch.device(NAME))


@pytest.fixture
def same(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Trajectory]], None]:
    """Runs a training captured and as it is, and asks for the same numbers to the last bit."""

    def check(run: Callable[[], Trajectory]) -> None:
        results = []
        for word in ("auto", "never"):
            monkeypatch.setenv(SWITCH, word)
            traffic.counts.clear()
            results.append((run(), traffic.launches))
        (captured, few), (plain, many) = results
        assert few < 0.75 * many  # with the records, and blocks that are not recorded yet
        assert captured.success
        for name in ("state", "observables"):
            for quantity, values in getattr(plain, name).items():
                np.testing.assert_array_equal(getattr(captured, name)[quantity], values)

    return check


@pytest.mark.parametrize(
    "optimiser", [{}, {"momentum": 0.5, "weight_decay": 0.01}], ids=["plain", "momentum"]
)
@pytest.mark.parametrize("mode", MODES)
def test_two_layer_training_is_the_same(same: Callable, mode: str, optimiser: dict[str, float]) -> None:
    """In all four modes, with momentum and without."""
    if optimiser and mode == "Theorem 4":
        optimiser = {"momentum": 0.5}  # weight decay has nothing to act on
    same(lambda: two_layer("cuda", 6 * CHECK_STEPS + 10, **MODES[mode], **optimiser))


@pytest.mark.parametrize("products", PRODUCTS[1:])
def test_two_layer_products_in_float32_are_the_same(same: Callable, products: Products) -> None:
    """The rounded copies are made anew in every step of a graph."""
    same(lambda: two_layer("cuda", 6 * CHECK_STEPS + 10, projected=False, products=products))


def test_records_may_stand_anywhere(same: Callable) -> None:
    """Blocks of all lengths, again and again, over the end of the samples that are drawn at once (170 steps)."""
    marks = [1, 2, 3, 22, 41, 60, 79, 98, 117, 136, 155, 174, 193, 212]
    same(lambda: two_layer("cuda", 220, batch_size=256, record_at=marks))


def test_long_batches_are_captured_in_shorter_blocks(same: Callable) -> None:
    """Where fewer steps than a look at the losses are drawn at once: 10 of 16."""
    same(lambda: two_layer("cuda", 5 * CHECK_STEPS, batch_size=4096))


def test_the_longest_batches_are_not_captured(traffic: Traffic) -> None:
    """Where fewer than 8 steps are drawn at once, each of which keeps the device busy."""
    launches, _, _ = beyond(
        traffic, lambda blocks: two_layer("cuda", blocks * CHECK_STEPS, batch_size=8192), FEW, MANY
    )
    assert launches / ((MANY - FEW) * CHECK_STEPS) > 14


def test_samples_of_a_discrete_law_are_the_same(same: Callable) -> None:
    """They are drawn and gathered between the replays."""
    atoms = EmpiricalMeasure(np.random.default_rng(1).standard_normal((50, 6)))
    same(lambda: two_layer("cuda", 6 * CHECK_STEPS, measure=atoms))


def specialization(steps: int, lr: float = 0.01, **records: object) -> Trajectory:
    setting = SpecializationSetting(d=6, m=3, train_samples=200, eval_samples=50, init_std=0.3, lr=lr)
    chosen = records or {"record_at": (steps,)}
    return train_specialization(setting, seed=0, networks=4, steps=steps, device="cuda", **chosen)  # type: ignore[arg-type]


@pytest.mark.parametrize("records", [{}, {"record_every": 25}, {"record_every": 7}], ids=["end", "25", "7"])
def test_specialization_training_is_the_same(same: Callable, records: dict[str, int]) -> None:
    """Blocks end with the samples, and at a record."""
    same(lambda: specialization(20 * BLOCK, **records))


@pytest.mark.parametrize("mode", MODES)
def test_two_layer_steps_in_launches(traffic: Traffic, mode: str) -> None:
    """A block of 16 steps: its samples are put in place, it is launched, and its losses are looked at: seven in all."""
    launches, waits, copies = beyond(
        traffic, lambda blocks: two_layer("cuda", blocks * CHECK_STEPS, **MODES[mode]), FEW, MANY
    )
    assert launches == 7 * (MANY - FEW)
    assert (waits, copies) == (MANY - FEW, 0)


def test_specialization_steps_in_launches(traffic: Traffic) -> None:
    """A block of 16 steps: its samples are gathered, and it is launched: seven in all."""
    launches, waits, copies = beyond(traffic, lambda blocks: specialization(blocks * BLOCK), FEW, MANY)
    assert launches == 7 * (MANY - FEW)
    assert (waits, copies) == (0, MANY - FEW)


def test_a_block_is_done_once_a_run(traffic: Traffic) -> None:
    """At its first run, which warms up, at its second, when it is recorded, and at every replay."""
    value, steps = torch.zeros(3, device=NAME), on_device()
    for done in range(1, 5):
        traffic.counts.clear()
        steps.run("block", lambda: value.add_(1).mul_(1))
        assert traffic.launches == (2 if done == 1 else 1)
        assert value.cpu().tolist() == [done] * 3


FILTERS = Architecture((2, 6, 6), (3, 4), 2, kernel=3, normalisation="before")

DEEP = {
    "plain": (SGD(0.02), {}),
    "momentum": (SGD(0.02, momentum=0.5, weight_decay=0.01), {}),
    "fixed": (SGD(0.02), {"fixed": True}),
    "labels": (SGD(0.02), {"fixed": True, "labels": True}),
    "a lower rate": (SGD(0.02, drops=((1, 0.01),)), {}),
    "falling rates": (SGD(0.02, decay_from=0.7), {}),
    "one network": (SGD(0.02), {"seeds": (1,)}),
    "convolutions": (SGD(0.02), {"shape": FILTERS}),
    "products in float32": (SGD(0.02), {"products": "float32"}),
    "gradients in float32": (SGD(0.02, momentum=0.5), {"products": "float32-backward", "seeds": (1,)}),
}


@pytest.mark.parametrize("case", DEEP)
def test_deep_training_is_the_same(same: Callable, case: str) -> None:
    """With epochs that end within a block, and rates that change at an epoch or at every step."""
    sgd, options = DEEP[case]
    same(lambda: deep(NAME, 5 * AT_ONCE + 3, 2, sgd, **options))


@pytest.mark.parametrize(("case", "launches"), [("plain", 3), ("momentum", 3), ("fixed", 3), ("labels", 4)])
def test_deep_steps_in_launches(traffic: Traffic, case: str, launches: int) -> None:
    """A batch is put side by side, then in its place; a block of 4 steps is launched, and its losses are looked at."""
    sgd, options = DEEP[case]
    found = beyond(traffic, lambda blocks: deep(NAME, CHECK_STEPS, 2 * blocks, sgd, **options), FEW, MANY)
    steps = 2 * (MANY - FEW) * CHECK_STEPS
    assert launches <= found[0] / steps < launches + 0.5
    assert found[1] == 2 * 2 * (MANY - FEW)


class Halved(Distillation):
    """An objective of somebody's own, which is another at every step."""

    def __init__(self, teacher: DeepNetworks) -> None:
        super().__init__(teacher)
        self.scale = 1.0

    def __call__(self, x: torch.Tensor, labels: torch.Tensor | None, output: torch.Tensor):
        self.scale /= 2
        losses, gradient = super().__call__(x, labels, output)
        return losses, gradient * self.scale

    def part(self, networks: slice) -> Halved:
        return Halved(self.teacher.part(networks))


def test_an_objective_of_ones_own_is_not_captured(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may depend on more than tensors."""
    teacher = deep_teachers.separated_teacher(replace(SHAPE, normalisation="none"), SEEDS, device=NAME)
    losses = []
    for word in ("auto", "never"):
        monkeypatch.setenv(SWITCH, word)
        run = deep(NAME, 4 * AT_ONCE, 2, SGD(0.02), objective=Halved(teacher))
        losses.append(run.observables["loss"])
    np.testing.assert_array_equal(*losses)


@pytest.mark.parametrize(
    "training",
    [
        partial(two_layer, "cuda", projected=False, lr=3.0),
        partial(specialization, lr=30.0, record_every=8),
    ],
    ids=["two_layer", "specialization"],
)
def test_a_divergence_is_found_at_the_same_step(
    traffic: Traffic, monkeypatch: pytest.MonkeyPatch, training: Callable[..., Trajectory]
) -> None:
    """Status and words, which name network and step, are those of the plain steps."""
    words = []
    for word in ("auto", "never"):
        monkeypatch.setenv(SWITCH, word)
        run = training(30 * CHECK_STEPS)
        assert run.status == "diverged"
        words.append(run.message)
    assert words[0] == words[1]


def test_a_deep_training_goes_on_from_its_checkpoint(traffic: Traffic, tmp_path: Path) -> None:
    """Steps that wait are taken before a checkpoint is written: what goes on is what was never stopped."""

    def stopped(fraction: float) -> None:
        if fraction > 0.6:
            raise KeyboardInterrupt

    def run(**options: object) -> Trajectory:
        return deep(NAME, 3 * AT_ONCE + 1, 4, SGD(0.02, momentum=0.5), **options)  # type: ignore[arg-type]

    whole, file = run(), tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        run(checkpoint=file, progress=stopped)
    assert file.exists()
    resumed = run(checkpoint=file)
    for name, values in whole.observables.items():
        np.testing.assert_array_equal(resumed.observables[name], values)


REFUSED = {
    "a wait": lambda value: value.sum().item(),
    "a shape that depends on values": lambda value: torch.nonzero(value),
    "a copy to the host": lambda value: value.cpu(),
    "a copy from the host": lambda value: value.add_(torch.ones(3).to(NAME)),
    "an index on the host": lambda value: value[torch.tensor([0])],
    "random numbers": lambda value: value.normal_(),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_recorded_is_said_and_run_as_it_is(traffic: Traffic, what: str) -> None:
    """The check itself: CUDA refuses these; the steps go on, with one warning."""
    value, steps, done = torch.ones(3, device=NAME), on_device(), []

    def body() -> None:
        done.append(1)
        REFUSED[what](value)

    steps.run("block", body)
    with pytest.warns(NotCapturedWarning, match="could not be recorded: "):
        steps.run("block", body)
    steps.run("block", body)  # a second warning would be an error
    assert len(done) == 4  # three runs, and the recording that failed
    assert not steps.recording


def test_nothing_moves_while_it_is_recorded(traffic: Traffic) -> None:
    """A block of which the last operation cannot be recorded has not been done in part."""
    value, steps = torch.zeros(3, device=NAME), on_device()

    def body() -> None:
        value.add_(1)
        value.sum().item()

    steps.run("block", body)
    with pytest.warns(NotCapturedWarning):
        steps.run("block", body)
    assert value.cpu().tolist() == [2] * 3


def test_a_number_that_changes_is_seen(traffic: Traffic) -> None:
    """The comparison can fail: numbers of Python are those of the recording, and what a block makes does not stay."""
    value, steps, made = torch.zeros(3, device=NAME), on_device(), []
    for number in (1, 10, 100):
        steps.run("block", lambda number=number: (value.add_(number), made.append(value * 2)))
    assert value.cpu().tolist() == [1 + 10 + 10] * 3
    assert made[0].cpu().tolist() == [2] * 3
    assert made[1].isnan().all().item()


def test_it_can_be_declined(traffic: Traffic, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a variable of the environment, in which another word is refused; on a CPU nothing is ever recorded."""
    assert on_device().recording
    monkeypatch.setenv(SWITCH, "never")
    assert not on_device().recording
    monkeypatch.setenv(SWITCH, "no")
    with pytest.raises(ValueError, match=r"^LUCKPROOF_CAPTURED: expected one of auto, never, got 'no'$"):
        on_device()
    assert not CapturedSteps(torch.device("cpu")).recording
