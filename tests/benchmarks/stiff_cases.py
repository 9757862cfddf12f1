"""The stiff flows on which integrators are compared, their references, and the tolerances that reach a true error."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from dynamics.flows import ProjectedFlow, TwoLayerDynamics, TwoLayerFlow
from dynamics.problems import TeacherStudent
from dynamics.stabilized import RKC, ROCK4
from dynamics.teachers import orthonormal, random_unit

Array = NDArray[np.float64]

SOLVERS: dict[str, Any] = {"RKC": RKC, "ROCK4": ROCK4, "RK45": "RK45", "DOP853": "DOP853"}
"""LSODA, Radau and BDF are left out: one dense Jacobian takes as many evaluations as there are unknowns (40,000 at
n = 200, twelve times what RK45 needs for the whole run) and 12.8 GB."""

LADDER = tuple(10.0 ** -(k / 2) for k in range(2, 21))
"""Tolerances tried, loosest first, until the true error is below a target."""


@dataclass(frozen=True)
class StiffCase:
    """A named flow over a span."""

    name: str
    make: Callable[[], TwoLayerDynamics]
    span: tuple[float, float]


def projected(n: int) -> TwoLayerDynamics:
    """Theorem 4's flow: orthonormal teacher, start teacher + 0.3 N(0, 1), columns normalised."""
    rng = np.random.default_rng(0)
    teacher = orthonormal(n, n, rng)
    start = teacher + 0.3 * rng.standard_normal((n, n))
    return ProjectedFlow(TeacherStudent(teacher, start / np.linalg.norm(start, axis=0)))


def two_layers(multiple: int) -> TwoLayerDynamics:
    """Theorem 5's flow near the teacher: d = 10, m = 20, c = 30, n = multiple * m."""
    rng = np.random.default_rng(0)
    teacher_W, teacher_V = random_unit(10, 20, rng), rng.standard_normal((20, 30)) / np.sqrt(30)
    return TwoLayerFlow(TeacherStudent.near_teacher(teacher_W, teacher_V, multiple * 20, rng))


CASES = {
    "projected-50": StiffCase("projected-50", lambda: projected(50), (0.0, 30.0)),
    "projected-100": StiffCase("projected-100", lambda: projected(100), (0.0, 30.0)),
    "projected-200": StiffCase("projected-200", lambda: projected(200), (0.0, 30.0)),
    "projected-400": StiffCase("projected-400", lambda: projected(400), (0.0, 30.0)),
    "two-layer-20x": StiffCase("two-layer-20x", lambda: two_layers(20), (0.0, 100.0)),
}


@dataclass(frozen=True)
class Solution:
    """Final state, evaluations and seconds of one run."""

    end: Array
    nfev: int
    seconds: float


@cache
def flow_of(case: str) -> TwoLayerDynamics:
    return CASES[case].make()


def solve(case: str, solver: str, rtol: float) -> Solution:
    """One run with rtol = atol, final state only."""
    flow = flow_of(case)
    start = time.perf_counter()
    span = CASES[case].span
    found = solve_ivp(
        flow, span, flow.initial_state(), method=SOLVERS[solver], t_eval=[span[1]], rtol=rtol, atol=rtol
    )
    if not found.success:
        raise RuntimeError(f"{solver} on {case} at rtol {rtol:g}: {found.message}")
    return Solution(found.y[:, -1], int(found.nfev), time.perf_counter() - start)


@cache
def reference(case: str) -> Array:
    """The end state by DOP853 at 1e-11, which is a thousandth of the finest target."""
    return solve(case, "DOP853", 1e-11).end


def error(case: str, end: Array) -> float:
    """Root mean square over the state, at the end of the span."""
    return float(np.sqrt(np.mean((end - reference(case)) ** 2)))


@cache
def cheapest(case: str, solver: str, target: float) -> tuple[float, Solution, float]:
    """(rtol, run, error) of the loosest tolerance whose true error is at most ``target``."""
    for rtol in LADDER:
        run = solve(case, solver, rtol)
        reached = error(case, run.end)
        if reached <= target:
            return rtol, run, reached
    raise RuntimeError(f"{solver} on {case}: no tolerance down to {LADDER[-1]:g} reaches {target:g}")
