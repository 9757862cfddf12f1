"""Tasks on a Dask scheduler, with a client that stands in for Dask's: outcomes as from processes, whoever dies.

A real scheduler with real workers is in tests/e2e.
"""

from __future__ import annotations

import logging
import sys
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from dynamics.version import project_version
from dynamics.workers import dask_workers
from dynamics.workers.dask_workers import DaskWorkers, call_like_here, on_dask
from dynamics.workers.pool import Done, Lost, Raised


class Client:
    """Calls at once; ``ends`` with an error in place of an outcome, or goes after so many calls."""

    def __init__(self, ends: dict[int, Exception] | None = None, stays: int = 10**9) -> None:
        self.status = "running"
        self.calls = 0
        self.looked = 0
        self.most = 0
        self.under_way = 0
        self.ends, self.stays = ends or {}, stays

    def nthreads(self) -> dict[str, int]:
        self.looked += 1
        return {"one": 2, "two": 1}

    def submit(self, function: Any, *arguments: Any, pure: bool) -> Future[Any]:
        assert not pure  # a call like another one is another call
        future: Future[Any] = Future()
        if self.calls in self.ends:
            future.set_exception(self.ends[self.calls])
        else:
            future.set_result(function(*arguments))
        self.calls += 1
        if self.calls >= self.stays:
            self.status = "closed"
        return future


def work(task: int) -> int:
    """Squares, and an error for what is negative."""
    if task < 0:
        raise KeyError("no such\ntask")
    return task**2


def outcomes(client: Client, tasks: list[int]) -> dict[int, Any]:
    return dict(on_dask(DaskWorkers(client), work, tasks))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_workers, "LOOKED_EVERY", 0.0)


def test_every_task_has_its_outcome() -> None:
    """Values, and errors in a line with their traceback; no more than two calls a thread are under way."""
    client = Client()
    found = outcomes(client, [2, -1, 3, *range(20)])
    assert sorted(found) == list(range(23))
    assert (found[0], found[2], found[22]) == (Done(4), Done(9), Done(361))
    assert isinstance(found[1], Raised)
    assert found[1].words == r"KeyError: 'no such\ntask'"
    assert "Traceback" in found[1].details
    assert client.calls == 23


def test_a_window_is_two_a_thread_and_looked_at_now_and_then() -> None:
    """Three threads are six calls; the scheduler is not asked at every look."""
    client = Client()
    workers = DaskWorkers(client)
    assert [workers.window() for _ in range(5)] == [6] * 5
    assert client.looked == 1


def test_a_worker_that_dies_costs_its_task_alone() -> None:
    """Dask gives up on a task that has killed several workers: lost, in its words; the rest is done."""
    found = outcomes(Client({1: RuntimeError("killed\nworker")}), [1, 2, 3])
    assert found == {0: Done(1), 1: Lost("RuntimeError: killed worker"), 2: Done(9)}


@pytest.mark.parametrize(
    "client", [Client(stays=6), Client({3: CancelledError()}), Client({3: CancelledError()}, stays=6)]
)
def test_a_scheduler_that_goes_loses_what_is_left(client: Client) -> None:
    """Each of the tasks is told, none twice."""
    found = list(on_dask(DaskWorkers(client), work, list(range(12))))
    assert sorted(number for number, _ in found) == list(range(12))
    lost = [outcome for _, outcome in found if isinstance(outcome, Lost)]
    assert lost
    assert all("the Dask scheduler is gone" in outcome.words for outcome in lost)


def test_workers_of_another_version_do_nothing() -> None:
    """The error names both."""
    refused = call_like_here(work, 3, "0.0.0")
    assert isinstance(refused, Raised)
    assert refused.words == f"the worker has version {project_version()} of luckproof, expected 0.0.0"
    assert call_like_here(work, 3, project_version()) == Done(9)


def test_without_dask_the_argument_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ValueError, match=r"^--scheduler: Dask is not installed here; .*luckproof\[sweeps\]"),
        dask_workers.dask_workers("--scheduler", "tcp://127.0.0.1:1"),
    ):
        pass


def test_where_nobody_answers_the_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a line, after a moment."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask_workers, "PATIENCE", "200ms")
    with (
        pytest.raises(ValueError, match=r"^--scheduler: no Dask scheduler answers at 'tcp://127\.0\.0\.1:9'"),
        dask_workers.dask_workers("--scheduler", "tcp://127.0.0.1:9"),
    ):
        pass


def test_dasks_warnings_stay_off_the_terminal_while_it_works(caplog: pytest.LogCaptureFixture) -> None:
    """A lost worker is told by its tasks' outcomes, not by Dask's log; afterwards Dask logs as before."""
    log = logging.getLogger("distributed.client")
    before = log.level
    with dask_workers.quiet_logs():
        log.warning("a worker is gone")
        assert not log.isEnabledFor(logging.ERROR)
    assert log.level == before
    assert not caplog.records
