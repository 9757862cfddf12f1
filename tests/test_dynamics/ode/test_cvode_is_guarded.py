"""CVODE under our guards: cost, long spans, errors of the field, outputs, and nothing on standard output."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics.ode.steppers.cvode import CVODE
from luckproof import (
    METHODS,
    Array,
    EmpiricalMeasure,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerFlow,
    integrate,
    teachers,
)
from tests.test_dynamics.ode.ode_problems import Field, rms


def projected(n: int) -> ProjectedFlow:
    """Theorem 4's flow from teacher + noise, stiff like n/4."""
    rng = np.random.default_rng(n)
    teacher = teachers.orthonormal(n, n, rng)
    start = teacher + 0.3 * rng.standard_normal((n, n))
    return ProjectedFlow(TeacherStudent(teacher, start / np.linalg.norm(start, axis=0)))


def decay(t: float, y: Array) -> Array:
    """Two rates, a thousand apart."""
    return np.array([-1.0, -1e3]) * y


def test_evaluations_hardly_depend_on_the_number_of_students() -> None:
    """n = 20 ... 80: exponent at most 0.1, where the stabilised methods have 1/2 and explicit ones 1."""
    sizes = (20, 40, 80)
    counts = [integrate(projected(n), (0.0, 30.0), method="CVODE", rtol=1e-5, atol=1e-5).nfev for n in sizes]
    assert np.polyfit(np.log(sizes), np.log(counts), 1)[0] <= 0.1, counts


@pytest.mark.parametrize("make", [projected, None])
def test_a_span_a_hundred_times_as_long_takes_at_most_twice_the_evaluations(make: Any) -> None:
    """T = 1e5 against 1e3, by auto; the limit is reached and the norms stay within the tolerance."""
    flow: Any = projected(5)
    if make is None:
        rng = np.random.default_rng(0)
        W, V = teachers.orthonormal(6, 2, rng), rng.standard_normal((2, 3))
        flow = TwoLayerFlow(TeacherStudent.near_teacher(W, V, 4, rng))
    short, long = (integrate(flow, (0.0, t_end)) for t_end in (1e3, 1e5))
    assert long.attributes["method"] == "CVODE"
    assert long.success
    assert long.nfev <= 2 * short.nfev
    assert np.abs(long.observables["norm_drift"]).max() < 1e-6
    assert abs(long.observables["loss"][-1]) < 1e-12


def test_no_run_crawls_however_long_the_span() -> None:
    """T = 1e8: a few thousand evaluations."""
    run = integrate(projected(4), (0.0, 1e8))
    assert run.success
    assert run.nfev < 5000


def test_a_field_that_jumps_is_met_by_a_relaxed_tolerance_and_said_so() -> None:
    """On samples: RK45 at 1e-3, a few hundred evaluations where DOP853 at 1e-8 takes a hundred thousand."""
    rng = np.random.default_rng(1)
    teacher = teachers.orthonormal(6, 3, rng)
    start = teacher + 0.3 * rng.standard_normal(teacher.shape)
    problem = TeacherStudent(
        teacher,
        start / np.linalg.norm(start, axis=0),
        measure=EmpiricalMeasure(rng.standard_normal((500, 6))),
    )
    run = integrate(ProjectedFlow(problem), (0.0, 20.0))
    assert run.attributes["method"] == "RK45"
    assert run.attributes["solver_rtol"] == 1e-3
    assert "the field jumps, at rtol 0.001 instead of 1e-08" in run.message
    assert run.nfev < 2000


@pytest.mark.parametrize("t_end", [2.0, -2.0])
def test_outputs_within_steps_are_as_good_as_the_steps(t_end: float) -> None:
    """Both directions of time; 200 outputs against the exact solution."""
    times = np.linspace(0.0, t_end, 200)
    run = integrate(
        Field(lambda t, y: np.array([-y[0], np.cos(t)]), [1.0, 0.0]),
        (0.0, t_end),
        t_eval=times,
        method="CVODE",
        rtol=1e-8,
        atol=1e-10,
    )
    exact = np.stack([np.exp(-times), np.sin(times)], axis=1)
    assert rms(run.state["y"] - exact) < run.n_steps * 1e-8 * np.exp(abs(t_end))
    between = solve_ivp(decay, (0.0, 1.0), [1.0, 1.0], method=CVODE, dense_output=True)
    np.testing.assert_array_equal(between.sol(between.t), between.y)


def test_asking_for_outputs_does_not_change_the_steps() -> None:
    """The same end, bit for bit, and as many evaluations."""
    quiet = integrate(projected(6), (0.0, 20.0), method="CVODE", t_eval=[0.0, 20.0])
    asked = integrate(projected(6), (0.0, 20.0), method="CVODE", t_eval=np.linspace(0.0, 20.0, 301))
    np.testing.assert_array_equal(quiet.state["W"][-1], asked.state["W"][-1])
    assert quiet.nfev == asked.nfev


def test_the_fields_own_error_passes_through() -> None:
    """An exception raised deep inside SUNDIALS arrives as it was raised."""

    def broken(t: float, y: Array) -> Array:
        if t > 0.1:
            raise ZeroDivisionError("of the field")
        return -y

    with pytest.raises(ZeroDivisionError, match="of the field"):
        integrate(Field(broken, [1.0]), (0.0, 1.0), method="CVODE")


@pytest.mark.parametrize(
    ("field", "statuses"),
    [
        (lambda t, y: y**2, {"diverged", "step_too_small", "nonfinite"}),
        (lambda t, y: np.sqrt(0.5 - t) * y, {"nonfinite", "step_too_small"}),
        (lambda t, y: -y if t < 0.3 else np.nan * y, {"nonfinite", "step_too_small"}),
    ],
)
def test_runs_that_cannot_go_on_end_and_write_nothing(
    field: Any, statuses: set[str], capfd: pytest.CaptureFixture[str]
) -> None:
    """Blow-up at t = 1, the end of a domain, NaN: a status, and no word on either stream."""
    with np.errstate(all="ignore"):
        run = integrate(Field(field, [1.0]), (0.0, 2.0), method="CVODE")
    assert str(run.status) in statuses
    assert not run.success
    assert capfd.readouterr() == ("", "")


def test_limits_on_steps_and_seconds_hold() -> None:
    """Both end the run with what it has."""
    few = integrate(projected(8), (0.0, 50.0), method="CVODE", max_steps=7)
    assert (str(few.status), few.n_steps) == ("step_limit", 7)
    late = integrate(projected(8), (0.0, 50.0), method="CVODE", max_seconds=1e-9)
    assert str(late.status) == "time_limit"


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_a_field_that_works_in_its_argument_does_no_harm(method: str) -> None:
    """``y *= -1; return y`` is the decay it looks like, whatever the method."""

    def in_place(t: float, y: Array) -> Array:
        y *= -1
        return y

    run = integrate(Field(in_place, [1.0, 2.0]), (0.0, 1.0), method=method, rtol=1e-8)
    assert rms(run.state["y"][-1] - np.exp(-1) * np.array([1.0, 2.0])) < 1e-6
