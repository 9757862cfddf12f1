"""What products in float32 under weights in float64 save: a step of the first paper's fully connected students.

``extra_info`` carries processor time of a step in float64, that of the others as shares of it, measured in turns on one
thread, and the largest errors of a layer's first step, relative to it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from luckproof import SGD, DeepNetworks, Distillation, FreshGaussian, deep_teachers, network_seeds
from nets.deep.training.descent import DeepDescent
from nets.products import Products
from tests.benchmarks.test_matrix_training import WIDE
from tests.benchmarks.turns import in_turns

KINDS: list[tuple[Products, torch.dtype]] = [
    ("own", torch.float64),
    ("float32-backward", torch.float64),
    ("float32", torch.float64),
    ("own", torch.float32),
]
RATE, STEPS = 1e-4, 4


def steps_of(
    products: Products, dtype: torch.dtype, batch: int, count: int = STEPS
) -> tuple[DeepNetworks, Callable[[], None]]:
    """Students, and a call that takes so many steps of theirs."""
    seeds = network_seeds(0, 1)
    teacher = deep_teachers.separated_teacher(WIDE, seeds, dtype=dtype)
    students = deep_teachers.random_start(WIDE.over_parameterised(10), seeds, dtype=dtype)
    source = FreshGaussian((20,), tuple(seeds), batch_size=batch, samples=batch * 10_000, std=10.0)
    batches = source.batches(0, slice(None), torch.device("cpu"), dtype)
    descent = DeepDescent(students, Distillation(teacher), SGD(RATE), None, products)

    def steps() -> None:
        with torch.inference_mode():
            for _ in range(count):
                descent.step(*next(batches), RATE)

    return students, steps


def step_error(products: Products, batch: int) -> float:
    """Of the first step of every layer's weights, in norm; the largest of all layers."""
    ways = []
    kinds: tuple[Products, Products] = ("own", products)
    for kind in kinds:
        students, step = steps_of(kind, torch.float64, batch, 1)
        before = [weight.clone() for weight in students.weights]
        step()
        ways.append([after - start for after, start in zip(students.weights, before, strict=True)])
    return max(float((ours - right).norm() / right.norm()) for right, ours in zip(*ways, strict=True))


@pytest.mark.bench
@pytest.mark.parametrize("batch", [64, 256, 1024])
def test_products_in_float32(benchmark: Any, batch: int) -> None:
    """Shorter than float64's where batches are large; right to single precision, but for a gate that rounding turns."""
    torch.set_num_threads(1)
    calls: list[Callable[[], object]] = [steps_of(*kind, batch)[1] for kind in KINDS]
    benchmark.group = "training: fully connected 50-75-100-125 at 10x, products in float32"
    benchmark.pedantic(calls[2], rounds=2, warmup_rounds=1)
    own, backward, products, single = in_turns(calls, rounds=6)
    errors = step_error("float32-backward", batch), step_error("float32", batch)
    benchmark.extra_info.update(
        case=f"batch {batch:,}",
        float64_step_ms=1e3 * own / STEPS,
        backward_share_of_float64=backward / own,
        products_share_of_float64=products / own,
        single_share_of_float64=single / own,
        backward_error=errors[0],
        max_error=errors[1],
    )
    assert 1e-12 < errors[0] <= 1e-5
    assert errors[1] <= 1e-2  # one gate of the thousands of a layer and of all samples
    assert batch < 1024 or products <= 0.9 * own
