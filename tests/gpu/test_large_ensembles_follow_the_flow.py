"""Hundreds of networks, d and m up to 100, against the flow: large on CUDA, the same checks small on a CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import stats

from luckproof import (
    ProjectedFlow,
    TeacherStudent,
    TwoLayerStudents,
    network_seeds,
    population_descent,
    teachers,
    train,
)

pytestmark = [pytest.mark.gpu, pytest.mark.statement("luckmatters.theorem4")]

FALSE_ALARM = 1e-6


@dataclass(frozen=True)
class Size:
    """One size of the comparison."""

    networks: int
    d: int
    m: int
    batch_size: int
    steps: int = 200

    def problem(self, seed: int) -> TeacherStudent:
        """Copies of one start at angle 0.3: networks differ by their samples only."""
        rng = np.random.default_rng(seed)
        one = TeacherStudent.at_angle(teachers.random_unit(self.d, self.m, rng), 0.3, rng)
        return TeacherStudent(np.broadcast_to(one.teacher_W, (self.networks, self.d, self.m)), one.student_W)


LARGE = [Size(512, 10, 5, 4096), Size(256, 100, 20, 4096), Size(256, 100, 100, 4096)]
SMALL = [Size(24, 10, 5, 256), Size(12, 20, 8, 256), Size(8, 30, 30, 256, 400)]


@pytest.mark.parametrize("row", range(len(LARGE)))
def test_mean_network_follows_population_descent(row: int, device: str) -> None:
    """sin theta, averaged over nodes and networks, is that of the exact gradient at the same lr; not at 1.1 lr.

    The allowance is the sampling error of the mean plus the second-order mean effect of the noise, bounded by the
    variance across networks itself.
    """
    size = (LARGE if device == "cuda" else SMALL)[row]
    problem = size.problem(row)
    # The largest curvature grows with m: a Gram matrix of m positively correlated features.
    lr = min(0.1, 1 / size.m)
    settings = {"lr": lr, "steps": size.steps, "record_every": size.steps // 5}
    run = train(
        TwoLayerStudents.from_problem(problem, device), batch_size=size.batch_size, seed=row, **settings
    )
    assert run.success
    measured = run.observables["sin_theta"][1:].mean(-1)
    quantile = stats.t.isf(FALSE_ALARM / 10, size.networks - 1)

    def excess(factor: float) -> float:
        flow = ProjectedFlow(problem.instance(0))
        predicted = population_descent(flow, **{**settings, "lr": factor * lr})
        expected = predicted.observables["sin_theta"][1:].mean(-1)
        error = measured.std(axis=1, ddof=1) / np.sqrt(size.networks)
        noise = run.state["W"][1:].var(axis=1).sum(axis=-2).mean(axis=-1) / expected
        return float((np.abs(measured.mean(axis=1) - expected) / (quantile * error + noise)).max())

    assert excess(1.0) <= 1
    assert excess(1.1) > 1


def test_convergence_to_rounding_in_a_large_ensemble(device: str) -> None:
    """Every network of the ensemble reaches sin theta <= 1e-12 in float64."""
    size = Size(512, 10, 2, 256, 2500) if device == "cuda" else Size(8, 6, 2, 64, 1500)
    rng = np.random.default_rng(3)
    teacher = np.broadcast_to(teachers.orthonormal(size.d, 2, rng), (size.networks, size.d, 2))
    students = TwoLayerStudents.from_problem(TeacherStudent.at_angle(teacher, 0.3, rng), device)
    run = train(students, lr=0.2, batch_size=size.batch_size, steps=size.steps, seed=0)
    assert run.observables["sin_theta"][-1].max() <= 1e-12


def test_network_alone_draws_the_stream_it_has_in_a_large_ensemble(device: str) -> None:
    """Trained alone with its seed, a network of the ensemble ends where it did among the others."""
    size = Size(256, 50, 10, 512, 100) if device == "cuda" else Size(24, 10, 5, 64, 50)
    problem = size.problem(5)
    settings = {"lr": 0.05, "batch_size": size.batch_size, "steps": size.steps, "record_at": []}
    together = train(TwoLayerStudents.from_problem(problem, device), seed=1, **settings)
    for network in (0, size.networks - 1):
        seed = network_seeds(1, size.networks)[network]
        alone = train(
            TwoLayerStudents.from_problem(problem.instance(network), device), seed=[seed], **settings
        )
        gap = np.abs(alone.state["W"][-1] - together.state["W"][-1, network]).max()
        assert gap <= 10 * size.steps * np.finfo(np.float64).eps


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_step_rate_is_recorded(
    dtype: torch.dtype, device: str, record_property: Callable[[str, object], None]
) -> None:
    """Steps per second of one large ensemble go into the test report; a run of many steps ends well."""
    size = Size(256, 100, 100, 1024, 200) if device == "cuda" else Size(16, 10, 5, 256, 200)
    students = TwoLayerStudents.from_problem(size.problem(6), device, dtype)
    settings = {"lr": 1 / size.m / 2, "batch_size": size.batch_size, "record_at": []}
    train(students, steps=20, seed=0, **settings)
    start = time.perf_counter()
    run = train(students, steps=size.steps, seed=1, **settings)
    record_property("steps_per_second", size.steps / (time.perf_counter() - start))
    assert run.success
