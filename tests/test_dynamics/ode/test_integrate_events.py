"""Events are found at their times, the terminal ones end the run, and the message says which."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import dynamics.ode.output_rows
from dynamics.ode.events import DIVERGENCE_LIMIT
from dynamics.validation import takes
from luckproof import METHODS, Event, Status, Trajectory, converged, diverged, integrate
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


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_zero_at_the_very_end_of_a_step_is_a_crossing(sign: float) -> None:
    """The last step ends at the end of the span to the bit, and the event is zero there, from below or above."""
    end = Event("end", lambda t, y: sign * (t - 1.0), direction=sign)
    run = integrate(Field(lambda t, y: -y, [1.0]), (0.0, 1.0), events=[end])
    assert run.events == {"end": (1.0,)}
    assert run.status is Status.EVENT


def test_a_threshold_met_to_the_bit_at_the_start_is_met() -> None:
    """``<=`` and ``>=``: nothing is integrated."""
    for events, y0, status in (
        ([converged(0.1)], 0.1, Status.CONVERGED),
        ([diverged(0.1)], -0.1, Status.DIVERGED),
    ):
        run = integrate(decay(y0), (0.0, 1.0), events=events)
        assert (run.status, run.t.tolist()) == (status, [0.0])


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


def turning(t: float, y: Any) -> Any:
    """A circle: y[0] = cos t, y[1] = -sin t."""
    return np.array([y[1], -y[0]])


def crossing(**words: Any) -> Any:
    """The event y[0] = 0 with SciPy's attributes."""

    def crosses(t: float, y: Any) -> float:
        return float(y[0])

    for name, value in words.items():
        setattr(crosses, name, value)
    return crosses


WORDS: list[dict[str, Any]] = [
    {},
    {"terminal": False},
    {"terminal": True},
    {"terminal": 1},
    {"terminal": 3},
    {"terminal": 3.0},
    {"terminal": 0},
    {"terminal": None},
    {"terminal": np.int64(2), "direction": -1},
    {"terminal": 2, "direction": 0.5},
    {"terminal": 100},
    {"direction": 1},
    {"direction": -2.5},
]


@pytest.mark.parametrize("words", WORDS, ids=str)
@pytest.mark.parametrize("span", [(0.0, 10.0), (0.0, -10.0)], ids=["forwards", "backwards"])
def test_events_are_what_they_are_in_scipy(words: dict[str, Any], span: tuple[float, float]) -> None:
    """Number, times and states of the occurrences, and whether and where they end the run: as of ``solve_ivp``."""
    run = integrate(Field(turning, [1.0, 0.0]), span, rtol=1e-9, atol=1e-11, events=crossing(**words))
    scipys = solve_ivp(
        turning, span, [1.0, 0.0], method="DOP853", rtol=1e-9, atol=1e-11, events=crossing(**words)
    )
    assert run.events["crosses"] == pytest.approx(scipys.t_events[0], abs=1e-7)
    assert run.event_states["crosses"] == pytest.approx(scipys.y_events[0], abs=1e-7)
    assert (run.status is Status.EVENT) is (scipys.status == 1)
    assert run.t[-1] == pytest.approx(scipys.t[-1], abs=1e-7)
    assert run.success


def test_two_lambdas_are_two_events() -> None:
    """Each has a name and times of its own; a name that is taken gets a number."""
    events: list[Any] = [lambda t, y: y[0] - 0.5, lambda t, y: y[0] - 0.25, crossing(), crossing()]
    events += [Event("<lambda> 2", lambda t, y: y[0] - 0.125, terminal=False)]
    run = integrate(Field(lambda t, y: -1.0 * np.ones(1), [1.0]), (0.0, 2.0), events=events)
    found = {"<lambda>": 0.5, "<lambda> 3": 0.75, "<lambda> 2": 0.875, "crosses": 1.0, "crosses 2": 1.0}
    assert {name: times[0] for name, times in run.events.items()} == pytest.approx(found, abs=1e-12)
    assert [run.event_states[name].shape for name in found] == [(1, 1)] * 5
    with pytest.raises(
        ValueError, match=r"^events: expected a name of its own for each event, got \['a'\] twice"
    ):
        integrate(decay(1.0), (0.0, 1.0), events=[Event("a", crossing()), Event("a", crossing())])


def test_a_function_called_diverged_leaves_the_limit_on() -> None:
    """The default limit is replaced by ``diverged(limit)`` or an ``Event`` of that name, by nothing else."""

    def diverged(t: float, y: Any) -> float:
        return float(y[0]) - 10.0

    run = integrate(Field(lambda t, y: y, [1.0]), (0.0, 100.0), events=diverged)
    assert run.status is Status.DIVERGED
    assert sorted(run.events) == ["diverged", "diverged 2"]


def test_events_get_states_of_their_own() -> None:
    """One that works in the array it is given does not touch the run."""

    def spoils(t: float, y: Any) -> float:
        y *= 100.0
        return float(y[0]) - 50.0

    run = integrate(decay(1.0), (0.0, 1.0), events=spoils)
    assert run.state["y"][-1] == pytest.approx(np.exp(-1.0), rel=1e-6)
    assert run.events["spoils"][0] == pytest.approx(np.log(2.0), abs=1e-7)


@pytest.mark.parametrize(
    ("words", "kind", "match"),
    [
        ({"terminal": -1}, ValueError, "^events: terminal: expected a non-negative integer"),
        ({"terminal": 1.5}, TypeError, "^events: terminal: expected a non-negative integer"),
        ({"terminal": "yes"}, TypeError, "^events: terminal: expected"),
        ({"terminal": np.inf}, TypeError, "^events: terminal: expected"),
        ({"direction": "up"}, TypeError, "^events: direction: expected a real number"),
        ({"direction": np.nan}, ValueError, "^events: direction: expected a finite number"),
    ],
)
def test_words_that_mean_nothing_are_refused(
    words: dict[str, Any], kind: type[Exception], match: str
) -> None:
    """Where SciPy would take them for something."""
    with pytest.raises(kind, match=match):
        integrate(decay(1.0), (0.0, 1.0), events=crossing(**words))


def test_a_run_keeps_the_states_of_its_events(tmp_path: Any) -> None:
    """Through a file too, names of any kind included."""
    events = [crossing(), Event("θ / 2", lambda t, y: y[1] - 0.5, terminal=False), lambda t, y: y[0] - 9.0]
    run = integrate(Field(turning, [1.0, 0.0]), (0.0, 10.0), events=events)
    run.save(tmp_path / "run.nc")
    again = Trajectory.load(tmp_path / "run.nc")
    assert again.events == run.events
    assert {name: states.tolist() for name, states in again.event_states.items()} == {
        name: states.tolist() for name, states in run.event_states.items()
    }
    assert sorted(run.event_states) == sorted(run.events) == ["crosses", "θ / 2"]
    with pytest.raises(ValueError, match=r"^event_states\['crosses'\]: expected shape \(3, size\)"):
        replace(run, event_states={"crosses": np.zeros((2, 2))})


def test_too_many_occurrences_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """States at events take no more of the memory than rows do."""
    monkeypatch.setattr(dynamics.ode.output_rows, "available_memory", lambda: 10 * 4 * 16)  # ten states
    run = integrate(Field(turning, [1.0, 0.0]), (0.0, 100.0), t_eval=[100.0], events=crossing())
    assert run.status is Status.MEMORY_LIMIT
    assert "'crosses'" in run.message
    assert len(run.events["crosses"]) == 10


def test_duck_typed_events() -> None:
    """A function with attributes, SciPy's way, and a failure status of one's own."""

    def low(t: float, y: Any) -> float:
        return float(y[0]) - 0.5

    run = integrate(decay(1.0), (0.0, 5.0), events=[low])
    assert list(run.events) == ["low"]
    assert integrate(decay(1.0), (0.0, 5.0), events=low).t[-1] == 5.0
    low.terminal = True  # type: ignore[attr-defined]
    assert integrate(decay(1.0), (0.0, 5.0), events=low).status is Status.EVENT
    failing = Event("low", low, status=Status.DIVERGED)
    assert not integrate(decay(1.0), (0.0, 5.0), events=[failing]).success
    growing = integrate(Field(lambda t, y: y, [1.0]), (0.0, 100.0), events=[failing])
    assert list(growing.events) == ["diverged"]  # the default limit stays on beside it
    with pytest.raises(TypeError, match="events"):
        integrate(decay(1.0), (0.0, 5.0), events=[3])


@pytest.mark.parametrize("count", [0, 1, 3])
def test_functions_of_other_arguments_are_refused(count: int) -> None:
    """Before the run, by the name of the argument; one of C that does not tell its arguments is tried."""
    function = [lambda: 1.0, lambda t: 1.0, None, lambda t, y, more: 1.0][count]
    with pytest.raises(TypeError, match=r"^events: .*expected a callable \(t, y\)"):
        integrate(decay(1.0), (0.0, 5.0), events=[function])
    with pytest.raises(TypeError, match=r"^jac: expected a callable \(t, y\)"):
        integrate(decay(1.0), (0.0, 5.0), method="Radau", jac=function)
    if count != 1:
        with pytest.raises(TypeError, match=r"^progress: expected"):
            integrate(decay(1.0), (0.0, 5.0), progress=function)
    assert takes(math.hypot, 2)
    assert takes(max, 2)


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
