"""The stiff flows on which integrators are compared, and the true error of an end state's directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

from luckproof import Array, ProjectedFlow, TeacherStudent, TwoLayerDynamics, TwoLayerFlow, teachers


@dataclass(frozen=True)
class StiffCase:
    """A named flow over a span."""

    name: str
    make: Callable[[], TwoLayerDynamics]
    span: tuple[float, float]


def projected(n: int) -> TwoLayerDynamics:
    """Theorem 4's flow: orthonormal teacher, start teacher + 0.3 N(0, 1), columns normalised."""
    rng = np.random.default_rng(0)
    teacher = teachers.orthonormal(n, n, rng)
    start = teacher + 0.3 * rng.standard_normal((n, n))
    return ProjectedFlow(TeacherStudent(teacher, start / np.linalg.norm(start, axis=0)))


def two_layers(multiple: int) -> TwoLayerDynamics:
    """Theorem 5's flow near the teacher: d = 10, m = 20, c = 30, n = multiple * m."""
    rng = np.random.default_rng(0)
    teacher_W, teacher_V = teachers.random_unit(10, 20, rng), rng.standard_normal((20, 30)) / np.sqrt(30)
    return TwoLayerFlow(TeacherStudent.near_teacher(teacher_W, teacher_V, multiple * 20, rng))


CASES = {
    "projected-50": StiffCase("projected-50", lambda: projected(50), (0.0, 30.0)),
    "projected-100": StiffCase("projected-100", lambda: projected(100), (0.0, 30.0)),
    "projected-200": StiffCase("projected-200", lambda: projected(200), (0.0, 30.0)),
    "projected-400": StiffCase("projected-400", lambda: projected(400), (0.0, 30.0)),
    "two-layer-5x": StiffCase("two-layer-5x", lambda: two_layers(5), (0.0, 100.0)),
    "two-layer-10x": StiffCase("two-layer-10x", lambda: two_layers(10), (0.0, 100.0)),
    "two-layer-20x": StiffCase("two-layer-20x", lambda: two_layers(20), (0.0, 100.0)),
}


TARGETS = (1e-5, 1e-8)
"""True errors at which integrators are compared."""


@cache
def flow_of(case: str) -> TwoLayerDynamics:
    return CASES[case].make()


@cache
def reference(case: str) -> Array:
    """The end state by DOP853 at 1e-11, which is a thousandth of the finest target."""
    flow, span = flow_of(case), CASES[case].span
    found = solve_ivp(
        flow, span, flow.initial_state(), method="DOP853", t_eval=[span[1]], rtol=1e-11, atol=1e-11
    )
    if not found.success:
        raise RuntimeError(f"reference of {case}: {found.message}")
    return np.asarray(found.y[:, -1])


def by_direction(case: str, state: Array) -> Array:
    """A flat state with the columns of W at norm 1: lengths are no part of a projected flow, and drift as they will."""
    flow = flow_of(case)
    arrays = flow.unpack(state)
    arrays["W"] = arrays["W"] / np.linalg.norm(arrays["W"], axis=-2, keepdims=True)
    return flow.pack(arrays)


def error(case: str, end: Array) -> float:
    """Root mean square over directions and fan-outs, at the end of the span."""
    return float(np.sqrt(np.mean((by_direction(case, end) - by_direction(case, reference(case))) ** 2)))
