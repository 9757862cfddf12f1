"""Tasks shared by fresh processes: results as they come, a process that dies costs its own task alone."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from typing import Any, Generic, TypeVar

from dynamics.workers.lifetime import end_with_parent, shielded_from_interrupts

Task = TypeVar("Task")
Result = TypeVar("Result")

Context = SpawnContext | ForkServerContext

PATIENCE = 2.0
"""Seconds that a process is given to end when it is asked to."""


@dataclass(frozen=True)
class Done(Generic[Result]):
    """What the function returned."""

    value: Result


@dataclass(frozen=True)
class Raised:
    """The function raised: the error in a line, and its traceback."""

    words: str
    details: str


@dataclass(frozen=True)
class Lost:
    """The process died on the task, in ``words``."""

    words: str


Outcome = Done[Result] | Raised | Lost


def fresh_processes(module: str) -> Context:
    """Processes that take nothing over from this one; where there is a fork server, it imports ``module`` for all."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([module])
    return context


def in_processes(
    function: Callable[[Task], Result], tasks: Sequence[Task], count: int, context: Context | None = None
) -> Generator[tuple[int, Outcome[Result]], None, None]:
    """Call ``function`` on every task in ``count`` fresh processes; outcomes as they come, with the task's number.

    A process that dies is replaced, and the tasks that are left go on. When the iteration is left, by an interrupt or
    otherwise, all processes are ended; when this program is killed they end by themselves.

    Args:
        function: at the top of a module, which every process imports anew.
        tasks: what can be sent between processes.
        count: how many processes, at most one a task.
        context: how they are started; ``spawn`` by default.
    """
    waiting = deque(range(len(tasks)))
    working: dict[Connection, _Worker] = {}
    start = context or multiprocessing.get_context("spawn")
    try:
        for _ in range(min(count, len(tasks))):
            _start(start, function, tasks, waiting, working)
        while working:
            ready = wait([*working, *(worker.process.sentinel for worker in working.values())])
            at_hand = [c for c, worker in working.items() if c in ready or worker.process.sentinel in ready]
            for connection in at_hand:
                worker = working[connection]
                outcome = _received(connection, worker)
                number = worker.task
                if isinstance(outcome, Lost):
                    del working[connection]
                    connection.close()
                    if waiting:
                        _start(start, function, tasks, waiting, working)
                elif waiting:
                    worker.task = waiting.popleft()
                    _send(connection, tasks[worker.task])
                else:
                    del working[connection]
                    connection.close()  # the process sees that nothing more comes
                    worker.process.join(PATIENCE)
                    _end([worker.process])
                yield number, outcome
    finally:
        _end([worker.process for worker in working.values()])


@dataclass
class _Worker:
    process: BaseProcess
    task: int


def _start(
    context: Context,
    function: Callable[[Any], Any],
    tasks: Sequence[Any],
    waiting: deque[int],
    working: dict[Connection, _Worker],
) -> None:
    ours, theirs = context.Pipe()
    process: BaseProcess = context.Process(target=_work, args=(function, theirs))
    # An interrupt is for this program, which then ends the others: all of them, so that one just started is known.
    with shielded_from_interrupts():
        process.start()
        worker = working[ours] = _Worker(process, waiting.popleft())
    theirs.close()
    _send(ours, tasks[worker.task])


def _send(connection: Connection, task: Any) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # it has died: its sentinel says so
        connection.send(task)


def _received(connection: Connection, worker: _Worker) -> Outcome[Any]:
    with suppress(EOFError, OSError):
        if connection.poll():
            outcome: Outcome[Any] = connection.recv()
            return outcome
    worker.process.join(PATIENCE)
    return Lost(how_it_ended(worker.process.exitcode))


def how_it_ended(code: int | None) -> str:
    """The end of a process in words, from its exit code."""
    if code is None:
        return "its process does not answer"
    if code == -signal.SIGKILL:
        return "its process was killed (signal 9, as the system does where memory runs out)"
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"its process was ended by {name}"
    return f"its process ended with code {code}"


def _work(function: Callable[[Any], Any], connection: Connection) -> None:
    """What a process does: one task after the other, until nothing more comes."""
    end_with_parent()
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            outcome: Outcome[Any] = Done(function(task))
            connection.send(outcome)
        except BaseException as error:
            words = " ".join(f"{type(error).__name__}: {error}".split())
            with suppress(OSError):  # nobody waits for it any more
                connection.send(Raised(words, traceback.format_exc()))


def _end(processes: Sequence[BaseProcess]) -> None:
    """End processes for certain."""
    for process in processes:
        process.kill()
    for process in processes:
        process.join(PATIENCE)
