"""What computes points: processes of this machine, any executor, or a Dask scheduler; results as they come."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import closing, contextmanager
from typing import Any, Protocol

from dynamics.memory import GIB, available_memory
from dynamics.validation import positive_int
from dynamics.workers.pool import Done, Lost, in_processes
from verify.sweeps.errors import EngineError
from verify.sweeps.work import LOST, Result, Task, compute

Results = Generator[tuple[int, Result], None, None]
"""The number of a task among those given, and how it ended."""

Engine = Callable[[Sequence[Task]], Results]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

PROCESS_MEMORY = 160 * 2**20
"""Bytes that a process takes before it has computed anything: NumPy, SciPy, xarray and HDF5."""

MOST_JOBS = 4096
"""More processes than this are a mistake, however few of them would be started."""

WINDOW = 256
"""Points that are handed to an executor ahead where it does not say how many it works on at a time."""


class Executor(Protocol):
    """``submit`` of :class:`concurrent.futures.Executor`; what it returns has ``done`` and ``result``."""

    def submit(self, function: Any, /, *arguments: Any) -> Any:
        """Start a call."""
        ...


def check_jobs(argument: str, jobs: Any, points: int) -> int:
    """``jobs`` as a number of processes.

    Raises:
        ValueError: naming ``argument``: none, or more than fit the memory, with the estimate.
        TypeError: no integer.
    """
    count = positive_int(argument, jobs)
    started = count if count > MOST_JOBS else min(count, points)
    needed, available = started * PROCESS_MEMORY, available_memory()
    if started > 1 and needed > available:
        raise ValueError(
            f"{argument}: {started} processes take {needed / GIB:.3g} GiB, and {available / GIB:.3g} GiB are available"
        )
    return count


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_local_processes(jobs: int) -> Engine:
    """``jobs`` fresh processes with one thread each; one that dies is replaced and costs its own point alone."""

    def engine(tasks: Sequence[Task]) -> Results:
        with _one_thread_each(), closing(in_processes(compute, tasks, jobs)) as outcomes:
            for number, outcome in outcomes:
                if isinstance(outcome, Done):
                    yield number, outcome.value
                elif isinstance(outcome, Lost):
                    yield number, Result(tasks[number].key, LOST, outcome.words)
                else:  # the run's own errors are results: the file could not be written
                    raise OSError(outcome.words)

    return engine


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Processes that are started in here have one thread for linear algebra."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def in_executor(executor: Executor, window: Callable[[], int] | None = None) -> Engine:
    """Any executor of :mod:`concurrent.futures`, or one like it; files travel back to the driver, which writes them.

    Args:
        executor: the user's, who shuts it down.
        window: how many points are handed over at a time; twice the executor's workers by default.
    """
    workers = getattr(executor, "_max_workers", None)
    size = window or (lambda: 2 * workers if isinstance(workers, int) else WINDOW)

    def engine(tasks: Sequence[Task]) -> Results:
        numbers, running = iter(range(len(tasks))), dict[Any, int]()
        try:
            while True:
                for number in numbers:
                    running[_submitted(executor, tasks[number])] = number
                    if len(running) >= size():
                        break
                if not running:
                    return
                for future in _completed(list(running)):
                    number = running.pop(future)
                    yield number, _result(future, tasks[number])
        finally:
            for future in running:
                future.cancel()

    return engine


def _submitted(executor: Executor, task: Task) -> Any:
    try:
        return executor.submit(compute, task)
    except RuntimeError as error:  # BrokenExecutor, or shut down
        raise EngineError(f"the executor takes no more points: {error}") from error


def _completed(futures: list[Any]) -> list[Any]:
    """Those that are done, once one is."""
    if all(isinstance(future, Future) for future in futures):
        return list(wait(futures, return_when=FIRST_COMPLETED).done)
    pause = 0.01
    while True:
        done = [future for future in futures if future.done()]
        if done:
            return done
        time.sleep(pause)
        pause = min(2 * pause, 1.0)


def _result(future: Any, task: Task) -> Result:
    try:
        result: Result = future.result()
    except (BrokenExecutor, CancelledError) as error:
        raise EngineError(f"the executor is gone ({_words(error)})") from error
    except Exception as error:
        return Result(task.key, LOST, f"the engine lost it ({_words(error)})")
    return result


def _words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
