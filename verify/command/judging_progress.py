"""Statements judged with a bar on stderr, in this process or in several."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from verify.judging import AnyStatement, Context, Verdict
from verify.judging.trials.processes import default_jobs, judge_in_processes, judge_one, one_thread_each
from verify.report.verdict_picture import Picture

Judged = tuple[Verdict, Picture | None]
"""A verdict and, where one was asked for, its picture."""


def judge_all(
    chosen: Sequence[AnyStatement], context: Context, jobs: int, draw: Callable[[Verdict], Picture] | None
) -> list[Judged]:
    """Judge the statements; a bar on stderr where that is a terminal.

    Args:
        chosen: statements of the registry.
        context: budget, device and seed of the run.
        jobs: processes; 0 for one a core.
        draw: makes the picture of a verdict, in the process that judged it; None for none.
    Returns:
        One pair for each statement, in order.
    """
    jobs = jobs or default_jobs(context.device, len(chosen))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()
    ) as bar:
        task = bar.add_task("", total=len(chosen), at="")
        if jobs == 1:
            return _judge_here(chosen, context, draw, lambda **at: bar.update(task, **at))

        def finished(count: int) -> None:
            bar.update(task, completed=count, at=f"{count}/{len(chosen)}", description=f"{jobs} processes")

        finished(0)
        return judge_in_processes(chosen, context, jobs, extra=draw, finished=finished)


def _judge_here(
    chosen: Sequence[AnyStatement],
    context: Context,
    draw: Callable[[Verdict], Picture] | None,
    update: Callable[..., None],
) -> list[Judged]:
    one_thread_each()
    results = []
    for number, statement in enumerate(chosen):
        update(description=statement.name, at="")

        def advance(done: int, total: int, number: int = number) -> None:
            update(completed=number + done / max(total, 1), at=f"{done}/{total}")

        results.append(judge_one(statement, context, draw, advance))
    return results
