"""Tasks shared by processes: every outcome is told, deaths included, and no process outlives the program."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from dynamics.workers.pool import Done, Lost, Outcome, Raised, how_it_ended, in_processes
from tests.process_family import family, left


def work(task: object) -> object:
    """Squares, deaths and errors."""
    if task == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if task == "exit":
        os._exit(7)
    if task == "raise":
        raise KeyError("no such\nthing")
    if task == "sleep":
        time.sleep(60)
    if task == "unsendable":
        return lambda: None
    assert isinstance(task, int)
    return task**2


def outcomes(tasks: list[object], count: int) -> dict[int, Outcome[object]]:
    found = dict(in_processes(work, tasks, count))
    assert multiprocessing.active_children() == []
    return found


@pytest.mark.parametrize("count", [1, 3])
def test_every_task_has_its_outcome(count: int) -> None:
    """Values, errors in a line, deaths in words; what comes after a death is done by a new process."""
    found = outcomes([2, "kill", 3, "raise", "exit", "unsendable", 4], count)
    assert sorted(found) == list(range(7))
    assert [found[number] for number in (0, 2, 6)] == [Done(4), Done(9), Done(16)]
    assert found[1] == Lost("its process was killed (signal 9, as the system does where memory runs out)")
    assert found[4] == Lost("its process ended with code 7")
    raised = found[3]
    assert isinstance(raised, Raised)
    assert raised.words == r"KeyError: 'no such\nthing'"
    assert "Traceback" in raised.details
    assert isinstance(found[5], Raised)


def test_no_tasks_need_no_process() -> None:
    assert outcomes([], 4) == {}


def test_leaving_early_ends_the_processes() -> None:
    """Those that sleep for a minute too."""
    started = time.monotonic()
    work_going_on = in_processes(work, ["sleep", 3, "sleep"], 2)
    assert next(work_going_on) == (1, Done(9))
    work_going_on.close()
    assert multiprocessing.active_children() == []
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_an_interrupt_while_a_process_starts_ends_it_too(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes as soon as the process runs; one that nobody knew would be waited for when this program ends."""
    begin = BaseProcess.start

    def interrupted(process: BaseProcess) -> None:
        begin(process)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(BaseProcess, "start", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell's background job ignores
    try:
        with pytest.raises(KeyboardInterrupt):
            list(in_processes(work, ["sleep"], 1, multiprocessing.get_context(start)))
    finally:
        signal.signal(signal.SIGINT, before)
    assert multiprocessing.active_children() == []


def test_ends_are_told_in_words() -> None:
    assert how_it_ended(-signal.SIGSEGV) == "its process was ended by SIGSEGV"
    assert how_it_ended(None) == "its process does not answer"


PROGRAM = """
from dynamics.workers.pool import in_processes
from tests.test_dynamics.workers.test_a_process_that_dies_costs_its_task_alone import work
if __name__ == "__main__":
    import multiprocessing, sys
    context = multiprocessing.get_context(sys.argv[1])
    for number, outcome in in_processes(work, [1, "sleep", "sleep"], 2, context):
        print("one is done", flush=True)
"""


@pytest.mark.parametrize(
    ("how", "start"),
    [
        (signal.SIGKILL, "spawn"),
        (signal.SIGKILL, "forkserver"),
        (signal.SIGTERM, "spawn"),
        (signal.SIGHUP, "spawn"),
        (signal.SIGINT, "spawn"),
        (signal.SIGINT, "forkserver"),
    ],
)
def test_no_process_outlives_the_program(tmp_path: Path, how: signal.Signals, start: str) -> None:
    """However it is ended; nobody but it says a word about an interrupt."""
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "program.py"), start],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite in the background ignores it
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "one is done\n"
        members = family(process.pid)
        assert len(members) >= 3
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # as a terminal does
        else:
            process.send_signal(how)
        _, said = process.communicate(timeout=30)
    assert left(members, 10) == set()
    assert said.count("Traceback") == (1 if how == signal.SIGINT else 0)  # the program's own
