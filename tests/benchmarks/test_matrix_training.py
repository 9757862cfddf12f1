"""Networks on fresh samples: 32 small students side by side, and one deep fully connected, beside what bounds them.

``extra_info`` carries steps a second, the same for a plain torch loop or for the bare matrix products, and
the largest difference from an independent float64 run on the same batches.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from luckproof import (
    SGD,
    Architecture,
    DeepNetworks,
    Distillation,
    FreshGaussian,
    TeacherStudent,
    TwoLayerStudents,
    deep_teachers,
    network_seeds,
    teachers,
    train,
)
from nets.deep.training.descent import DeepDescent
from nets.two_layer.batches import FreshBatches
from tests.benchmarks.turns import in_turns

NETWORKS, BATCH, RATE = 32, 64, 0.01
EPS = float(np.finfo(np.float32).eps)
Weights = tuple[torch.Tensor, torch.Tensor]


def problem(multiple: int) -> TeacherStudent:
    """10-20-30 teachers with unit columns, and students of ``multiple`` times as many nodes."""
    rng = np.random.default_rng(0)
    m, n, lead = 20, 20 * multiple, (NETWORKS,)
    fan_out = (
        rng.standard_normal((*lead, m, 30)) / np.sqrt(30),
        rng.standard_normal((*lead, n, 30)) / np.sqrt(n),
    )
    teacher, student = (teachers.random_unit(10, k, rng, lead) for k in (m, n))
    return TeacherStudent(teacher, student, *fan_out)


class PlainNetwork:
    """The peer: one network in torch, gradients by hand, teacher evaluated at every step; plain SGD on both layers."""

    def __init__(self, all_of_them: TeacherStudent, index: int, dtype: torch.dtype) -> None:
        own = all_of_them.instance(index)
        self._tW, self._tV, self.W, self.V = (
            torch.tensor(a, dtype=dtype) for a in (own.teacher_W, own.teacher_V, own.student_W, own.student_V)
        )

    def step(self, x: torch.Tensor) -> None:
        """One step on a batch ``(B, d)``."""
        rate = RATE / len(x)
        h = torch.relu(x @ self.W)
        e = torch.relu(x @ self._tW) @ self._tV - h @ self.V
        back = (e @ self.V.t()) * (h > 0)
        self.V += rate * (h.t() @ e)
        self.W += rate * (x.t() @ back)

    def steps(self, count: int) -> None:
        for _ in range(count):
            self.step(torch.randn(BATCH, self.W.shape[0], dtype=self.W.dtype))


def trained(start: TeacherStudent, steps: int) -> Weights:
    """float32 students after ``steps`` steps of ``nets.train`` as a user calls it."""
    students = TwoLayerStudents.from_problem(start, "cpu", torch.float32)
    run = train(students, lr=RATE, batch_size=BATCH, steps=steps, seed=0, projected=False, record_at=[])
    assert run.success
    return students.W, students.V


def largest_difference(start: TeacherStudent, steps: int) -> float:
    """``nets.train`` in float32 against the plain loop in float64 on its batches, relative to the largest weight."""
    W, V = trained(start, steps)
    host = torch.device("cpu")
    seeds = network_seeds(0, NETWORKS)
    batches = FreshBatches(start.measure, seeds, BATCH, device=host, dtype=torch.float32)
    plain = {s: PlainNetwork(start, s, torch.float64) for s in (0, NETWORKS - 1)}
    for _ in range(steps):
        x = next(batches)
        for s, network in plain.items():
            network.step(x[s].mT.double())
    worst = 0.0
    for s, network in plain.items():
        for ours, theirs in ((W[s], network.W), (V[s], network.V)):
            worst = max(worst, float((ours - theirs).abs().max() / theirs.abs().max()))
    return worst


@pytest.mark.bench
@pytest.mark.parametrize("multiple", [1, 5])
def test_matrix_form(benchmark: Any, multiple: int) -> None:
    """Right to single precision; several times the steps of a loop over networks."""
    torch.set_num_threads(1)
    start, steps = problem(multiple), 500
    plain = PlainNetwork(start, 0, torch.float32)
    benchmark.group = "training: 10-20-30, batch 64, float32"
    benchmark.pedantic(trained, args=(start, steps), rounds=3, warmup_rounds=1)
    whole, loop = in_turns([lambda: trained(start, steps), lambda: plain.steps(steps)], rounds=5)
    checked = 200
    error = largest_difference(start, checked)
    benchmark.extra_info.update(
        case=f"n = {20 * multiple}",
        steps_per_second=NETWORKS * steps / whole,
        plain_loop_steps_per_second=steps / loop,
        times_faster_than_plain_loop=NETWORKS * loop / whole,
        max_error=error,
    )
    assert (
        error <= 30 * checked * EPS
    )  # each step rounds sums of up to 64 terms; the flow contracts near its end only
    assert NETWORKS * loop >= 2 * whole


WIDE = Architecture((20,), (50, 75, 100, 125), 100)
"""The first paper's fully connected teacher; students are ten times as wide."""


def bare_products(
    students: DeepNetworks, teacher: DeepNetworks, batch: int
) -> tuple[Callable[[], None], int]:
    """A step's matrix products at their shapes, on ready arrays and nothing else; and their flops."""
    calls, flops = [], 0
    for index, layer in enumerate(students.layers):
        n, m = layer.weight.shape[1:]
        x, W, g = (torch.randn(shape, dtype=torch.float32) for shape in ((batch, n), (n, m), (batch, m)))
        z, back = torch.empty(batch, m), torch.empty(n, batch)
        calls.append(lambda x=x, W=W, z=z: torch.mm(x, W, out=z))
        calls.append(lambda x=x, W=W, g=g: W.addmm_(x.mT, g, alpha=1e-9))
        flops += 4 * batch * n * m
        if index:
            calls.append(lambda W=W, g=g, back=back: torch.mm(W, g.mT, out=back))
            flops += 2 * batch * n * m
    for layer in teacher.layers:
        n, m = layer.weight.shape[1:]
        x, W, z = (torch.randn(shape, dtype=torch.float32) for shape in ((batch, n), (n, m), (batch, m)))
        calls.append(lambda x=x, W=W, z=z: torch.mm(x, W, out=z))
        flops += 2 * batch * n * m

    def products() -> None:
        for call in calls:
            call()

    return products, flops


def autograd_step(
    students: DeepNetworks, teacher: DeepNetworks, x: torch.Tensor, rate: float
) -> list[torch.Tensor]:
    """Weights after one step of ``torch.optim.SGD`` with autograd in float64."""
    weights = [layer.weight[0].double().requires_grad_() for layer in students.layers]
    biases = [None if layer.bias is None else layer.bias[0].double() for layer in students.layers]
    values = x.double()
    for index, (W, b) in enumerate(zip(weights, biases, strict=True)):
        values = values @ W if b is None else values @ W + b
        values = values if index == len(weights) - 1 else torch.relu(values)
    target = teacher.output(x[None])[0].double()
    (0.5 * (target - values).square().sum(1).mean()).backward()  # type: ignore[no-untyped-call]
    return [W.detach() - rate * W.grad for W in weights if W.grad is not None]


@pytest.mark.bench
def test_deep_fully_connected(benchmark: Any) -> None:
    """One step equals autograd's in float64 to single precision; most of the time is matrix products."""
    torch.set_num_threads(1)
    seeds = network_seeds(0, 1)
    teacher = deep_teachers.separated_teacher(WIDE, seeds, dtype=torch.float32)
    students = deep_teachers.random_start(WIDE.over_parameterised(10), seeds, dtype=torch.float32)
    source = FreshGaussian((20,), tuple(seeds), batch_size=BATCH, samples=BATCH * 10_000, std=10.0)
    batches = source.batches(0, slice(None), torch.device("cpu"), torch.float32)
    descent, rate = DeepDescent(students, Distillation(teacher), SGD(1e-4), None), 1e-4
    x, _ = next(batches)
    expected = autograd_step(students, teacher, x, rate)
    with torch.inference_mode():
        descent.step(x, None, rate)
    error = max(
        float((layer.weight[0] - right).abs().max() / right.abs().max())
        for layer, right in zip(students.layers, expected, strict=True)
    )

    def steps() -> None:
        with torch.inference_mode():
            for _ in range(10):
                descent.step(*next(batches), rate)

    products, flops = bare_products(students, teacher, BATCH)
    benchmark.group = "training: fully connected 50-75-100-125 at 10x, batch 64, float32"
    benchmark.pedantic(steps, rounds=3, warmup_rounds=1)
    whole, bare = in_turns([steps, lambda: [products() for _ in range(10)]], rounds=8)
    benchmark.extra_info.update(
        case="one network",
        gflops=10 * flops / whole / 1e9,
        gemm_gflops=10 * flops / bare / 1e9,
        share_of_roofline=bare / whole,
        max_error=error,
    )
    assert error <= 4 * EPS  # the weights themselves are rounded once, the step is 1e-4 of a gradient
    assert bare >= 0.5 * whole
