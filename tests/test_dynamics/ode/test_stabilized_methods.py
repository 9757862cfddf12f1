"""The stabilised method as a solver: order, stiff problems, cost, spectral radius, SciPy's driver, automatic choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from dynamics.ode.steppers.rock4 import ROCK4
from dynamics.ode.steppers.spectral_radius import SAFETY, SpectralRadius
from dynamics.ode.steppers.stabilized import Stabilized
from luckproof import Array, ProjectedFlow, TeacherStudent, integrate, teachers
from tests.test_dynamics.ode.ode_problems import Field, rms

METHODS = {"ROCK4": ROCK4}


def coupled(t: float, y: Array) -> Array:
    """Nonlinear and not autonomous: every order condition of a pair of equations takes part."""
    return np.array([-(y[0] ** 2) * y[1] + np.sin(t), y[0] - y[1] ** 3 * np.cos(t)])


def diffusion(n: int) -> tuple[Any, Array, float]:
    """u_t = u_xx + u (1 - u) with n points of the method of lines: field, start, largest eigenvalue 4/dx^2."""
    dx = 1 / (n + 1)
    x = dx * np.arange(1, n + 1)

    def field(t: float, u: Array) -> Array:
        padded = np.pad(u, 1)
        return np.asarray((padded[2:] - 2 * u + padded[:-2]) / dx**2 + u * (1 - u))

    return field, np.sin(np.pi * x) + 0.3 * np.sin(5 * np.pi * x), 4 / dx**2


def in_equal_steps(solver: type[Stabilized], h: float, extent: float) -> Array:
    """State at t = 2 of ``coupled`` in steps of ``h``, with the stages for h times spectral radius = ``extent``."""
    run = solver(coupled, 0.0, np.array([1.0, 0.5]), 2.0, first_step=h, max_step=h, rtol=1e-6, atol=1e9)
    run.radius.value, run._age, run.settling = extent / h, -(10**9), 0.0
    while run.status == "running":
        run.step()
    return np.asarray(run.y)


@pytest.mark.parametrize("extent", [1.0, 20.0, 200.0])
@pytest.mark.parametrize("name", METHODS)
def test_equal_steps_have_the_order_of_the_method(name: str, extent: float) -> None:
    """error ~ h^p on a nonlinear, non-autonomous system, with few stages and with many.

    The last step is of order five: in less than 80 it makes a difference.
    """
    tight = solve_ivp(coupled, (0.0, 2.0), [1.0, 0.5], method="DOP853", rtol=1e-13, atol=1e-14).y[:, -1]
    h = 2.0 / np.array([80, 160, 320, 640])
    errors = [rms(in_equal_steps(METHODS[name], step, extent) - tight) for step in h]
    slope = np.polyfit(np.log(h), np.log(errors), 1)[0]
    assert slope == pytest.approx(METHODS[name].order, abs=0.25)  # a quarter of the way to the next


@pytest.mark.parametrize("name", METHODS)
def test_a_stiff_problem_costs_the_root_of_its_stiffness(name: str) -> None:
    """Diffusion, n doubled: rho grows fourfold, evaluations less than 2.5 times (DOP853: more than 3, the control)."""
    counts: dict[str, list[int]] = {name: [], "DOP853": []}
    for n in (40, 80):
        field, start, _ = diffusion(n)
        tight = integrate(Field(field, start), (0.0, 0.5), method="Radau", rtol=1e-9, atol=1e-11)
        for method in counts:
            run = integrate(Field(field, start), (0.0, 0.5), method=method, rtol=1e-4, atol=1e-6)
            assert run.success, run.message
            assert rms(run.state["y"][-1] - tight.state["y"][-1]) < 1e-4 * run.n_steps
            counts[method].append(run.nfev)
    growth = {method: second / first for method, (first, second) in counts.items()}
    assert growth[name] < 2.5, counts
    assert growth["DOP853"] > 3, counts
    assert counts[name][1] < counts["DOP853"][1] / 4, counts


@pytest.mark.parametrize("name", METHODS)
def test_scipys_driver_takes_the_method(name: str) -> None:
    """``solve_ivp(method=...)`` with dense output; errors within steps times tolerance; options are checked."""
    field, start, _ = diffusion(20)
    times = np.linspace(0, 0.2, 9)
    options: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-7}
    found = solve_ivp(field, (0.0, 0.2), start, method=METHODS[name], t_eval=times, **options)
    tight = solve_ivp(field, (0.0, 0.2), start, method="Radau", t_eval=times, rtol=1e-10, atol=1e-12)
    assert found.success
    steps = solve_ivp(field, (0.0, 0.2), start, method=METHODS[name], **options).t.size
    assert rms(found.y - tight.y) < steps * 1e-5
    with pytest.raises(ValueError, match="max_step"):
        METHODS[name](field, 0.0, start, 1.0, max_step=-1.0)
    with pytest.raises(ValueError, match="first_step"):
        METHODS[name](field, 0.0, start, 1.0, first_step=2.0)
    with pytest.warns(UserWarning, match="no effect.*jac"):
        METHODS[name](field, 0.0, start, 1.0, jac=None)


@pytest.mark.parametrize("largest", [0.5, 30.0, 2e4])
def test_the_spectral_radius_of_a_symmetric_jacobian(largest: float) -> None:
    """Between the radius and 1.3 times it, within 51 evaluations; a warm start needs at most three."""
    rng = np.random.default_rng(5)
    Q = np.linalg.qr(rng.standard_normal((60, 60)))[0]
    A = -(Q * np.linspace(0.01, 1, 60) ** 2 * largest) @ Q.T
    calls = 0

    def field(t: float, y: Array) -> Array:
        nonlocal calls
        calls += 1
        return A @ y

    y = rng.standard_normal(60)
    radius = SpectralRadius()
    radius.estimate(field, 0.0, y, A @ y)
    assert largest <= radius.value <= 1.3 * largest
    assert radius.cosine < -0.9
    assert calls <= 51
    calls = 0
    radius.estimate(field, 0.0, y, A @ y)
    assert largest <= radius.value <= 1.3 * largest
    assert calls <= 3


def test_the_spectral_radius_sees_through_symmetry_and_faults() -> None:
    """A fast mode that f does not excite is found; NaN beyond a wall does not stop the estimate; a rotation shows."""
    fast = SpectralRadius()
    fast.estimate(lambda t, y: np.array([-1.0, -100.0]) * y, 0.0, np.array([1.0, 0.0]), np.array([-1.0, 0.0]))
    assert fast.value == pytest.approx(SAFETY * 100, rel=0.05)
    wall = SpectralRadius()
    wall.estimate(lambda t, y: np.where(y > 1 + 1e-10, np.nan, -7 * y), 0.0, np.ones(2), -7 * np.ones(2))
    assert wall.value == pytest.approx(SAFETY * 7, rel=0.05)
    broken = SpectralRadius()
    assert broken.estimate(lambda t, y: np.nan * y, 0.0, np.ones(2), -np.ones(2)) == 0
    turn = SpectralRadius()
    turn.estimate(lambda t, y: 50 * np.array([-y[1], y[0]]), 0.0, np.ones(2), 50 * np.array([-1.0, 1.0]))
    assert turn.value == pytest.approx(SAFETY * 50, rel=0.05)
    assert abs(turn.cosine) < 0.1


def test_auto_takes_cvode_where_it_pays_and_says_so() -> None:
    """Diffusion: at most a third of DOP853's work; not for a rotation of that radius, nor a calm field."""
    field, start, rho = diffusion(80)
    for rtol in (1e-3, 1e-5, 1e-8):
        run = integrate(Field(field, start), (0.0, 0.5), rtol=rtol, atol=rtol / 100)
        assert run.attributes["method"] == "CVODE"
        assert "auto took CVODE: spectral radius" in run.message
        assert "spectral radius" in run.attributes["method_reason"]
        plain = integrate(Field(field, start), (0.0, 0.5), method="DOP853", rtol=rtol, atol=rtol / 100)
        assert run.nfev < plain.nfev / 3
        assert plain.attributes["method_reason"] == "as asked"
        assert "auto" not in plain.message
    turning = Field(lambda t, y: rho * np.array([-y[1], y[0]]), [1.0, 0.0])
    run = integrate(turning, (0.0, 0.5), rtol=1e-4, max_steps=50)
    assert run.attributes["method"] == "RK45"
    assert "does not purely decay" in run.attributes["method_reason"]
    calm = integrate(Field(lambda t, y: -y, [1.0, 2.0]), (0.0, 1.0))
    assert calm.attributes["method"] == "DOP853"
    backwards = integrate(Field(lambda t, y: -1e3 * y, [1.0]), (0.0, -1e-3), rtol=1e-4)
    assert backwards.attributes["method"] == "RK45"


@pytest.mark.parametrize("instances", [(), (32,)])
def test_auto_judges_a_stack_by_one_of_its_instances(instances: tuple[int, ...]) -> None:
    """32 small instances are no large state: CVODE, with one norm over all, took twice DOP853's time."""
    teacher = teachers.orthonormal(10, 10, 0, instances)
    run = integrate(ProjectedFlow(TeacherStudent.at_angle(teacher, 0.3, 0)), (0.0, 30.0), t_eval=[30.0])
    assert run.attributes["method"] == "DOP853"


def test_auto_on_a_field_that_is_broken_at_the_start_ends_as_without_it() -> None:
    """NaN or an exhausted clock during the choice is reported by the run itself."""
    run = integrate(Field(lambda t, y: np.nan * y, [1.0]), (0.0, 1.0))
    assert str(run.status) == "nonfinite"
    assert "no spectral radius" in run.attributes["method_reason"]
    late = integrate(Field(lambda t, y: -y, [1.0]), (0.0, 1.0), max_seconds=1e-9)
    assert str(late.status) == "time_limit"
    probe_fails = Field(lambda t, y: -y if y[0] <= 1 else np.nan * y, [1.0])
    assert integrate(probe_fails, (0.0, 1.0)).success


def test_evaluations_grow_like_the_root_of_n_on_the_projected_flow() -> None:
    """Fitted exponent of evaluations against n = 25 ... 100 at rtol 1e-2: below 0.75 for ROCK4, near one for RK45."""
    sizes = (25, 50, 100)
    counts: dict[str, list[int]] = {"ROCK4": [], "RK45": []}
    for n in sizes:
        rng = np.random.default_rng(n)
        teacher = teachers.orthonormal(n, n, rng)
        start = teacher + 0.3 * rng.standard_normal((n, n))
        flow = ProjectedFlow(TeacherStudent(teacher, start / np.linalg.norm(start, axis=0)))
        for method, found in counts.items():
            found.append(integrate(flow, (0.0, 30.0), method=method, rtol=1e-2, atol=1e-2).nfev)
    exponent = {name: np.polyfit(np.log(sizes), np.log(found), 1)[0] for name, found in counts.items()}
    assert exponent["ROCK4"] < 0.75, counts
    assert exponent["RK45"] > 0.8, counts


def test_fast_modes_have_settled_at_the_end() -> None:
    """Theorem 4's flow, whose fast mode is the mean over students: it ends 3 times nearer than without settling.

    The two short steps cost less than three of the shortest. The control is the same method without them.
    """
    rng = np.random.default_rng(0)
    teacher = teachers.orthonormal(50, 50, rng)
    start = teacher + 0.3 * rng.standard_normal((50, 50))
    flow = ProjectedFlow(TeacherStudent(teacher, start / np.linalg.norm(start, axis=0)))
    span, y0 = (0.0, 30.0), flow.initial_state()
    tight = solve_ivp(flow, span, y0, method="DOP853", t_eval=[30.0], rtol=1e-10, atol=1e-10).y[:, -1]
    errors, counts = [], []
    for settling in (ROCK4.settling, 0.0):
        method = type("Variant", (ROCK4,), {"settling": settling})
        found = solve_ivp(flow, span, y0, method=method, t_eval=[30.0], rtol=1e-2, atol=1e-2)
        errors.append(rms((found.y[:, -1] - tight).reshape(50, 50).mean(axis=1)))
        counts.append(found.nfev)
    assert errors[0] < errors[1] / 3, errors
    assert counts[0] <= counts[1] + 3 * 6, counts


def test_nothing_is_evaluated_beyond_the_end() -> None:
    """Stiff and not autonomous: the field is NaN behind the end of the span, and the run has its usual accuracy."""
    field, start, _ = diffusion(30)
    latest = 0.0

    def ends(t: float, y: Array) -> Array:
        nonlocal latest
        latest = max(latest, t)
        return field(t, y) + np.sin(20 * t) if t <= 0.3 else np.full_like(y, np.nan)

    found = solve_ivp(ends, (0.0, 0.3), start, method=ROCK4, rtol=1e-5, atol=1e-7)
    tight = solve_ivp(ends, (0.0, 0.3), start, method="Radau", rtol=1e-9, atol=1e-11)
    assert found.success
    assert latest == 0.3
    assert rms(found.y[:, -1] - tight.y[:, -1]) < found.t.size * 1e-5
