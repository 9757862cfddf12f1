"""Statements judged in several processes, with the same verdicts as in one."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Any

from nets.devices import available_cores
from verify.judging import registry
from verify.judging.evidence import Context
from verify.judging.runner import Progress, judge
from verify.judging.statement import AnyStatement
from verify.judging.verdict import Verdict
from verify.report.figures import Picture, picture_of

MOST_PROCESSES = 8
"""Each process holds its own torch (some 400 MB): more of them than this ask for memory rather than for cores."""

Judged = tuple[Verdict, Picture | None]


def default_jobs(device: str, statements: int) -> int:
    """One process a core (at most ``MOST_PROCESSES``); one in all where networks are trained on a GPU."""
    return 1 if device.startswith("cuda") else max(1, min(available_cores(), MOST_PROCESSES, statements))


def one_thread_each() -> None:
    """One thread for libraries loaded from now on, here and in children, unless the user says otherwise.

    The ensembles are small matrices: threads cost more than they give, and more than processes do.
    """
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(threads, "1")


def judge_one(
    statement: AnyStatement, context: Context, pictured: bool, progress: Progress | None = None
) -> Judged:
    """Verdict and, where asked for, its picture (drawn beside the evidence, while what it needs is at hand)."""
    verdict = judge(statement, context, progress)
    return verdict, picture_of(verdict) if pictured else None


def judge_in_processes(
    chosen: Sequence[AnyStatement],
    context: Context,
    jobs: int,
    *,
    pictured: bool,
    finished: Callable[[int], None] = lambda count: None,
) -> list[Judged]:
    """Judge registered statements in ``jobs`` fresh processes; results in the order of ``chosen``.

    Every draw comes from the run's seed and the statement, never from shared state, so the verdicts are those of one
    process. ``finished`` is told how many are done.
    An interrupt cancels what has not started.
    """
    one_thread_each()
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        futures = [pool.submit(_judge_named, statement.name, context, pictured) for statement in chosen]
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
        parts, picture = future.result()
        results.append((Verdict(statement=statement, **parts), picture))
    return results


def _judge_named(name: str, context: Context, pictured: bool) -> tuple[dict[str, Any], Picture | None]:
    """A verdict's parts without its statement, whose functions do not travel between processes."""
    verdict, picture = judge_one(registry.single(name), context, pictured)
    parts = {field.name: getattr(verdict, field.name) for field in dataclasses.fields(verdict)}
    del parts["statement"]
    return parts | {"controls": dict(verdict.controls)}, picture
