"""Peak memory of the public operations, as NumPy allocates it, is what their docstrings say."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from luckproof import (
    BiasedGaussian,
    EmpiricalMeasure,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerFlow,
    angles,
    integrate,
    paired_angles,
    population_loss,
    supplementary_angles,
    two_layer_observables,
    unit_columns,
)

D, N = 20, 300
PAIRS, COLUMNS = 8 * N * N, 8 * D * N
SLACK = 1.15
"""Interpreter objects, index arrays of a few pairs, and the copies of columns, a fifteenth of the pairs."""


def random_columns(seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal((D, N))


def problem() -> TeacherStudent:
    A, B = unit_columns(random_columns(0)), unit_columns(random_columns(1))
    fan_out = np.random.default_rng(2).standard_normal((N, 3))
    return TeacherStudent(A, B, fan_out, fan_out)


def field_of_two_layers() -> Callable[[], Any]:
    flow = TwoLayerFlow(problem())
    y = flow.initial_state()
    return lambda: flow(0.0, y)


def run_of(method: str, deviations: bool) -> Callable[[], Any]:
    """A flow whose evaluation holds a few states: n = d."""
    rng = np.random.default_rng(0)
    teacher = np.linalg.qr(rng.standard_normal((80, 80)))[0]
    flow = ProjectedFlow(TeacherStudent(teacher, unit_columns(teacher + 0.1 * rng.standard_normal((80, 80)))))
    return lambda: integrate(flow, (0.0, 1.0), t_eval=[1.0], method=method, deviations=deviations)


CLAIMS: dict[str, tuple[Callable[[], Callable[[], Any]], float]] = {
    "angles": (lambda: lambda: angles(random_columns(0), random_columns(1)), 4 * PAIRS),
    "supplementary_angles": (
        lambda: lambda: supplementary_angles(random_columns(0), random_columns(1)),
        4 * PAIRS,
    ),
    "paired_angles": (lambda: lambda: paired_angles(random_columns(0), random_columns(1)), 14 * COLUMNS),
    "unit_columns": (lambda: lambda: unit_columns(random_columns(0)), 5 * COLUMNS),
    "isotropic kernels": (
        lambda: lambda: IsotropicGaussian(D).kernels(random_columns(0), random_columns(1)),
        6 * PAIRS,
    ),
    "biased kernels": (
        lambda: lambda: BiasedGaussian(D - 1).kernels(random_columns(0), random_columns(1)),
        16 * PAIRS,
    ),
    "population_loss": (lambda: _of_problem(population_loss), 6 * PAIRS),
    "two_layer_observables": (lambda: _of_problem(two_layer_observables), 6 * PAIRS),
    "two-layer field": (field_of_two_layers, 7 * PAIRS),
    **{
        f"{name}{', deviations' * deviations}": (
            (lambda name=name, deviations=deviations: run_of(name, deviations)),
            states * 8 * 80 * 80,
        )
        for name in ("RK45", "DOP853", "ROCK4")
        for deviations, states in ((False, 35), (True, 45))
    },
}  # fmt: skip


def _of_problem(observe: Callable[..., Any]) -> Callable[[], Any]:
    given = problem()
    return lambda: observe(given, given.student_W, given.student_V)


def peak(call: Callable[[], Any]) -> int:
    """Bytes allocated at once during the second call: the first fills caches."""
    call()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", CLAIMS)
def test_peak_memory(name: str) -> None:
    """No more than stated, and at least a quarter of it: a bound that says little would hide growth."""
    make, stated = CLAIMS[name]
    found = peak(make())
    assert stated / 4 <= found <= SLACK * stated


def test_samples_are_taken_in_chunks() -> None:
    """Kernels on 100,000 samples of 100 columns stay below 4 x 16 MiB and the results, not 2 x 80 MB."""
    measure = EmpiricalMeasure(np.random.default_rng(0).standard_normal((100_000, 5)))
    A = np.random.default_rng(1).standard_normal((5, 100))
    assert peak(lambda: measure.kernels(A, A)) <= 4 * 16 * 2**20 + 4 * 8 * 100 * 100
