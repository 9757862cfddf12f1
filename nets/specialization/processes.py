"""Groups of networks trained one after the other here, or shared by several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from dynamics.ode.progress import Progress
from dynamics.workers.pool import Context, Done, in_processes
from nets.specialization.group_training import GroupRun, forget_inputs, train_group
from nets.specialization.plan import TrainingPlan

Keep = Callable[[TrainingPlan, GroupRun], None]
"""Told every group with its run, as soon as it is done."""


class LostTrainingError(RuntimeError):
    """A process died, or broke down, while it trained a group of networks; the other groups were finished."""


def trained_groups(
    groups: Sequence[TrainingPlan], count: int, report: Progress, keep: Keep
) -> Iterator[GroupRun]:
    """The runs of ``groups`` in their order, by ``count`` processes; ``report`` is told the fraction done.

    Raises LostTrainingError, once all others are done and kept, where the run of a group was lost.
    """
    if groups:
        made = _here(groups, report) if count == 1 else _in_processes(groups, count, report, keep)
        for group, run in zip(groups, made, strict=True):
            if count == 1:
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


def _in_processes(
    groups: Sequence[TrainingPlan], count: int, report: Progress, keep: Keep
) -> Iterator[GroupRun]:
    total, done = sum(group.cost for group in groups), 0.0
    runs: dict[int, GroupRun] = {}
    lost: list[str] = []
    following = 0
    with closing(in_processes(train_group, groups, count, _fresh_processes())) as outcomes:
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


def _fresh_processes() -> Context:
    """Processes that do not inherit this one's threads; where there is a fork server, torch is imported once."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([train_group.__module__])
    return context
