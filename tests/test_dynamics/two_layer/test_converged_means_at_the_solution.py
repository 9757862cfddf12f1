"""A run converges at the solution: not opposite a teacher, and not with fan-outs that are off."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamics.two_layer.observables import sine_from_teacher
from luckproof import (
    Array,
    BiasedGaussian,
    EmpiricalMeasure,
    GradientFlow,
    IsotropicGaussian,
    ProjectedFlow,
    Status,
    TeacherStudent,
    TwoLayerFlow,
    converged,
    integrate,
    teachers,
)
from tests.test_dynamics.ode.ode_problems import Field
from verify.mathematics.bounds.comparison import deviation

UNTIL = [converged(1e-6)]


@pytest.mark.parametrize("angle", [np.pi, 3.14159265, np.nextafter(np.pi, 0), 3.0])
def test_a_student_opposite_its_teacher_has_not_converged(angle: float) -> None:
    """Its sine is below the threshold and its loss is as large as can be."""
    problem = TeacherStudent.at_angle(teachers.orthonormal(10, 5, 0), angle, 0)
    run = integrate(ProjectedFlow(problem), (0.0, 1.0), events=UNTIL)
    assert run.status is Status.FINISHED
    assert run.observables["loss"][0] > 2.0


def test_one_student_opposite_is_enough() -> None:
    """Of many, in one instance of a stack."""
    angles = np.full((3, 4), 1e-8)
    angles[1, 2] = np.pi
    teacher = np.broadcast_to(teachers.orthonormal(5, 4, 0), (3, 5, 4))
    flow = ProjectedFlow(TeacherStudent.at_angle(teacher, angles, 0))
    assert integrate(flow, (0.0, 1e-3), events=UNTIL).status is Status.FINISHED
    angles[1, 2] = 1e-8
    control = ProjectedFlow(TeacherStudent.at_angle(teacher, angles, 0))
    assert integrate(control, (0.0, 1e-3), events=UNTIL).status is Status.CONVERGED


def start_of(problem: TeacherStudent) -> dict[str, Array]:
    """The observables at the start."""
    flow = TwoLayerFlow(problem)
    return flow.observables(flow.initial_state())


@pytest.mark.parametrize("flow", [TwoLayerFlow, GradientFlow])
def test_fan_ins_alone_are_no_solution(flow: Any) -> None:
    """At the teacher's fan-ins with other fan-outs, or a r-set that speaks: on it goes, to the solution."""
    W, V = teachers.orthonormal(6, 2, 0), np.eye(2)
    off = {
        "fan-outs": TeacherStudent(W, W, V, 0.5 * V),
        "r-set": TeacherStudent(
            W, np.concatenate([W, teachers.random_unit(6, 1, 1)], 1), V, np.concatenate([V, [[0.1, 0.2]]])
        ),
    }
    for problem in off.values():
        assert start_of(problem)["sin_theta"].max() < 1e-8
        run = integrate(flow(problem), (0.0, 400.0), events=UNTIL, rtol=1e-10, atol=1e-12)
        assert run.status is Status.CONVERGED
        assert run.t[-1] > 1.0
        assert run.observables["loss"][-1] < 1e-11


def measures(d: int, rng: np.random.Generator) -> list[Any]:
    stretched = rng.standard_normal((400, d)) * np.linspace(0.3, 3.0, d)
    return [IsotropicGaussian(d, 1.7), BiasedGaussian(d - 1), EmpiricalMeasure(stretched)]


@settings(max_examples=30)
@given(
    d=st.integers(2, 6), m=st.integers(1, 4), seed=st.integers(0, 10**6), log_angle=st.floats(-6, 0),
    kind=st.integers(0, 2), scale=st.floats(1e-3, 1e3),
)  # fmt: skip
def test_whatever_is_near_enough_has_converged(
    d: int, m: int, seed: int, log_angle: float, kind: int, scale: float
) -> None:
    """The bound on the loss is one: students within an angle of their teachers, fan-outs within that share, pass."""
    rng, theta = np.random.default_rng(seed), 10**log_angle
    V = scale * rng.standard_normal((m, 2))
    measure = measures(d, rng)[kind]
    start = TeacherStudent.at_angle(teachers.random_unit(d, m, rng), theta, rng, teacher_V=V, measure=measure)
    moved = V + np.sin(theta) * np.linalg.norm(V, axis=1)[:, None] * teachers.random_unit(2, m, rng).T
    problem = TeacherStudent(start.teacher_W, start.student_W, V, moved, measure)
    flow = TwoLayerFlow(problem)
    watched = flow.observables(flow.initial_state())
    assert flow.short_of("sin_theta", np.sin(theta) * (1 + 1e-6) + 1e-15, watched) <= 0
    assert flow.short_of("sin_theta", np.sin(theta) * (1 - 1e-6), watched) > 0


def test_other_observables_are_taken_as_they_are() -> None:
    """By name; and the sine of a flow that is no two-layer one."""
    problem = TeacherStudent.at_angle(teachers.orthonormal(5, 2, 0), np.pi, 0)
    run = integrate(ProjectedFlow(problem), (0.0, 1.0), events=[converged(4.0, "angle")])
    assert run.status is Status.CONVERGED

    class Sine(Field):
        def observables(self, y: Any) -> dict[str, Any]:
            return {"sin_theta": y}

    assert integrate(Sine(lambda t, y: -y, [1e-9]), (0.0, 1.0), events=UNTIL).status is Status.CONVERGED


def test_an_overridden_observable_is_heard() -> None:
    """A flow whose sine is its own converges by that."""

    class Own(ProjectedFlow):
        def observables(self, y: Array) -> dict[str, Array]:
            return {"sin_theta": np.zeros(1)}

    problem = TeacherStudent.at_angle(teachers.orthonormal(5, 2, 0), 1.0, 0)
    assert integrate(Own(problem), (0.0, 1.0), events=UNTIL).status is Status.CONVERGED


def test_the_watched_sine_rises_all_the_way() -> None:
    """From 0 at the teacher to 2 opposite, and it is sin theta up to a right angle."""
    theta = np.linspace(0, np.pi, 1001)
    watched = sine_from_teacher(theta)
    assert (np.diff(watched) > 0).all()
    assert watched[[0, -1]] == pytest.approx([0.0, 2.0], abs=1e-15)
    assert watched[:500].tolist() == np.sin(theta[:500]).tolist()


def test_a_deviation_is_zero_at_the_solution_alone() -> None:
    """That by which Theorem 5's runs are told to have reached their limit."""
    W, V = teachers.orthonormal(4, 2, 0), np.eye(2)
    problem = TeacherStudent(W, W, V, V)
    assert deviation(problem, W, V).max() < 1e-15
    assert deviation(problem, W * [1, -1], V).max() == pytest.approx(2.0)
