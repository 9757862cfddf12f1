"""Groups of networks trained one after the other here, or shared by several processes, or by a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar

from dynamics.ode.progress import Progress
from dynamics.workers.dask_workers import DaskWorkers, on_dask
from dynamics.workers.pool import Done, fresh_processes, in_processes
from nets.specialization.group_training import GroupRun, forget_inputs, train_group
from nets.specialization.plan import TrainingPlan

Keep = Callable[[TrainingPlan, GroupRun], None]
"""Told every group with its run, as soon as it is done."""


class LostTrainingError(RuntimeError):
    """A process died, or broke down, while it trained a group of networks; the other groups were finished."""


_cluster: ContextVar[DaskWorkers | None] = ContextVar("cluster", default=None)
"""The workers that train groups in place of this machine's processes."""


@contextmanager
def trained_by(workers: DaskWorkers) -> Iterator[None]:
    """In here groups are trained by these workers; the numbers are the same."""
    before = _cluster.set(workers)
    try:
        yield
    finally:
        _cluster.reset(before)


def trained_groups(
    groups: Sequence[TrainingPlan], count: int, report: Progress, keep: Keep
) -> Iterator[GroupRun]:
    """The runs of ``groups`` in their order, by ``count`` processes, or by the workers of :func:`trained_by`.

    ``report`` is told the fraction done, ``keep`` every group with its run.

    Raises LostTrainingError, once all others are done and kept, where the run of a group was lost.
    """
    if groups:
        here = count == 1 and _cluster.get() is None
        made = _here(groups, report) if here else _elsewhere(groups, count, report, keep)
        for group, run in zip(groups, made, strict=True):
            if here:
                keep(group, run)
            yield run


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


def _elsewhere(
    groups: Sequence[TrainingPlan], count: int, report: Progress, keep: Keep
) -> Iterator[GroupRun]:
    total, done = sum(group.cost for group in groups), 0.0
    runs: dict[int, GroupRun] = {}
    lost: list[str] = []
    following = 0
    workers = _cluster.get()
    running = (
        in_processes(train_group, groups, count, fresh_processes(train_group.__module__))
        if workers is None
        else on_dask(workers, train_group, groups)
    )
    with closing(running) as outcomes:
        for number, outcome in outcomes:
            if isinstance(outcome, Done):
                runs[number] = outcome.value
                keep(groups[number], outcome.value)
            else:
                lost.append(f"group {number + 1} of {len(groups)}: {outcome.words}")
            done += groups[number].cost
            report(done / total)
            while following in runs:
                yield runs.pop(following)
                following += 1
    if lost:
        raise LostTrainingError(f"{'; '.join(lost)}; the other groups were trained")
