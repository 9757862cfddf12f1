"""Events are found at their times, the terminal ones end the run, and the message says which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from dynamics.ode.events import DIVERGENCE_LIMIT
from luckproof import METHODS, Event, Status, converged, diverged, integrate
from tests.test_dynamics.ode.ode_problems import Field


@dataclass
class Decay(Field):
    """y' = -y with the observable sin_theta = |y|."""

    def observables(self, y: Any) -> dict[str, Any]:
        return {"sin_theta": np.abs(y)}


def decay(*start: float) -> Decay:
    return Decay(lambda t, y: -y, list(start))


@pytest.mark.parametrize("method", METHODS)
def test_converged_ends_at_the_slowest_instance(method: str) -> None:
    """sin_theta = e^-t and 2 e^-t reach 0.1 everywhere at t = ln 20; the last row is there, and below."""
    run = integrate(decay(1.0, 2.0), (0.0, 100.0), method=method, events=[converged(0.1)])
    assert run.status is Status.CONVERGED
    assert run.success
    # dt = dy / |y'|: the error of y (n_steps * tol) over its slope 0.1 there.
    assert run.t[-1] == pytest.approx(np.log(20.0), abs=run.n_steps * (2e-8 + 1e-10) / 0.1)
    assert run.events == {"converged": (run.t[-1],)}
    assert run.observables["sin_theta"][-1].max() <= 0.1
    assert run.observables["sin_theta"][-1].max() == pytest.approx(0.1, rel=1e-12)
    assert "converged" in run.message


def test_converged_reaches_tiny_thresholds() -> None:
    """1e-12 with a tolerance to match; the time is 12 ln 10."""
    run = integrate(decay(1.0), (0.0, 100.0), rtol=1e-10, atol=1e-18, events=[converged(1e-12)])
    assert run.status is Status.CONVERGED
    assert run.t[-1] == pytest.approx(12 * np.log(10.0), abs=run.n_steps * 1e-8)


def test_converged_at_the_start_and_never() -> None:
    """Already below the threshold: one row. Never below: the run finishes."""
    at_once = integrate(decay(0.01), (0.0, 1.0), events=[converged(0.1)])
    assert at_once.status is Status.CONVERGED
    assert at_once.t.tolist() == [0.0]
    assert integrate(decay(1.0), (0.0, 1.0), events=[converged(0.1)]).status is Status.FINISHED


def test_converged_needs_its_observable() -> None:
    """A flow without observables, or without this one, is told so before anything runs."""
    with pytest.raises(ValueError, match="Field has no observables"):
        integrate(Field(lambda t, y: -y, [1.0]), (0.0, 1.0), events=[converged(0.1)])
    with pytest.raises(ValueError, match=r"'loss'.*has sin_theta"):
        integrate(decay(1.0), (0.0, 1.0), events=[converged(0.1, observable="loss")])


@pytest.mark.parametrize("limit", [None, 5.0])
def test_divergence_is_always_watched(limit: float | None) -> None:
    """y' = y passes 1e12 by default, or the limit given instead; never a success."""
    events = None if limit is None else [diverged(limit)]
    run = integrate(Field(lambda t, y: y, [1.0]), (0.0, 100.0), events=events)
    bound = limit or DIVERGENCE_LIMIT
    assert run.status is Status.DIVERGED
    assert not run.success
    assert np.abs(run.state["y"][-1]).max() == pytest.approx(bound, rel=1e-12)
    assert run.t[-1] == pytest.approx(np.log(bound), abs=run.n_steps * 1e-8)
    assert "y[0]" in run.message


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reverse", [False, True])
def test_zero_crossings_of_a_sine(method: str, reverse: bool) -> None:
    """y'' = -y from (1, 0): y = cos t crosses zero at pi/2 + k pi; ``direction`` picks among them."""
    span = (0.0, -10.0) if reverse else (0.0, 10.0)
    events = [
        Event("any", lambda t, y: y[0], terminal=False),
        Event("up", lambda t, y: y[0], terminal=False, direction=1),
        Event("down", lambda t, y: y[0], terminal=False, direction=-1),
    ]
    run = integrate(
        Field(lambda t, y: np.array([y[1], -y[0]]), [1.0, 0.0]), span, method=method, events=events
    )
    sign = -1.0 if reverse else 1.0
    times = sign * np.pi * np.array([0.5, 1.5, 2.5])
    bound = run.n_steps * (1e-8 + 1e-10)  # the slope at a crossing is one
    assert run.status is Status.FINISHED
    assert run.events["any"] == pytest.approx(times, abs=bound)
    # Along the run, so that in reversed time the first crossing is downward as well.
    assert run.events["down"] == pytest.approx(times[[0, 2]], abs=bound)
    assert run.events["up"] == pytest.approx(times[[1]], abs=bound)


def test_the_first_terminal_event_of_a_step_wins() -> None:
    """Within one long step, events are ordered by time and those after the terminal one are dropped."""
    flow = Field(lambda t, y: np.ones(1), [0.0])
    events = [
        Event("late", lambda t, y: y[0] - 0.8),
        Event("seen", lambda t, y: y[0] - 0.2, terminal=False),
        Event("first", lambda t, y: y[0] - 0.5),
        Event("missed", lambda t, y: y[0] - 0.6, terminal=False),
    ]
    run = integrate(flow, (0.0, 1.0), events=events, t_eval=[0.25, 0.75])
    assert run.status is Status.EVENT
    assert run.success
    assert sorted(run.events) == ["first", "seen"]
    assert run.t == pytest.approx([0.25, 0.5], abs=1e-12)


def test_duck_typed_events() -> None:
    """A function with attributes, SciPy's way, and a failure status of one's own."""

    def low(t: float, y: Any) -> float:
        return float(y[0]) - 0.5

    run = integrate(decay(1.0), (0.0, 5.0), events=[low])
    assert list(run.events) == ["low"]
    low.terminal = False  # type: ignore[attr-defined]
    assert integrate(decay(1.0), (0.0, 5.0), events=low).t[-1] == 5.0
    failing = Event("low", low, status=Status.DIVERGED)
    assert not integrate(decay(1.0), (0.0, 5.0), events=[failing]).success
    growing = integrate(Field(lambda t, y: y, [1.0]), (0.0, 100.0), events=[failing])
    assert list(growing.events) == ["diverged"]  # the default limit stays on beside it
    with pytest.raises(TypeError, match="events"):
        integrate(decay(1.0), (0.0, 5.0), events=[3])  # type: ignore[list-item]


def test_an_event_without_a_value_ends_the_run() -> None:
    """NaN from an event function is reported with the event's name; the rows before it are kept."""
    broken = Event("broken", lambda t, y: np.nan if t > 0.5 else 1.0)
    run = integrate(decay(1.0), (0.0, 5.0), events=[broken])
    assert run.status is Status.NONFINITE
    assert "'broken'" in run.message
    assert 0 < run.t[-1] <= 0.5 + 1e-12


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_thresholds_are_positive(bad: float) -> None:
    """Thresholds and limits that no run could meet, or every run would, are errors."""
    with pytest.raises(ValueError, match="threshold"):
        converged(bad)
    with pytest.raises(ValueError, match="limit"):
        diverged(bad)
    with pytest.raises(TypeError, match="threshold"):
        converged("0.1")  # type: ignore[arg-type]
