"""What a deep training will take is told within a factor of two, against operations that torch counts itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from luckproof import SGD, Architecture, FreshGaussian, deep_teachers, train_deep
from nets.deep.training import cost_estimate
from nets.deep.training.batches import gaussian_inputs
from nets.deep.training.cost_estimate import SHARE, Estimate, estimate_training, product_rate

RATE = 1e9
SEEDS = [0, 1]
SHAPES = {
    "dense": Architecture((20,), (30, 25), 10),
    "convolutional": Architecture((3, 9, 9), (6, 5), 4),
}


@pytest.fixture(autouse=True)
def _a_known_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost_estimate, "product_rate", lambda *_: RATE)


class Here(ThreadPoolExecutor):
    """A pool that computes in the thread that asks: torch counts operations thread by thread."""

    def map(self, function, *iterables):
        return map(function, *iterables)


def estimated(shape: Architecture, **changes: int) -> Estimate:
    sizes = {"networks": 2, "epochs": 1, "steps": 5, "batch_size": 16, "evaluation_samples": 40, "records": 2}
    return estimate_training(shape.over_parameterised(2), shape, device="cpu", **{**sizes, **changes})


@pytest.mark.parametrize("kind", SHAPES)
def test_operations_are_those_that_torch_counts(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training of 5 steps with records at its start and end, every product of it counted."""
    monkeypatch.setattr("nets.deep.training.train.ThreadPoolExecutor", Here)
    shape = SHAPES[kind]
    teacher = deep_teachers.random_start(shape, SEEDS)
    students = deep_teachers.random_start(shape.over_parameterised(2), SEEDS)
    x = gaussian_inputs(shape.inputs, SEEDS, 40, 1.0)
    source = FreshGaussian(shape.inputs, tuple(SEEDS), batch_size=16, samples=80)
    with FlopCounterMode(display=False) as counter:
        train_deep(students, teacher, source, sgd=SGD(0.01), epochs=1, evaluation=x, record_at=(0, 1))
    found = estimated(shape)
    assert found.rate == RATE * SHARE[kind]
    assert 0.5 < found.seconds * found.rate / counter.get_total_flops() < 2


def test_memory_is_what_the_arrays_take() -> None:
    """Parameters, activations of a batch, evaluation inputs in full, ranks of all records in two bytes each."""
    shape = SHAPES["dense"]
    wide = shape.over_parameterised(2)
    base, more = estimated(shape), estimated(shape, evaluation_samples=41)
    assert more.bytes - base.bytes == 2 * 8 * 20
    pairs = sum(n * m for n, m in zip(wide.widths, shape.widths, strict=True))
    assert estimated(shape, records=3).bytes - base.bytes == 2 * 2 * pairs
    assert base.bytes > 2 * 8 * wide.parameters
    half = estimate_training(
        wide, shape, networks=2, epochs=1, steps=5, batch_size=16, evaluation_samples=40, records=0,
        device="cpu", dtype=torch.float32,
    )  # fmt: skip
    assert half.bytes == estimated(shape, records=0).bytes / 2


def test_trainings_add_up() -> None:
    """Times add, the larger memory counts, and lengths of time read well."""
    one, other = Estimate(50.0, 2.0**30, RATE), Estimate(70.0, 2.0**31, RATE)
    assert one + other == Estimate(120.0, 2.0**31, RATE)
    assert one.repeated(4) == Estimate(200.0, 2.0**30, RATE)
    assert str(one) == "about 50 s on one worker and 1.0 GiB (1 GFLOP/s measured)"
    assert str(one + other).startswith("about 2 min on")
    assert str(one.repeated(200)).startswith("about 2.8 h on")


def test_the_rate_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number of operations a second that some machine could have."""
    monkeypatch.setattr(cost_estimate, "MEASURED_SECONDS", 0.01)
    assert 1e6 < product_rate(torch.device("cpu"), torch.float64, 64) < 1e14
