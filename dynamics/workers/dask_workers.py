"""The workers of a Dask scheduler: the one place that knows Dask's distributed side."""

from __future__ import annotations

import logging
import math
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, TypeVar

from dynamics.version import project_version
from dynamics.workers.one_thread import one_thread
from dynamics.workers.pool import Done, Lost, Outcome, Raised

Task = TypeVar("Task")
Result = TypeVar("Result")

PATIENCE = "10s"
"""How long the scheduler may take to answer."""

COUNTED_EVERY = 5.0
"""Seconds between two looks at how many workers there are."""

LOOKED_EVERY = 0.05
"""Seconds between two looks at what is done."""


class SchedulerGoneError(RuntimeError):
    """The scheduler does not answer any more."""


class DaskWorkers:
    """``submit`` as an executor has it, and how many calls it is sensible to have under way."""

    def __init__(self, client: Any) -> None:
        self._client, self._counted, self._window = client, -math.inf, 2

    def submit(self, function: Any, /, *arguments: Any) -> Any:
        """Start a call, however like another one it is; raises SchedulerGoneError where nobody would take it."""
        if self._client.status not in ("running", "connecting"):
            raise SchedulerGoneError(f"the Dask scheduler is gone ({self._client.status})")
        return self._client.submit(function, *arguments, pure=False)

    def window(self) -> int:
        """Two for each thread of the workers that are there now."""
        if time.monotonic() > self._counted + COUNTED_EVERY:
            self._counted = time.monotonic()
            self._window = max(2, 2 * sum(self._client.nthreads().values()))
        return self._window


@contextmanager
def dask_workers(argument: str, address: str) -> Iterator[DaskWorkers]:
    """The workers of the scheduler at ``address`` (``tcp://HOST:PORT``).

    Workers that die are replaced by others, whose work is the same. The scheduler and its workers are trusted: Dask
    sends code between them.

    Raises:
        ValueError: naming ``argument``: Dask is not installed, or nobody answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(f"{argument}: Dask is not installed here; pip install 'luckproof[sweeps]'") from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError, ImportError) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{argument}: no Dask scheduler answers at {address!r} ({words})") from None
    with client, quiet_logs():
        yield DaskWorkers(client)


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Keep Dask's own warnings of lost workers off the terminal: what they mean for a task is its outcome."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]
    levels = {name: logging.getLogger(name).level for name in names}
    try:
        for name in names:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


def on_dask(
    workers: DaskWorkers, function: Callable[[Task], Result], tasks: Sequence[Task]
) -> Generator[tuple[int, Outcome[Result]], None, None]:
    """Call ``function`` on every task, as :func:`dynamics.workers.pool.in_processes` does, on one thread each.

    Where the scheduler goes, the tasks that are left are lost.
    """
    waiting, running = iter(range(len(tasks))), dict[Any, int]()
    left = set(range(len(tasks)))
    try:
        while left:
            _fill(workers, function, tasks, waiting, running)
            for future in [future for future in running if future.done()]:
                number = running.pop(future)
                outcome = _outcome(future)
                left.remove(number)
                yield number, outcome
            time.sleep(LOOKED_EVERY)
    except (SchedulerGoneError, OSError) as error:
        for number in sorted(left):
            yield number, Lost(f"{error}")
    finally:
        for future in running:
            future.cancel()


def _fill(
    workers: DaskWorkers,
    function: Callable[[Any], Any],
    tasks: Sequence[Any],
    waiting: Iterator[int],
    running: dict[Any, int],
) -> None:
    """Hand over as many tasks as the workers should have."""
    size = workers.window()
    while len(running) < size:
        number = next(waiting, None)
        if number is None:
            return
        running[workers.submit(call_like_here, function, tasks[number], project_version())] = number


def call_like_here(function: Callable[[Task], Result], task: Task, version: str) -> Outcome[Result]:
    """What a worker does: the call on one thread, by the version of the project that asked for it."""
    if version != project_version():
        return Raised(f"the worker has version {project_version()} of luckproof, expected {version}", "")
    try:
        with one_thread():
            return Done(function(task))
    except Exception as error:
        return Raised(" ".join(f"{type(error).__name__}: {error}".split()), traceback.format_exc())


def _outcome(future: Any) -> Outcome[Any]:
    try:
        outcome: Outcome[Any] = future.result()
    except CancelledError as error:
        raise SchedulerGoneError("the Dask scheduler is gone") from error
    except Exception as error:
        return Lost(" ".join(f"{type(error).__name__}: {error}".split()))
    return outcome
