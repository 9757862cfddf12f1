"""Statements judged in several processes, with the same verdicts as in one."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

from nets.devices import available_cores
from verify.judging import registry
from verify.judging.evidence import Context
from verify.judging.statement import AnyStatement
from verify.judging.trials.runner import judge
from verify.judging.trials.trial import Progress
from verify.judging.verdict import Verdict

PROCESS_LIMIT = 8
"""Each process holds its own torch (some 400 MB): more of them than this ask for memory rather than for cores."""

Extra = TypeVar("Extra")
"""What is made of a verdict where it was reached, such as its picture."""


def default_jobs(device: str, statements: int) -> int:
    """One process a core (at most ``PROCESS_LIMIT``); one in all where networks are trained on a GPU."""
    return 1 if device.startswith("cuda") else max(1, min(available_cores(), PROCESS_LIMIT, statements))


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


def judge_in_processes(
    chosen: Sequence[AnyStatement],
    context: Context,
    jobs: int,
    *,
    extra: Callable[[Verdict], Extra] | None = None,
    finished: Callable[[int], None] = lambda count: None,
) -> list[tuple[Verdict, Extra | None]]:
    """Judge registered statements in fresh processes, with the verdicts of one process.

    Every draw comes from the run's seed and the statement, never from shared state. An interrupt stops the processes
    and cancels what has not started.

    Args:
        chosen: statements of the registry, which every process imports anew.
        context: budget, device and seed of the run.
        jobs: how many processes.
        extra: a function that can be pickled (at the top of a module), called on each verdict where it was reached.
        finished: told how many statements are judged, after each.

    Returns:
        One pair per statement, in the order of ``chosen``: the verdict, and what ``extra`` made of it.
    """
    one_thread_each()
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        futures = [pool.submit(_judge_named, statement.name, context, extra) for statement in chosen]
        pending: set[Future[Any]] = set(futures)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()  # an error of a worker ends the run at once
            finished(len(futures) - len(pending))
    except BaseException:  # an interrupt too: what runs is stopped, what waits is dropped
        for process in multiprocessing.active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    results = []
    for statement, future in zip(chosen, futures, strict=True):
        parts, made = future.result()
        results.append((Verdict(statement=statement, **parts), made))
    return results


def _judge_named(
    name: str, context: Context, extra: Callable[[Verdict], Extra] | None
) -> tuple[dict[str, Any], Extra | None]:
    """A verdict's parts without its statement, whose functions do not travel between processes."""
    verdict, made = judge_one(registry.single(name), context, extra)
    parts = {field.name: getattr(verdict, field.name) for field in dataclasses.fields(verdict)}
    del parts["statement"]
    return parts | {"controls": dict(verdict.controls)}, made
