"""Flows of orthonormal, or of few, teachers are stepped in the teachers' own basis, and nothing but the time tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy.integrate import RK45

import luckproof
from dynamics.geometry.leading_rows import LeadingRows
from dynamics.two_layer import teacher_basis
from luckproof import (
    METHODS,
    Array,
    BiasedGaussian,
    EmpiricalMeasure,
    Event,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerDynamics,
    TwoLayerFlow,
    converged,
    diverged,
    teachers,
)

integrate = partial(luckproof.integrate, deviations=False)
"""Deviations have their own coordinates, so that runs in these turn nothing."""


def problem(
    d: int = 6, m: int = 4, n: int = 4, lead: tuple[int, ...] = (), std: float = 1.0
) -> TeacherStudent:
    rng = np.random.default_rng(3)
    teacher = teachers.orthonormal(d, m, rng, lead)
    fan_out = np.ones((m, 1)) if n == m else rng.standard_normal((m, 2))
    if n == m:
        return TeacherStudent.at_angle(teacher, 0.5, rng, measure=IsotropicGaussian(d, std))
    return TeacherStudent.near_teacher(teacher, fan_out, n, rng, measure=IsotropicGaussian(d, std))


def few_teachers(n: int = 4, lead: tuple[int, ...] = ()) -> TeacherStudent:
    """Four teachers in R^9 that are not orthonormal."""
    rng = np.random.default_rng(4)
    teacher = teachers.random_unit(9, 4, rng, lead)
    if n == 4:
        return TeacherStudent.at_angle(teacher, 0.5, rng)
    return TeacherStudent.near_teacher(teacher, rng.standard_normal((4, 2)), n, rng)


FLOWS: dict[str, Callable[[], TwoLayerDynamics]] = {
    "projected": lambda: ProjectedFlow(problem()),
    "square": lambda: ProjectedFlow(problem(4)),
    "matched": lambda: ProjectedFlow(problem(), modulation="matched"),
    "unprojected": lambda: ProjectedFlow(problem(std=1.5), projected=False),
    "stack": lambda: ProjectedFlow(problem(lead=(2, 3))),
    "two layers": lambda: TwoLayerFlow(problem(n=7)),
    "two layers, fixed V": lambda: TwoLayerFlow(problem(n=7), trains_V=False),
    "stack of two layers": lambda: TwoLayerFlow(problem(n=7, lead=(3,)), projected=False),
    "few teachers": lambda: ProjectedFlow(few_teachers()),
    "few teachers, matched": lambda: ProjectedFlow(few_teachers(), modulation="matched"),
    "few teachers, unprojected": lambda: ProjectedFlow(few_teachers(), projected=False),
    "stack of few teachers": lambda: TwoLayerFlow(few_teachers(7, (3,))),
    "few teachers, two layers": lambda: TwoLayerFlow(few_teachers(7), projected=False),
}


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small problems are turned too."""
    monkeypatch.setattr(teacher_basis, "LEAST_PRODUCT", 0)


def in_the_given_basis(flow: TwoLayerDynamics) -> TwoLayerDynamics:
    """The same flow, which does not offer another basis."""
    made = type("Given", (type(flow),), {"cheaper_coordinates": lambda self: None})
    given: TwoLayerDynamics = made.__new__(made)
    given.__dict__.update(flow.__dict__)
    return given


@pytest.mark.parametrize("kind", FLOWS)
def test_the_field_is_the_same_to_rounding(kind: str, turned: None) -> None:
    """Turned, evaluated and turned back; the maps are each other's inverse; orthonormal teachers are axes exactly."""
    flow = FLOWS[kind]()
    own = flow.cheaper_coordinates()
    assert own is not None
    assert isinstance(own.flow, TwoLayerDynamics)
    turned_W = own.flow.problem.teacher_W
    assert not turned_W[..., 4:, :].any()
    if "few" not in kind:
        np.testing.assert_array_equal(turned_W, np.broadcast_to(np.eye(flow.problem.d, 4), turned_W.shape))
    y = flow.initial_state()
    z = own.into(y)
    assert np.abs(z - y).max() > 0.1
    np.testing.assert_allclose(own.back(z), y, atol=1e-15 * flow.problem.d)
    np.testing.assert_allclose(own.back(own.flow(0.0, z)), flow(0.0, y), atol=1e-14)


@pytest.mark.parametrize("given_problem", [lambda: problem(4, 4, 5), lambda: few_teachers(5)])
@pytest.mark.parametrize("method", METHODS)
def test_runs_are_the_same_within_the_tolerance(
    method: str, given_problem: Callable[[], TeacherStudent], turned: None
) -> None:
    """Rows, observables, the time of an event, and the start to the last bit, for every method."""
    flow = TwoLayerFlow(given_problem())
    times = np.linspace(0.0, 5.0, 21)
    halved = converged(0.5 * float(flow.observables(flow.initial_state())["loss"]), "loss")
    given, own = (
        integrate(one, (0.0, 5.0), t_eval=times, method=method, rtol=1e-7, atol=1e-9, events=[halved])
        for one in (in_the_given_basis(flow), flow)
    )
    assert (own.status, own.t.size) == (given.status, given.t.size)
    assert own.events["converged"][0] == pytest.approx(given.events["converged"][0], abs=1e-4)
    for name in ("W", "V"):
        np.testing.assert_allclose(own.state[name], given.state[name], atol=1e-5)
        np.testing.assert_array_equal(own.state[name][0], given.state[name][0])
    for name, values in given.observables.items():
        np.testing.assert_allclose(own.observables[name][:-1], values[:-1], atol=1e-5)
    assert own.problem is not None
    np.testing.assert_array_equal(own.problem["teacher_W"], flow.problem.teacher_W)


def test_a_stack_is_stepped_alike(turned: None) -> None:
    """Six instances, each in the basis of its own teachers, every accepted step kept."""
    flow = FLOWS["stack"]()
    given, own = (
        integrate(one, (0.0, 10.0), method="RK45", rtol=1e-6) for one in (in_the_given_basis(flow), flow)
    )
    np.testing.assert_allclose(own.state["W"][-1], given.state["W"][-1], atol=1e-5)
    assert own.attributes["instances"] == 6


def test_callbacks_get_the_flows_own_states(turned: None) -> None:
    """Events, observables and limits of the caller's: never a turned state."""
    flow, seen = FLOWS["projected"](), []

    def first(t: float, y: Array) -> float:
        seen.append((t, y.copy()))
        return 1.0

    run = integrate(flow, (0.0, 5.0), method="CVODE", events=[Event("first", first), diverged(1e3)])
    rows = dict(zip(run.t, run.state["W"], strict=True))
    assert {t for t, _ in seen} == set(run.t)
    for t, y in seen:
        np.testing.assert_array_equal(y, rows[t].ravel())

    class Watching(ProjectedFlow):
        def observables(self, y: Array) -> dict[str, Array]:
            return {"overlap": (self.problem.teacher_W * self.unpack(y)["W"]).sum(axis=-2)}

    watched = integrate(Watching(flow.problem), (0.0, 200.0), t_eval=[0.0, 200.0])
    np.testing.assert_allclose(watched.observables["overlap"][-1], 1.0, atol=1e-8)


def test_a_limit_of_ones_own_holds_for_the_states_as_given(turned: None) -> None:
    """``diverged`` half-way between the largest entries of the start and of the teachers, which turning changes."""
    flow = FLOWS["square"]()
    largest = float(np.abs(flow.equilibrium()).max())
    start = float(np.abs(flow.initial_state()).max())
    limit = start + 0.5 * (largest - start)
    given, own = (
        integrate(one, (0.0, 50.0), method="DOP853", events=[diverged(limit)])
        for one in (in_the_given_basis(flow), flow)
    )
    assert str(own.status) == str(given.status)
    assert own.t[-1] == pytest.approx(given.t[-1], abs=1e-6)
    assert own.message.split("worst component")[-1][:8] == given.message.split("worst component")[-1][:8]


def test_the_worst_component_is_named_as_without(turned: None) -> None:
    """A step limit, and a field that is not finite in one column from some time on."""
    flow = FLOWS["projected"]()
    short = [
        integrate(one, (0.0, 50.0), method="RK45", max_steps=3) for one in (in_the_given_basis(flow), flow)
    ]
    assert short[0].message.split("component")[-1][:8] == short[1].message.split("component")[-1][:8]

    class Broken(TwoLayerFlow):
        def cheaper_coordinates(self) -> Any:
            own = super().cheaper_coordinates()

            def field(t: float, z: Array) -> Array:
                slope = own.flow(t, z)
                if t > 1:
                    slope.reshape(6, 4)[3, 2] = np.nan
                return slope

            return replace(
                own,
                flow=type("Late", (type(own.flow),), {"__call__": lambda self, t, z: field(t, z)})(
                    own.flow.problem, trains_V=False
                ),
            )

    run = integrate(Broken(problem(), trains_V=False), (0.0, 50.0), method="RK45")
    assert str(run.status) == "nonfinite"
    assert "worst component W[0, 2]" in run.message


@pytest.mark.parametrize(
    "member", ["field", "__call__", "prepare", "teacher", "of_tangent", "unpack", "pack"]
)
@pytest.mark.parametrize("base", [ProjectedFlow, TwoLayerFlow])
def test_a_subclass_that_changes_the_field_is_stepped_as_it_is(base: Any, member: str, turned: None) -> None:
    """And moves as it says: half the speed takes twice the time."""
    one = problem()
    assert base(one).cheaper_coordinates() is not None
    kept = getattr(base, member)
    changed = type("Changed", (base,), {member: lambda self, *given: kept(self, *given)})
    assert changed(one).cheaper_coordinates() is None

    class Half(base):
        def field(self, W: Array, V: Array) -> tuple[Array, Array]:
            dW, dV = super().field(W, V)
            return 0.5 * dW, 0.5 * dV

    slow, fast = (integrate(f(one), (0.0, T), t_eval=[T]).state["W"] for f, T in ((Half, 4.0), (base, 2.0)))
    np.testing.assert_allclose(slow, fast, atol=1e-6)


def test_only_orthonormal_or_few_teachers_and_spherical_input_are_turned(turned: None) -> None:
    """One of four in six dimensions off by 1e-9, more teachers than dimensions, a bias, samples, overlaps of one's own:
    as they are.
    """
    one, rng = problem(), np.random.default_rng(0)
    bent = one.teacher_W + 1e-9 * rng.standard_normal(one.teacher_W.shape)

    class Halved(IsotropicGaussian):
        def psi_d(self, A: Any, B: Any) -> Array:
            return 0.5 * super().psi_d(A, B)

    others = [
        replace(one, teacher_W=bent / np.linalg.norm(bent, axis=0)),
        TeacherStudent.at_angle(teachers.random_unit(3, 4, rng), 0.3, rng),
        replace(one, measure=BiasedGaussian(5)),
        replace(one, measure=EmpiricalMeasure(rng.standard_normal((50, 6)))),
        replace(one, measure=Halved(6)),
    ]
    assert [ProjectedFlow(other).cheaper_coordinates() for other in others] == [None] * len(others)
    assert ProjectedFlow(one).cheaper_coordinates() is not None


def test_small_problems_are_left_as_they_are() -> None:
    """Where the products do not count; large ones are turned (the control)."""
    assert FLOWS["projected"]().cheaper_coordinates() is None
    rng = np.random.default_rng(0)
    large = TeacherStudent.at_angle(teachers.orthonormal(100, 100, rng), 0.3, rng)
    assert ProjectedFlow(large).cheaper_coordinates() is not None


def test_few_teachers_need_the_span_of_themselves_alone(turned: None) -> None:
    """Of R^9 the first four rows, for products and cosines alike; five teachers in nine dimensions are left alone."""
    own = FLOWS["few teachers"]().cheaper_coordinates()
    assert own is not None
    assert isinstance(own.flow, ProjectedFlow)
    assert isinstance(own.flow.teacher, LeadingRows)
    assert own.flow.teacher.rows == 4
    rng = np.random.default_rng(0)
    many = TeacherStudent.at_angle(teachers.random_unit(9, 5, rng), 0.5, rng)
    assert ProjectedFlow(many).cheaper_coordinates() is None


def test_a_stepper_of_ones_own_sees_the_states_as_given(turned: None) -> None:
    """A class in place of a name."""
    starts = []

    class Mine(RK45):  # type: ignore[misc]
        def __init__(self, fun: Any, t0: float, y0: Array, *rest: Any, **options: Any) -> None:
            starts.append(y0.copy())
            super().__init__(fun, t0, y0, *rest, **options)

    flow = FLOWS["projected"]()
    integrate(flow, (0.0, 1.0), method=Mine)
    np.testing.assert_array_equal(starts[0], flow.initial_state())
