"""What one evaluation of a flow costs, against the matrix products and arccosines it cannot do without.

``extra_info`` carries the ratio to that roofline, measured in turns with the flow in the same run, and the largest
error against extended precision, relative to the sum of the field's terms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from luckproof import (
    Array,
    GradientFlow,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerDynamics,
    TwoLayerFlow,
    teachers,
)
from tests.benchmarks.turns import in_turns

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Case:
    """A flow and its size; ``ratio``: the most its evaluation may cost, in units of the roofline."""

    name: str
    flow: type[TwoLayerDynamics]
    d: int
    m: int
    n: int
    batch: tuple[int, ...] = ()
    distance: float = 0.3
    ratio: float | None = None  # None where Python's own overhead, not arithmetic, is what is measured


CASES = [
    Case("projected n=5", ProjectedFlow, 10, 5, 5),
    Case("projected n=5, near", ProjectedFlow, 10, 5, 5, distance=1e-6),
    Case("projected 32 x n=10", ProjectedFlow, 10, 10, 10, (32,)),
    Case("projected 32 x n=50", ProjectedFlow, 50, 50, 50, (32,)),
    Case("projected n=200", ProjectedFlow, 200, 200, 200, ratio=2.0),
    Case("projected n=200, near", ProjectedFlow, 200, 200, 200, distance=1e-6, ratio=2.0),
    Case("projected n=400", ProjectedFlow, 400, 400, 400, ratio=2.0),
    Case("projected n=400, near", ProjectedFlow, 400, 400, 400, distance=1e-6, ratio=2.0),
    Case("two-layer n=200", TwoLayerFlow, 200, 20, 200),
    Case("gradient n=200", GradientFlow, 200, 20, 200),
]


def flow_of(case: Case) -> TwoLayerDynamics:
    """The flow from ``distance`` (a Gaussian entry's size) off an orthonormal teacher; further students are random."""
    rng = np.random.default_rng(0)
    teacher = teachers.orthonormal(case.d, case.m, rng, case.batch)
    student = teachers.random_unit(case.d, case.n, rng, case.batch)
    student[..., : case.m] = teacher + case.distance * rng.standard_normal(teacher.shape)
    student /= np.linalg.norm(student, axis=-2, keepdims=True)
    fan_out = (
        [None, None]
        if case.flow is ProjectedFlow
        else [rng.standard_normal((k, 30)) for k in (case.m, case.n)]
    )
    return case.flow(TeacherStudent(teacher, student, fan_out[0], fan_out[1]))


def roofline(flow: TwoLayerDynamics) -> Callable[[], object]:
    """The matrix products of the flow's own formula and one arccos per pair, on ready arrays."""
    problem = flow.problem
    W, T, V, U = problem.student_W, problem.teacher_W, problem.student_V, problem.teacher_V

    def floor() -> object:
        to_teacher, own = W.mT @ T, W.mT @ W
        with np.errstate(invalid="ignore"):
            np.arccos(to_teacher), np.arccos(own)
        products = [T @ to_teacher.mT, W @ own]
        if flow.trains_V:
            products += [V @ U.mT, V @ V.mT, to_teacher @ U, own @ V]
        return products

    return floor


def exact_columns(flow: TwoLayerDynamics, columns: list[int]) -> Array:
    """``w_j'`` of some students (first instance) in extended precision, by Kahan's half-angle formula."""
    problem = flow.problem if not flow.instances > 1 else flow.problem.instance(0)
    W, T = (A.astype(np.longdouble) for A in (problem.student_W, problem.teacher_W))
    V, U = (A.astype(np.longdouble) for A in (problem.student_V, problem.teacher_V))
    if flow.projected:
        W = W / np.sqrt((W * W).sum(axis=0))
    result = []
    for j in columns:
        total = np.zeros(len(W), dtype=np.longdouble)
        for nodes, fan_out, side in ((T, U, 1), (W, V, -1)):
            unit = nodes / np.sqrt((nodes * nodes).sum(axis=0))
            own = W[:, j] / np.sqrt((W[:, j] ** 2).sum())
            apart, together = (np.sqrt(((own[:, None] + s * unit) ** 2).sum(axis=0)) for s in (-1, 1))
            theta, rest = 2 * np.arctan2(apart, together), 2 * np.arctan2(together, apart)
            modulation = fan_out @ V[j] / (2 * np.arccos(np.longdouble(-1)))
            total += side * nodes @ (rest * modulation)
            if isinstance(flow, GradientFlow):
                lengths = np.sqrt((nodes * nodes).sum(axis=0))
                total += side * own * (modulation * lengths * np.sin(theta)).sum()
        if flow.projected:
            total -= W[:, j] * (W[:, j] @ total)
        result.append(total)
    return np.array(result).T


@pytest.mark.bench
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_right_hand_side(benchmark: Any, case: Case) -> None:
    """An evaluation is within the stated multiple of its roofline and right to rounding."""
    flow = flow_of(case)
    y = flow.initial_state()
    benchmark.group = f"right-hand side: {case.name}"
    field = benchmark(flow, 0.0, y)
    cost, floor = in_turns([lambda: flow(0.0, y), roofline(flow)], rounds=15)
    W = flow.unpack(field)["W"].reshape(-1, case.d, case.n)[0]
    chosen = sorted({0, case.m - 1, case.n // 2, case.n - 1})
    exact = exact_columns(flow, chosen)
    # The sum of n + m vectors cancels near the teacher: rounding is relative to its terms, of size 1/2 each.
    terms = (
        0.5 * np.abs(flow.problem.student_V @ np.swapaxes(flow.problem.student_V, -1, -2)).sum(axis=-1).max()
    )
    error = float(np.abs(W[:, chosen] - exact).max() / terms)
    benchmark.extra_info.update(
        case=case.name,
        roofline_ms=floor * 1e3,
        cost_ms=cost * 1e3,
        ratio_to_roofline=cost / floor,
        max_error=error,
    )
    assert error <= 4 * EPS  # each term is right to a few ulp
    if case.ratio is not None:
        assert cost <= case.ratio * floor


@pytest.mark.bench
@pytest.mark.parametrize("n", [5, 50])
def test_observables_of_a_run(benchmark: Any, n: int) -> None:
    """All states of a run observed at once: the same numbers as one by one, and never slower."""
    flow = flow_of(Case("observables", ProjectedFlow, max(n, 10), n, n))
    rng = np.random.default_rng(1)
    states = flow.initial_state() + 1e-3 * rng.standard_normal((400, flow.initial_state().size))
    benchmark.group = f"observables of 400 states: projected n={n}"
    together = benchmark(flow.observables_along, states)
    alone = [flow.observables(y) for y in states]
    cost, loop = in_turns(
        [lambda: flow.observables_along(states), lambda: [flow.observables(y) for y in states]], rounds=5
    )
    scale = float(np.max(flow.problem.teacher_second_moment))
    error = max(np.abs(together[k] - np.stack([row[k] for row in alone])).max() for k in together)
    benchmark.extra_info.update(
        case=f"observables n={n}", loop_over_stack=loop / cost, max_error=float(error)
    )
    assert error <= n * EPS * max(scale, 1.0)
    assert cost <= loop
