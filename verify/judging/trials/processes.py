"""Statements judged in several processes, with the same verdicts as in one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dynamics.memory import GIB, available_memory
from dynamics.workers.dask_workers import DaskWorkers, on_dask
from dynamics.workers.pool import Done, fresh_processes, in_processes
from nets.devices import available_cores
from verify.judging import registry
from verify.judging.evidence import Context
from verify.judging.origin import Origin, is_own
from verify.judging.statement import AnyStatement
from verify.judging.trials.runner import judge
from verify.judging.trials.trial import Progress
from verify.judging.verdict import Verdict

PROCESS_MEMORY = 400 * 2**20
"""Bytes that a process takes before it has judged anything: its own torch, for the most part."""

JUDGING_MEMORY = GIB
"""Bytes that a process may come to while it judges (0.7 GiB were seen at the quick budget)."""

IMPORTED = "verify.judging.trials.imported_statements"
"""The module that brings all statements of the papers."""

MOST_JOBS = 4096
"""More processes than this are a mistake, however few of them would be started."""

Extra = TypeVar("Extra")
"""What is made of a verdict where it was reached, such as its picture."""


def default_jobs(device: str, statements: int) -> int:
    """One process for every core that has ``JUDGING_MEMORY``; one in all where networks are trained on a GPU."""
    if device.startswith("cuda"):
        return 1
    return max(1, min(available_cores(), available_memory() // JUDGING_MEMORY, statements))


def check_jobs(argument: str, jobs: int, statements: int) -> None:
    """Refuse a number of processes that is none, or that do not fit the memory; raises ValueError with the estimate."""
    if jobs < 0:
        raise ValueError(f"{argument}: expected a number of processes >= 0, got {jobs}")
    started = jobs if jobs > MOST_JOBS else min(jobs, statements)
    needed, available = started * PROCESS_MEMORY, available_memory()
    if started > 1 and needed > available:
        raise ValueError(
            f"{argument}: {started} processes take {needed / GIB:.3g} GiB, and {available / GIB:.3g} GiB are available"
        )


def one_thread_each() -> None:
    """One thread for libraries loaded from now on, here and in children, unless the user says otherwise.

    The ensembles are small matrices: threads cost more than they give, and more than processes do.
    """
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")


def judge_one(
    statement: AnyStatement,
    context: Context,
    extra: Callable[[Verdict], Extra] | None = None,
    progress: Progress | None = None,
) -> tuple[Verdict, Extra | None]:
    """The verdict and, where asked for, what ``extra`` makes of it.

    ``extra`` is called in the process that judged, where what the evidence computed is still at hand.
    """
    verdict = judge(statement, context, progress)
    return verdict, None if extra is None else extra(verdict)


@dataclass(frozen=True)
class Judged(Generic[Extra]):
    """What came of one statement: its verdict and what was made of it, or how it was ``lost``."""

    statement: AnyStatement
    verdict: Verdict | None
    extra: Extra | None = None
    lost: str = ""


def judge_in_processes(
    chosen: Sequence[AnyStatement],
    context: Context,
    jobs: int,
    *,
    extra: Callable[[Verdict], Extra] | None = None,
    workers: DaskWorkers | None = None,
) -> Generator[Judged[Extra], None, None]:
    """Judge registered statements in fresh processes, with the verdicts of one process, each as soon as it is reached.

    Every draw comes from the run's seed and the statement, never from shared state. Where a process dies or raises, its
    statement is lost and the others go on. When the iteration is left, by an interrupt too, the processes are ended.

    Args:
        chosen: statements of the registry or of a file, which no process takes over from this one.
        context: budget, device and seed of the run.
        jobs: how many processes.
        extra: a function that can be pickled (at the top of a module), called on each verdict where it was reached.
        workers: of a Dask scheduler, in place of processes of this machine.
    """
    one_thread_each()
    tasks = [(statement.name, statement.origin, context, extra) for statement in chosen]
    there = None if workers is None else on_dask(workers, _judge_named, tasks)
    # To import the papers' statements takes each process 3 seconds, unless it is a fork of one that has them.
    own = all(is_own(statement.evidence) for statement in chosen)
    start = None if own else fresh_processes(IMPORTED)
    with closing(there or in_processes(_judge_named, tasks, jobs, start)) as outcomes:
        for number, outcome in outcomes:
            statement = chosen[number]
            if isinstance(outcome, Done):
                parts, made = outcome.value
                yield Judged(statement, Verdict(statement=statement, **parts), made)
            else:
                yield Judged(statement, None, lost=outcome.words)


def _judge_named(
    task: tuple[str, Origin | None, Context, Callable[[Verdict], Extra] | None],
) -> tuple[dict[str, Any], Extra | None]:
    """A verdict's parts without its statement, whose functions do not travel between processes."""
    name, origin, context, extra = task
    verdict, made = judge_one(registry.found_again(name, origin), context, extra)
    parts = {field.name: getattr(verdict, field.name) for field in dataclasses.fields(verdict)}
    del parts["statement"]
    return parts | {"controls": dict(verdict.controls)}, made
