"""Statements judged with a bar on stderr, in this process or in several; what is finished is kept whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from dynamics.workers.dask_workers import DaskWorkers
from verify.judging import AnyStatement, Context, Verdict
from verify.judging.trials.kept_verdicts import KeptVerdicts
from verify.judging.trials.processes import (
    Judged,
    default_jobs,
    judge_in_processes,
    judge_one,
    one_thread_each,
)
from verify.report.verdict_picture import Picture

Draw = Callable[[Verdict], Picture]


@dataclass
class JudgingRun:
    """What is known of a run so far.

    ``judged``: by the statement's name; ``interrupted``: what stopped the run, if something did; ``unkept``: why a
    verdict could not be kept in the folder, if so.
    """

    chosen: Sequence[AnyStatement]
    judged: dict[str, Judged[Picture]] = field(default_factory=dict)
    interrupted: KeyboardInterrupt | None = None
    unkept: str = ""

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts reached, in reading order."""
        found = (self.judged.get(statement.name) for statement in self.chosen)
        return [judged.verdict for judged in found if judged is not None and judged.verdict is not None]

    @property
    def lost(self) -> dict[str, str]:
        """The statements whose process died or broke down, with how."""
        return {name: judged.lost for name, judged in self.judged.items() if judged.lost}

    @property
    def pictures(self) -> dict[str, Picture]:
        """The pictures that were drawn, by the statement's name."""
        return {name: judged.extra for name, judged in self.judged.items() if judged.extra is not None}


def judge_all(
    chosen: Sequence[AnyStatement],
    context: Context,
    jobs: int,
    draw: Draw | None,
    kept: KeptVerdicts | None = None,
    workers: DaskWorkers | None = None,
) -> JudgingRun:
    """Judge the statements; a bar on stderr where that is a terminal.

    Args:
        chosen: statements of the registry.
        context: budget, device and seed of the run.
        jobs: processes; 0 for one a core.
        draw: makes the picture of a verdict, in the process that judged it; None for none.
        workers: of a Dask scheduler, which judge in place of processes of this machine.
        kept: verdicts found there are not reached again; others are added as soon as they are, with a line on stderr.
    Returns:
        All that was reached, where the run was interrupted too.
    Raises:
        DamagedFileError: a kept verdict is not as it was written.
    """
    run = JudgingRun(chosen)
    for statement in chosen if kept is not None else ():
        verdict = kept.find(statement) if kept is not None else None
        if verdict is not None:
            run.judged[statement.name] = Judged(statement, verdict, None if draw is None else draw(verdict))
    missing = [statement for statement in chosen if statement.name not in run.judged]
    if missing:
        _judge(run, missing, context, jobs or default_jobs(context.device, len(missing)), draw, kept, workers)
    return run


def _judge(
    run: JudgingRun,
    missing: Sequence[AnyStatement],
    context: Context,
    jobs: int,
    draw: Draw | None,
    kept: KeptVerdicts | None,
    workers: DaskWorkers | None,
) -> None:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        before = len(run.judged)
        task = bar.add_task("", total=len(run.chosen), completed=before, at=f"{before}/{len(run.chosen)}")
        if jobs == 1 and workers is None:
            outcomes = _judge_here(missing, context, draw, lambda **at: bar.update(task, **at), before)
        else:
            bar.update(task, description=f"{jobs} processes" if workers is None else "Dask")
            outcomes = judge_in_processes(missing, context, jobs, extra=draw, workers=workers)
        try:
            with closing(outcomes):
                for judged in outcomes:
                    run.judged[judged.statement.name] = judged
                    if kept is not None:
                        _keep(run, kept, judged)
                        bar.console.print(_line(judged), markup=False, highlight=False, soft_wrap=True)
                    count = len(run.judged)
                    bar.update(task, completed=count, at=f"{count}/{len(run.chosen)}")
        except KeyboardInterrupt as interrupt:
            run.interrupted = interrupt


def _keep(run: JudgingRun, kept: KeptVerdicts, judged: Judged[Picture]) -> None:
    """Keep a verdict; a folder that cannot be written to any more does not end the run."""
    if judged.verdict is not None:
        try:
            kept.keep(judged.verdict)
        except (OSError, ValueError, TypeError) as error:
            run.unkept = f"{judged.statement.name} was not kept: {error}"


def _line(judged: Judged[Picture]) -> str:
    if judged.verdict is None:
        return f"{judged.statement.name}: lost, {judged.lost}"
    return f"{judged.statement.name}: {judged.verdict.outcome}, {judged.verdict.seconds:.1f} s"


def _judge_here(
    missing: Sequence[AnyStatement],
    context: Context,
    draw: Draw | None,
    update: Callable[..., None],
    before: int,
) -> Generator[Judged[Picture], None, None]:
    one_thread_each()
    for number, statement in enumerate(missing, start=before):
        update(description=statement.name, at="")

        def advance(done: int, total: int, number: int = number) -> None:
            update(completed=number + done / max(total, 1), at=f"{done}/{total}")

        verdict, picture = judge_one(statement, context, draw, advance)
        yield Judged(statement, verdict, picture)
