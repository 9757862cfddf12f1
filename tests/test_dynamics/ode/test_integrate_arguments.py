"""Bad arguments are one clear error; output times, memory and progress behave as documented."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any

import numpy as np
import pytest

import dynamics.ode.output_rows
import dynamics.ode.steppers.methods
from dynamics.memory import available_memory
from luckproof import METHODS, Status, integrate
from tests.test_dynamics.ode.ode_problems import Field

FLOW = Field(lambda t, y: -y, [1.0, 2.0])
IMPLICIT = [name for name, row in METHODS.items() if row.matrices]

BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"t_span": "01"}, TypeError, "t_span"),
    ({"t_span": 1.0}, TypeError, "t_span"),
    ({"t_span": (0.0, 1.0, 2.0)}, TypeError, "t_span"),
    ({"t_span": (0.0, True)}, TypeError, r"t_span\[1\]"),
    ({"t_span": ("0", 1.0)}, TypeError, r"t_span\[0\]"),
    ({"t_span": (np.nan, 1.0)}, ValueError, r"t_span\[0\]"),
    ({"t_span": (-np.inf, 1.0)}, ValueError, "t_span"),
    ({"t_span": (-1e308, 1e308)}, ValueError, "t_span"),
    ({"rtol": 1e-14}, ValueError, "rtol.*100 eps"),
    ({"rtol": 0.0}, ValueError, "rtol"),
    ({"rtol": 1.0}, ValueError, "rtol"),
    ({"rtol": np.nan}, ValueError, "rtol"),
    ({"rtol": "tight"}, TypeError, "rtol"),
    ({"atol": 0.0}, ValueError, "atol"),
    ({"atol": [1e-8, 1e-8]}, TypeError, "atol"),
    ({"method": "RK54"}, ValueError, "method.*RK45"),
    ({"method": 5}, TypeError, "method"),
    ({"method": int}, TypeError, "method"),
    ({"max_steps": 0}, ValueError, "max_steps"),
    ({"max_steps": 1.5}, TypeError, "max_steps"),
    ({"max_steps": True}, TypeError, "max_steps"),
    ({"max_seconds": 0.0}, ValueError, "max_seconds"),
    ({"max_seconds": np.inf}, ValueError, "max_seconds"),
    ({"t_eval": []}, ValueError, "t_eval"),
    ({"t_eval": [0.5, 0.2]}, ValueError, "t_eval.*ordered"),
    ({"t_eval": [0.5, 0.5]}, ValueError, "t_eval.*ordered"),
    ({"t_eval": [0.5, 1.5]}, ValueError, "t_eval.*within"),
    ({"t_eval": [np.nan]}, ValueError, "t_eval.*finite"),
    ({"t_eval": [[0.5]]}, ValueError, "t_eval.*vector"),
    ({"t_eval": ["a"]}, TypeError, "t_eval"),
    ({"progress": "yes"}, TypeError, "progress"),
    ({"flow": lambda t, y: -y}, TypeError, "flow"),
    ({"flow": Field(lambda t, y: -y, [[1.0]])}, ValueError, "initial_state.*flat"),
    ({"flow": Field(lambda t, y: -y, [])}, ValueError, "initial_state.*non-empty"),
    ({"flow": Field(lambda t, y: -y, [1.0, np.nan])}, ValueError, "initial_state.*component 1"),
    ({"flow": Field(lambda t, y: y[:1], [1.0, 2.0])}, ValueError, r"flow\(t, y\).*\(2,\).*\(1,\)"),
]


@pytest.mark.parametrize(
    ("change", "kind", "match"), BAD, ids=[f"{next(iter(row[0]))}-{row[2]}" for row in BAD]
)
def test_bad_arguments_name_themselves(change: dict[str, Any], kind: type[Exception], match: str) -> None:
    """One error that names the argument and what was expected."""
    arguments = {"flow": FLOW, "t_span": (0.0, 1.0), **change}
    with pytest.raises(kind, match=match):
        integrate(**arguments)


def test_the_same_call_without_the_fault_is_fine() -> None:
    """Control for the table above."""
    assert integrate(FLOW, (0.0, 1.0)).success
    assert integrate(FLOW, [np.float32(0), np.int64(1)], max_steps=np.int64(100)).success  # type: ignore[arg-type]


def test_instances_must_divide_the_state() -> None:
    """A stack of three does not fit in a state of two."""
    flow = Field(lambda t, y: -y, [1.0, 2.0])
    flow.instances = 3  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"flow\.instances"):
        integrate(flow, (0.0, 1.0))


def test_names_that_do_not_fit_show_before_the_run() -> None:
    """A wrong ``dimensions`` or a configuration without JSON form costs one row, not a run."""
    calls = []
    flow = Field(lambda t, y: calls.append(t) or -y, [1.0, 2.0])  # type: ignore[func-returns-value]
    flow.dimensions = {"y": ("node", "output")}  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"^y: expected shape"):
        integrate(flow, (0.0, 1.0))
    flow.dimensions = {}  # type: ignore[attr-defined]
    flow.configuration = lambda: {"measure": object()}  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="configuration"):
        integrate(flow, (0.0, 1.0))
    assert not calls


@pytest.mark.parametrize("method", METHODS)
def test_rows_are_at_the_times_asked_for(method: str) -> None:
    """Rows at t_eval exactly, forwards and backwards; without it, at every step from start to end."""
    times = np.array([0.0, 0.1, 0.5, 1.0])
    assert integrate(FLOW, (0.0, 1.0), t_eval=times, method=method).t.tolist() == times.tolist()
    back = integrate(FLOW, (1.0, 0.0), t_eval=times[::-1], method=method)
    assert back.t.tolist() == times[::-1].tolist()
    steps = integrate(FLOW, (0.0, 1.0), method=method)
    assert steps.t[[0, -1]].tolist() == [0.0, 1.0]
    assert len(steps.t) == steps.n_steps + 1
    inner = integrate(FLOW, (0.0, 1.0), t_eval=[1.0], method=method)
    assert inner.state["y"][-1].tolist() == steps.state["y"][-1].tolist()


def test_a_run_that_stops_early_keeps_where_it_stopped() -> None:
    """With t_eval too: the last row is the point reached, once."""
    run = integrate(FLOW, (0.0, 50.0), t_eval=[0.0, 40.0], max_steps=5)
    assert run.status is Status.STEP_LIMIT
    assert len(run.t) == 2
    assert 0 < run.t[-1] < 40
    assert repr(float(run.t[-1])) in run.message


@pytest.mark.parametrize("method", IMPLICIT)
def test_a_dense_jacobian_that_does_not_fit_is_refused(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """n = 200000 takes 300 GiB a matrix: refused with the estimate; explicit methods are not asked (control)."""
    flow = Field(lambda t, y: -y, np.ones(200_000))
    with pytest.raises(ValueError, match=rf"{method} keeps .* GiB"):
        integrate(flow, (0.0, 1.0), method=method)
    assert integrate(flow, (0.0, 1e-3), t_eval=[1e-3], method="RK45").success
    small = Field(lambda t, y: -y, np.ones(50))
    assert integrate(small, (0.0, 1.0), method=METHODS[method].solver).success
    monkeypatch.setattr(dynamics.ode.steppers.methods, "available_memory", lambda: 2 * 8 * 50 * 50 - 2)
    with pytest.raises(ValueError, match="GiB"):
        integrate(small, (0.0, 1.0), method=METHODS[method].solver)


@pytest.mark.parametrize("method", IMPLICIT)
def test_the_estimate_is_the_memory_taken(method: str) -> None:
    """Measured peak between half the estimate and all of it; vectors (50 of them) and SciPy's modules aside."""
    n = 500
    rates = np.linspace(1.0, 100.0, n)
    flow = Field(lambda t, y: -rates * y + y * np.roll(y, 1), np.ones(n))
    integrate(Field(lambda t, y: -y, [1.0]), (0.0, 1.0), method=method)
    tracemalloc.start()
    run = integrate(flow, (0.0, 0.5), t_eval=[0.5], method=method, rtol=1e-4, atol=1e-6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert run.success
    estimate = METHODS[method].jacobian_bytes(n)
    assert estimate / 2 < peak < estimate + 50 * 8 * n + 2**17


def test_states_that_do_not_fit_are_refused_or_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """t_eval is refused with its size; collecting every step ends with what has been collected."""
    monkeypatch.setattr(
        dynamics.ode.output_rows, "available_memory", lambda: 10 * 4 * 16
    )  # ten states of two numbers
    with pytest.raises(ValueError, match=r"t_eval: 11 times .* GiB"):
        integrate(FLOW, (0.0, 1.0), t_eval=np.linspace(0, 1, 11))
    assert integrate(FLOW, (0.0, 1.0), t_eval=np.linspace(0, 1, 10)).success
    run = integrate(FLOW, (0.0, 50.0), method="RK45")
    assert run.status is Status.MEMORY_LIMIT
    assert "t_eval" in run.message


def test_available_memory_is_plausible() -> None:
    """Positive and below a pebibyte, in bytes."""
    assert 2**20 < available_memory() < 2**50


def test_auto_follows_the_tolerance() -> None:
    """High order for rtol <= 1e-6, the cheaper method above."""
    assert integrate(FLOW, (0.0, 1.0), rtol=1e-6).attributes["method"] == "DOP853"
    assert integrate(FLOW, (0.0, 1.0), rtol=1e-5).attributes["method"] == "RK45"


def test_progress_rises_to_one() -> None:
    """A callable gets the fraction done after each step; backwards too."""
    for span in ((0.0, 3.0), (3.0, 0.0)):
        seen: list[float] = []
        run = integrate(FLOW, span, progress=seen.append)
        assert len(seen) == run.n_steps
        assert seen == sorted(seen)
        assert seen[-1] == 1.0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_shows_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something on stderr where it is a terminal, nothing where it is a file or progress is off."""
    for stream, progress, shown in (
        (Terminal(), True, True),
        (io.StringIO(), True, False),
        (Terminal(), False, False),
    ):
        monkeypatch.setattr("sys.stderr", stream)
        integrate(FLOW, (0.0, 1.0), progress=progress)
        assert ("integrating" in stream.getvalue()) is shown
