"""How time and peak memory grow: with students n, stacked instances S, and samples N; exponents fitted to the ends.

Peak memory is what NumPy allocates during the call (``tracemalloc``), results included, arguments not. Each size's
result is held against one found another way.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from luckproof import Array, EmpiricalMeasure, ProjectedFlow, TeacherStudent, integrate, teachers
from tests.benchmarks.turns import in_turns


@dataclass(frozen=True)
class Task:
    """A call at one size, and how far its result is from one found another way (relative)."""

    call: Callable[[], Any]
    error: Callable[[Any], float]


@dataclass(frozen=True)
class Curve:
    """An operation over sizes; ``time``, ``memory``: largest exponents allowed over the upper half of the sizes."""

    name: str
    axis: str
    sizes: Sequence[int]
    task: Callable[[int], Task]
    time: float
    memory: float
    tolerance: float = 1e-12


def near_teacher(n: int, lead: tuple[int, ...] = ()) -> ProjectedFlow:
    rng = np.random.default_rng(0)
    teacher = teachers.orthonormal(n, n, rng, lead)
    start = teacher + 0.3 * rng.standard_normal(teacher.shape)
    return ProjectedFlow(TeacherStudent(teacher, start / np.linalg.norm(start, axis=-2, keepdims=True)))


def evaluation(n: int) -> Task:
    """The projected flow's field, against its formula on whole matrices by plain arccos."""
    flow = near_teacher(n)
    y = flow.initial_state()

    def error(found: Array) -> float:
        W, T = flow.problem.student_W, flow.problem.teacher_W
        to_teacher, own = (1 - np.arccos(np.clip(W.T @ other, -1, 1)) / np.pi for other in (T, W))
        pull = (T @ to_teacher.T - W @ own) / 2
        right = pull - W * (W * pull).sum(axis=0)
        return float(np.abs(found.reshape(right.shape) - right).max() / np.abs(pull).max())

    return Task(lambda: flow(0.0, y), error)


def stack(S: int) -> Task:
    """A run of S instances of n = 10 over t in [0, 10], against the first of them alone."""
    flow = near_teacher(10, (S,))

    def run(of: ProjectedFlow) -> Array:
        found = integrate(of, (0.0, 10.0), t_eval=[10.0], rtol=1e-8, atol=1e-10)
        assert found.success
        return np.asarray(found.state["W"][-1])

    alone = run(ProjectedFlow(flow.problem.instance(0)))
    return Task(lambda: run(flow), lambda found: float(np.abs(found[0] - alone).max()))


def samples(N: int) -> Task:
    """Kernels of 50 columns on N samples, against whole products."""
    rng = np.random.default_rng(0)
    A, x = rng.standard_normal((20, 50)), rng.standard_normal((N, 20))
    measure = EmpiricalMeasure(x)

    def error(found: tuple[Array, Array]) -> float:
        F = np.maximum(x @ A, 0.0)
        right = F.T @ F / N
        return float(np.abs(found[0] - right).max() / right.max())

    return Task(lambda: measure.kernels(A, A), error)


CURVES = [
    Curve(
        "one evaluation of the projected flow",
        "n",
        (50, 100, 200, 400, 800, 2000, 5000),
        evaluation,
        3.2,
        2.2,
    ),
    # 1.3: from some 2,000 instances on the state and its slopes leave the cache (1.5 to 2.4 us an instance).
    Curve("integrate a stack, n = 10", "S", (8, 32, 128, 512, 2048, 10_000), stack, 1.3, 1.2, tolerance=1e-7),
    Curve(
        "kernels of 50 columns on samples", "N", (4096, 16384, 65536, 262144, 1_000_000), samples, 1.2, 0.2
    ),
]


def peak_bytes(call: Callable[[], Any]) -> int:
    """Largest amount allocated at once during the call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """Slope of log value over log size through the three largest sizes."""
    return float(np.polyfit(np.log(sizes[-3:]), np.log(values[-3:]), 1)[0])


@pytest.mark.bench
@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.axis)
def test_growth(benchmark: Any, curve: Curve) -> None:
    """Time and memory grow no faster than stated, and every size's result is right."""
    tasks = [curve.task(size) for size in curve.sizes]
    benchmark.group = f"scaling: {curve.name}"
    benchmark.pedantic(tasks[0].call, rounds=3, warmup_rounds=1)
    errors = [task.error(task.call()) for task in tasks]
    seconds = in_turns([task.call for task in tasks], rounds=3)
    memory = [peak_bytes(task.call) for task in tasks]
    exponents = {"time": exponent(curve.sizes, seconds), "memory": exponent(curve.sizes, memory)}
    benchmark.extra_info.update(
        scaling=curve.name,
        axis=curve.axis,
        sizes=list(curve.sizes),
        seconds=seconds,
        peak_bytes=memory,
        exponents=exponents,
        error=max(errors),
    )
    assert max(errors) <= curve.tolerance
    assert exponents["time"] <= curve.time
    assert exponents["memory"] <= curve.memory
