"""Hours of use in small: memory that does not grow with repetition, norms that do not drift over many steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dynamics.ode import integrate
from luckproof import (
    GradientFlow,
    ProjectedFlow,
    TeacherStudent,
    Trajectory,
    TwoLayerStudents,
    teachers,
    train,
)

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


class PeakOnTheWay:
    """The largest resident size once a tenth of a run is over, and at its end."""

    def __init__(self) -> None:
        self.early = 0
        self.late = 0

    def __call__(self, fraction: float) -> None:
        """Called with the share of the run that is done."""
        self.late = peak()
        if fraction < 0.1 or not self.early:
            self.early = self.late

    @property
    def growth(self) -> int:
        return self.late - self.early


def test_a_million_steps_of_training() -> None:
    """The last nine tenths of them cost no memory, unit columns stay so at every record, and the students stay put."""
    seen = PeakOnTheWay()
    run = train(
        TwoLayerStudents.from_problem(problem(1), "cpu"),
        lr=0.05, batch_size=4, steps=1_000_000, seed=0, record_every=10_000, progress=seen,
    )  # fmt: skip
    assert run.success
    assert seen.early > 0
    assert seen.growth < GROWTH
    assert np.abs(np.linalg.norm(run.state["W"], axis=-2) - 1).max() < 8 * np.finfo(float).eps
    # The solution has no noise: what is left is rounding, of the order of eps in every coordinate.
    assert run.observables["sin_theta"][50:].max() < 1e-12


def test_a_growing_run_is_seen() -> None:
    """Control: a quarter of a megabyte kept at every report of the same training exceeds the allowance."""
    seen, kept = PeakOnTheWay(), []

    def keeping(fraction: float) -> None:
        kept.append(np.ones(LEAK // 8))
        seen(fraction)

    train(
        TwoLayerStudents.from_problem(problem(1), "cpu"),
        lr=0.05, batch_size=4, steps=64 * 400, seed=0, record_every=10_000, progress=keeping,
    )  # fmt: skip
    assert len(kept) > 200
    assert seen.growth > GROWTH


def test_a_hundred_thousand_units_of_time() -> None:
    """Of plain gradient flow with twice as many students: memory, the conserved balance, and a loss that only falls.

    ``||w_j||^2 - ||v_j||^2`` is conserved, and a step of error delta moves it by 2 ||y|| delta. The loss J falls but
    for the errors of the steps: delta moves it by at most ``sqrt(2 L J) delta + L delta^2 / 2``, where its curvature
    is at most L.
    """
    rng, seen = np.random.default_rng(1), PeakOnTheWay()
    teacher = teachers.orthonormal(10, 3, rng)
    parts = teacher, 0.3 * rng.standard_normal((10, 6)), np.eye(3), 0.3 * rng.standard_normal((6, 3))
    flow = GradientFlow(TeacherStudent(*parts))
    run = integrate(flow, (0, 1e5), t_eval=np.linspace(0, 1e5, 401), progress=seen, rtol=1e-8, atol=1e-10)
    assert run.success
    assert seen.growth < GROWTH
    W, V, loss = run.state["W"], run.state["V"], run.observables["loss"]
    size = float(np.sqrt((W**2).sum(axis=(1, 2)) + (V**2).sum(axis=(1, 2))).max())
    error = run.n_steps * (1e-8 * size + 1e-10)  # of all steps together
    balance = (W**2).sum(axis=1) - (V**2).sum(axis=2)
    assert np.abs(balance - balance[0]).max() < 2 * size * error
    curvature = (size + np.linalg.norm(np.eye(3)) + np.linalg.norm(teacher)) ** 2
    assert np.all(np.diff(loss) <= np.sqrt(2 * curvature * loss[:-1]) * error + curvature * error**2 / 2)
    assert loss[-1] < 1e-3 * loss[0]
