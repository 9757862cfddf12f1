"""Whatever the right-hand side does, a run ends, says how, and never calls a non-finite state a success."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.integrate import LSODA, RK45, solve_ivp

from luckproof import METHODS, Status, Trajectory, diverged, integrate
from tests.test_dynamics.ode.ode_problems import Field, Hang, at_most

SECONDS = 20.0
"""No run below takes a second; SciPy's own drivers did not return from three of them."""

UNBOUNDED = (Status.DIVERGED, Status.STEP_TOO_SMALL, Status.NONFINITE, Status.STEP_LIMIT)
FIELDS: dict[str, tuple[Any, tuple[Status, ...]]] = {
    "NaN at the start": (lambda t, y: np.nan * y, (Status.NONFINITE,)),
    "infinite at the start": (lambda t, y: np.inf * y, (Status.NONFINITE,)),
    "NaN from t = 0.5": (lambda t, y: -y if t < 0.5 else np.nan * y, (Status.NONFINITE,)),
    "one NaN from t = 0.5": (lambda t, y: np.array([-y[0], np.nan if t > 0.5 else 1.0]), (Status.NONFINITE,)),
    "blow-up y^2": (lambda t, y: y**2, UNBOUNDED),
    "blow-up exp(y)": (lambda t, y: np.exp(y), UNBOUNDED),
    "overflow": (lambda t, y: np.exp(1e3 * y), (*UNBOUNDED, Status.EVALUATION_LIMIT)),
    "domain edge": (lambda t, y: -np.sqrt(y) - 1, (Status.NONFINITE, Status.STEP_TOO_SMALL)),
}


def contract(run: Trajectory) -> None:
    """What holds of every result."""
    assert all(np.isfinite(array).all() for array in run.state.values())
    assert all(len(array) == len(run.t) for array in run.arrays.values())
    assert run.success == (run.status in (Status.FINISHED, Status.CONVERGED, Status.EVENT))
    assert run.message.startswith(str(run.status))
    if not run.success:
        assert re.search(r"worst component \w+\[[\d, ]+\] = ", run.message), run.message
        assert run.message.endswith(run.status.remedy)
        assert len(run.status.remedy) > 20


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("method", METHODS)
def test_a_broken_field_is_a_typed_result(method: str, field: str) -> None:
    """Every method x every way to break: a status of the expected kind, finite states kept, no hang."""
    function, expected = FIELDS[field]
    with at_most(SECONDS):
        run = integrate(Field(function, [1.0, 1.0]), (0.0, 2.0), method=method, max_steps=3000)
    contract(run)
    assert run.status in expected, run.message
    assert not run.success
    assert run.t[0] == 0.0
    assert run.t[-1] < 1.1
    if "0.5" in field:
        assert 0.3 < run.t[-1] <= 0.5  # the last accepted step, at most one typical step before the edge
    if field == "one NaN from t = 0.5":
        assert "y[1]" in run.message


@pytest.mark.parametrize("method", METHODS)
def test_the_same_field_without_the_fault_succeeds(method: str) -> None:
    """Control: y' = -y runs to the end."""
    run = integrate(Field(lambda t, y: -y, [1.0, 1.0]), (0.0, 2.0), method=method)
    contract(run)
    assert run.success


def test_scipys_own_driver_does_not_return() -> None:
    """Control: the clock works, and the case is a real one; solve_ivp with RK45 hangs on a NaN start."""
    with pytest.raises(Hang), at_most(1.0):
        solve_ivp(lambda t, y: np.nan * y, (0.0, 2.0), [1.0], method=RK45)


def test_scipys_lsoda_calls_nan_a_success() -> None:
    """Control: without the guard LSODA steps on through NaN."""
    solver = LSODA(lambda t, y: np.nan * y, 0.0, np.ones(1), 1.0)
    for _ in range(100):
        if solver.status == "running":
            solver.step()
    assert solver.status == "finished"
    assert np.isnan(solver.y).all()


@pytest.mark.parametrize("method", METHODS)
def test_odd_spans(method: str) -> None:
    """A reversed span runs backwards, one of zero length gives the start, an infinite one names the remedy."""
    flow = Field(lambda t, y: -y, [1.0, 2.0])
    with at_most(SECONDS):
        back = integrate(flow, (2.0, 0.0), method=method)
        still = integrate(flow, (2.0, 2.0), method=method)
        with pytest.raises(ValueError, match=r"t_span.*converged"):
            integrate(flow, (0.0, np.inf), method=method)
        with pytest.raises(ValueError, match=r"t_span\[1\]"):
            integrate(flow, (0.0, np.nan), method=method)
    contract(back)
    assert back.status is Status.FINISHED
    assert back.state["y"][-1] == pytest.approx(np.exp(2.0) * np.array([1.0, 2.0]), rel=1e-5)
    assert still.success
    assert still.t.tolist() == [2.0]
    assert still.state["y"].tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "span", [(0.0, 1e-300), (1.0, 1.0 + 2**-52), (0.0, 1e300), (1e4, 1e4 + 2), (-1e15, 1e15)]
)
def test_extreme_spans_end(method: str, span: tuple[float, float]) -> None:
    """Spans near underflow, rounding and overflow end with a typed result."""
    with at_most(SECONDS):
        run = integrate(Field(lambda t, y: -y, [1.0]), span, method=method, max_steps=500)
    contract(run)
    if span[1] - span[0] < 1e-10:  # one step, or a refusal; LSODA would report steps that stand still
        assert run.status in (Status.FINISHED, Status.STEP_TOO_SMALL)
        assert run.n_steps <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("start", [1e-320, 1e11, 1e300])
def test_extreme_states_end(method: str, start: float) -> None:
    """States near underflow and overflow too, with the divergence limit out of the way."""
    for function in (lambda t, y: -y, lambda t, y: y**3):
        with at_most(SECONDS):
            flow = Field(function, [start, -start])
            contract(integrate(flow, (0.0, 1.0), method=method, max_steps=300, events=[diverged(1e308)]))


@pytest.mark.parametrize("method", METHODS)
def test_the_step_cap(method: str) -> None:
    """``max_steps`` ends the run after exactly that many steps and keeps them."""
    run = integrate(Field(lambda t, y: -y, [1.0]), (0.0, 50.0), method=method, max_steps=7)
    contract(run)
    assert run.status is Status.STEP_LIMIT
    assert run.n_steps == 7
    assert len(run.t) == 8


@pytest.mark.parametrize("method", METHODS)
def test_the_wall_budget_interrupts_a_step(method: str) -> None:
    """The clock is read within a step: one slow Jacobian or many slow evaluations cannot outlast it by much."""

    def slow(t: float, y: Any) -> Any:
        time.sleep(0.02)
        return -y

    with at_most(SECONDS):
        run = integrate(Field(slow, np.ones(100)), (0.0, 10.0), method=method, max_seconds=0.1)
    contract(run)
    assert run.status is Status.TIME_LIMIT
    assert run.nfev <= 7  # at 0.02 s each six fit; the seventh is refused


@pytest.mark.parametrize("method", ["RK45", "DOP853", "BDF", "Radau"])
def test_a_step_that_never_completes_is_given_up(method: str) -> None:
    """A solver that evaluates for ever within one step is stopped by the cap on evaluations."""

    class Endless(METHODS[method].solver):  # type: ignore[misc, name-defined]
        def _step_impl(self) -> tuple[bool, None]:
            while True:
                self.fun(self.t, self.y)

    with at_most(SECONDS):
        run = integrate(Field(lambda t, y: -y, [1.0]), (0.0, 1.0), method=Endless)
    contract(run)
    assert run.status is Status.EVALUATION_LIMIT
    assert run.t.tolist() == [0.0]


@example(method="LSODA", bad=1e308, onset=0.0, back=False)  # naming the worst component overflowed
@given(
    method=st.sampled_from(sorted(METHODS)),
    bad=st.sampled_from([np.nan, np.inf, -np.inf, 1e308]),
    onset=st.floats(0.0, 1.0),
    back=st.booleans(),
)
def test_any_onset_of_any_fault_ends(method: str, bad: float, onset: float, back: bool) -> None:
    """A value that breaks down at any time, in either direction of time, ends the run before the span does."""

    def field(t: float, y: Any) -> Any:
        return -y if abs(t) < onset else np.full_like(y, bad)

    with at_most(SECONDS):
        run = integrate(Field(field, [1.0]), (0.0, -2.0 if back else 2.0), method=method, max_steps=2000)
    contract(run)
    assert not run.success


def test_errors_of_the_flow_pass_through() -> None:
    """An exception raised by the flow is the caller's, also where the method would take it for its own."""

    def field(t: float, y: Any) -> Any:
        if t > 0.2:
            raise ValueError("mine")
        return -y

    for method in METHODS:
        with pytest.raises(ValueError, match=r"^mine$"):
            integrate(Field(field, [1.0]), (0.0, 1.0), method=method)
