"""The tolerance is honest, the order is the method's, and the flow property holds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import DOP853, RK45, Radau

from luckproof import METHODS, Trajectory, integrate
from tests.test_dynamics.ode.ode_problems import PROBLEMS, Field, Solved, forced, linear, logistic, rms

EPS = float(np.finfo(float).eps)


def error_over_bound(run: Trajectory, problem: Solved, rtol: float, atol: float) -> float:
    """Largest error of the run over the bound that an honest error control gives.

    Each accepted step has a local error of norm <= tolerance (the estimate is of the lower-order solution), it
    grows by at most ``growth`` later, and there are ``n_steps`` of them; rounding adds eps per evaluation.
    """
    worst, largest = 0.0, np.zeros(run.state["y"].shape[1])
    for t, y in zip(run.t, run.state["y"], strict=True):
        exact = problem.exact(t)
        largest = np.maximum(largest, np.abs(exact))
        bound = problem.growth * run.n_steps * rms(atol + rtol * largest) + EPS * run.nfev * rms(largest)
        worst = max(worst, rms(y - exact) / bound)
    return worst


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("method", METHODS)
def test_the_error_is_within_the_tolerance(method: str, problem: str) -> None:
    """At every output time, step or interpolated, error <= growth * n_steps * tolerance, rtol 1e-4 ... 1e-12."""
    solved = PROBLEMS[problem]()
    times = np.linspace(*solved.span, 41)
    count = 3 if METHODS[method].matrices else 4  # what ends in seconds
    for rtol in (1e-4, 1e-7, 1e-10, 1e-12)[:count]:
        run = integrate(solved.flow, solved.span, t_eval=times, method=method, rtol=rtol, atol=rtol / 100)
        assert run.success, run.message
        assert error_over_bound(run, solved, rtol, rtol / 100) <= 1, f"rtol = {rtol}"


@pytest.mark.parametrize("method", METHODS)
def test_a_looser_run_breaks_the_same_bound(method: str) -> None:
    """Control: results computed at rtol = 1e-4 but claimed as 1e-10 are rejected by the same comparison."""
    solved = forced()
    run = integrate(solved.flow, solved.span, method=method, rtol=1e-4, atol=1e-6)
    assert error_over_bound(run, solved, 1e-10, 1e-12) > 1


BUDGET = {
    "RK45": 875,
    "DOP853": 450,
    "LSODA": 380,
    "Radau": 2750,
    "BDF": 650,
    "ROCK4": 3700,
    "CVODE": 900,
}
"""Evaluations for the linear problem at rtol 1e-8: a fifth above what the methods take (SciPy's: 1.17)."""


@pytest.mark.parametrize("method", METHODS)
def test_the_work_stays_in_its_budget(method: str) -> None:
    """The guard costs nothing in evaluations, and a finer tolerance needs more of them (control)."""
    solved = linear()
    budget = BUDGET.get(method)
    if budget is None:
        pytest.fail(f"no evaluation budget recorded for the method {method}")
    coarse = integrate(solved.flow, solved.span, method=method, rtol=1e-8, atol=1e-10)
    finer = 1e-10
    fine = integrate(solved.flow, solved.span, method=method, rtol=finer, atol=finer / 100)
    assert coarse.nfev <= budget < fine.nfev


FIXED = [name for name, row in METHODS.items() if row.order is not None]


@pytest.mark.parametrize("method", FIXED)
def test_error_against_steps_has_the_order_of_the_method(method: str) -> None:
    """Tightening the tolerance, error ~ n_steps^-p with the p of the method, whatever its error estimator.

    A rotation, six turns: steps of equal length but for the first few, so that the relation is a clean one.
    """
    rotation = Field(lambda t, y: np.array([y[1], -y[0]]), [1.0, 0.0])
    steps, errors = [], []
    slow = METHODS[method].matrices  # implicit steps
    finest = 7 if slow else 9
    for rtol in 10.0 ** -np.arange(finest - 3, finest + 0.01, 0.5):
        run = integrate(rotation, (0.0, 40.0), method=method, rtol=rtol, atol=rtol)
        steps.append(run.n_steps)
        errors.append(rms(run.state["y"][-1] - [np.cos(40.0), -np.sin(40.0)]))
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert slope == pytest.approx(METHODS[method].order, abs=0.25)  # a quarter of the way to the next order


def with_fixed_step(base: type, h: float) -> type:
    """``base`` taking equal steps: tolerances so loose that every step is accepted, and a cap on the step."""

    class FixedStep(base):  # type: ignore[misc]
        def __init__(self, fun, t0, y0, t_bound, **options):  # type: ignore[no-untyped-def]
            super().__init__(fun, t0, y0, t_bound, first_step=h, max_step=h, rtol=1e-6, atol=1e9)

    return FixedStep


@pytest.mark.parametrize(
    ("base", "order", "steps"),
    [(RK45, 5, (64, 128, 256)), (DOP853, 8, (8, 16, 32)), (Radau, 5, (16, 32, 64))],
)
def test_equal_steps_have_the_order_of_the_method(base: type, order: int, steps: tuple[int, ...]) -> None:
    """With h -> h/2 the error falls by 2^p; a subclass of OdeSolver is accepted as a method."""
    solved = forced()
    errors = []
    for count in steps:
        method = with_fixed_step(base, 6.0 / count)
        run = integrate(solved.flow, (0.0, 6.0), method=method)
        assert abs(run.n_steps - count) <= 1
        errors.append(rms(run.state["y"][-1] - solved.exact(6.0)))
    slopes = np.diff(-np.log2(errors))
    # Two halvings: the remainder is O(h) relative, a third of an order at these steps.
    assert np.abs(slopes - order).max() < 1 / 3, slopes


@pytest.mark.parametrize("method", METHODS)
def test_stopping_and_going_on_is_one_run(method: str) -> None:
    """Semigroup: 0 -> 1 -> 4 and 0 -> 4 agree within the sum of their bounds."""
    solved = logistic()
    rtol, atol = 1e-8, 1e-10
    options = {"method": method, "rtol": rtol, "atol": atol}
    whole = integrate(solved.flow, (0.0, 4.0), **options)
    first = integrate(solved.flow, (0.0, 1.0), **options)
    second = integrate(Field(solved.flow.function, first.state["y"][-1]), (1.0, 4.0), **options)
    steps = whole.n_steps + first.n_steps + second.n_steps
    assert rms(whole.state["y"][-1] - second.state["y"][-1]) <= solved.growth * steps * (rtol + atol)
    early = integrate(Field(solved.flow.function, first.state["y"][-1]), (1.0, 3.9), **options)
    gap = rms(whole.state["y"][-1] - early.state["y"][-1])
    assert gap > solved.growth * steps * (rtol + atol), "control: another end time must show"


@pytest.mark.parametrize("method", METHODS)
def test_an_autonomous_flow_does_not_know_the_time(method: str) -> None:
    """Shifting the span by 8 changes nothing beyond the tolerance; for a forced flow it does (control)."""
    for solved, autonomous in ((logistic(), True), (forced(), False)):
        end = solved.span[1]
        here = integrate(solved.flow, (0.0, end), method=method)
        there = integrate(solved.flow, (8.0, 8.0 + end), method=method)
        gap = rms(here.state["y"][-1] - there.state["y"][-1])
        bound = solved.growth * (here.n_steps + there.n_steps) * (1e-8 + 1e-10)
        assert (gap <= bound) is autonomous


@pytest.mark.parametrize("method", METHODS)
def test_backwards_undoes_forwards(method: str) -> None:
    """0 -> 1 -> 0 returns to the start; going back, an error grows by exp(8) at most for the linear problem."""
    solved = linear()
    there = integrate(solved.flow, (0.0, 1.0), method=method)
    back = integrate(Field(solved.flow.function, there.state["y"][-1]), (1.0, 0.0), method=method)
    assert back.success
    assert back.t[0] == 1.0
    assert back.t[-1] == 0.0
    assert (np.diff(back.t) < 0).all()
    growth = np.exp(8.0)
    scale = np.abs(solved.flow.initial_state()).max()
    bound = growth * (there.n_steps + back.n_steps) * (1e-8 * scale + 1e-10)
    assert rms(back.state["y"][-1] - solved.flow.initial_state()) <= bound
