"""Hours of use in small: memory that does not grow with repetition, norms that do not drift over many steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from luckproof import ProjectedFlow, TeacherStudent, Trajectory, TwoLayerStudents, integrate, teachers, train

pytestmark = pytest.mark.soak

resource = pytest.importorskip("resource", reason="peak memory is read from the Unix resource counters")

GROWTH = 16 << 20
"""Bytes by which the peak may rise after the warm-up: allocator slack, far below one leaked object a call."""

LEAK = 256 << 10
"""Bytes the control keeps at every call; what a forgotten trajectory of this size would cost."""


def peak() -> int:
    """Largest resident size of this process so far, in bytes."""
    return 1024 * int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def growth(action: Callable[[int], object], warm_up: int = 50, calls: int = 400) -> int:
    """By how much the peak rises over ``calls`` calls after a warm-up."""
    for call in range(warm_up):
        action(call)
    before = peak()
    for call in range(warm_up, warm_up + calls):
        action(call)
    return peak() - before


def problem(networks: int = 4) -> TeacherStudent:
    rng = np.random.default_rng(0)
    teacher = teachers.orthonormal(10, 5, rng)
    return TeacherStudent.at_angle(np.broadcast_to(teacher, (networks, 10, 5)), 0.3, rng)


def simulated(call: int) -> Trajectory:
    return integrate(ProjectedFlow(problem()), (0, 20), t_eval=np.linspace(0, 20, 201))


def trained(call: int) -> Trajectory:
    return train(
        TwoLayerStudents.from_problem(problem(), "cpu"),
        lr=0.1,
        batch_size=32,
        steps=200,
        seed=call,
        record_every=1,
    )


@pytest.mark.parametrize("action", [simulated, trained])
def test_repetition_costs_no_memory(action: Callable[[int], Trajectory]) -> None:
    """Hundreds of runs, each thrown away, leave the peak where the first ones put it."""
    assert growth(action) < GROWTH


def test_a_leak_is_seen() -> None:
    """Control: the same measurement with a quarter of a megabyte kept at every call exceeds the allowance."""
    kept: list[np.ndarray] = []
    assert growth(lambda call: kept.append(np.ones(LEAK // 8))) > GROWTH


def test_unit_norms_do_not_drift() -> None:
    """After 200,000 projected steps every fan-in has norm 1 to a few ulp: it is normalised, not only projected."""
    run = train(
        TwoLayerStudents.from_problem(problem(), "cpu"),
        lr=0.05, batch_size=16, steps=200_000, seed=0, record_every=100_000,
    )  # fmt: skip
    norms = np.linalg.norm(run.state["W"][-1], axis=-2)
    assert np.abs(norms - 1).max() < 8 * np.finfo(float).eps


def test_a_flow_at_its_limit_stays_there() -> None:
    """Over t = 1e5, four orders of magnitude past convergence, the angle neither grows nor stops the integrator."""
    run = integrate(ProjectedFlow(problem()), (0, 1e5), t_eval=np.linspace(0, 1e5, 101))
    assert run.success
    assert run.observables["sin_theta"][-1].max() < 1e-8
