"""Groups of networks trained one after the other here, or shared by several processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for

from dynamics.ode.progress import Progress
from nets.specialization.group_training import GroupRun, forget_inputs, train_group
from nets.specialization.plan import TrainingPlan


def trained_groups(groups: Sequence[TrainingPlan], count: int, report: Progress) -> Iterator[GroupRun]:
    """The runs of ``groups`` in their order, by ``count`` processes; ``report`` is told the fraction done."""
    if groups:
        yield from _here(groups, report) if count == 1 else _in_processes(groups, count, report)


def _here(groups: Sequence[TrainingPlan], report: Progress) -> Iterator[GroupRun]:
    total, done = sum(group.cost for group in groups), 0.0
    try:
        for group in groups:

            def advanced(step: int, group: TrainingPlan = group, before: float = done) -> None:
                report((before + group.cost * step / group.steps) / total)

            yield train_group(group, advanced)
            done += group.cost
    finally:
        forget_inputs()


def _in_processes(groups: Sequence[TrainingPlan], count: int, report: Progress) -> Iterator[GroupRun]:
    pool = ProcessPoolExecutor(count, mp_context=_fresh_processes(), initializer=_end_with_parent)
    try:
        futures = [pool.submit(train_group, group) for group in groups]
        costs = {future: group.cost for future, group in zip(futures, groups, strict=True)}
        pending: set[Future[GroupRun]] = set(costs)
        for future in futures:
            while future in pending:
                _, pending = wait(pending, return_when=FIRST_COMPLETED)
                report(1 - sum(costs[other] for other in pending) / sum(costs.values()))
            yield future.result()
    finally:  # after an interrupt too, which the processes receive themselves
        pool.shutdown(wait=True, cancel_futures=True)


def _end_with_parent() -> None:
    """Leave no process at work where the program that started it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(
            target=lambda: os._exit(1 if wait_for([parent.sentinel]) else 0), daemon=True
        )
        watch.start()


def _fresh_processes() -> multiprocessing.context.BaseContext:
    """Processes that do not inherit this one's threads; where there is a fork server, torch is imported once."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([train_group.__module__])
    return context
