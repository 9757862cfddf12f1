"""Statements judged with a bar on stderr, in this process or in several; what is finished is kept whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dynamics.ode.progress_bar import Bar
from dynamics.workers.dask_workers import DaskWorkers
from verify.command.output import Output
from verify.judging import AnyStatement, Context, Verdict
from verify.judging.trials.kept_verdicts import KeptVerdicts
from verify.judging.trials.processes import (
    Judged,
    default_jobs,
    judge_in_processes,
    judge_one,
    one_thread_each,
)

if TYPE_CHECKING:
    from verify.report.verdict_picture import Picture  # which brings matplotlib

Draw = Callable[[Verdict], "Picture"]


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
    voice: Output,
    chosen: Sequence[AnyStatement],
    context: Context,
    jobs: int,
    draw: Draw | None,
    kept: KeptVerdicts | None = None,
    workers: DaskWorkers | None = None,
) -> JudgingRun:
    """Judge the statements; a bar on stderr, where that is a terminal, says which and how long it still takes.

    Args:
        voice: of the command.
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
        jobs = jobs or default_jobs(context.device, len(missing))
        _judge(voice, run, missing, context, jobs, draw, kept, workers)
    return run


def _judge(
    voice: Output,
    run: JudgingRun,
    missing: Sequence[AnyStatement],
    context: Context,
    jobs: int,
    draw: Draw | None,
    kept: KeptVerdicts | None,
    workers: DaskWorkers | None,
) -> None:
    before, total = len(run.judged), len(run.chosen)
    here = jobs == 1 and workers is None
    running = jobs if workers is None else len(missing)
    with voice.bar(at_work(missing, running), first=before / total, at=f"{before}/{total} statements") as bar:
        if here:
            outcomes = _judge_here(missing, context, draw, lambda share: bar((before + share) / total))
        else:
            outcomes = judge_in_processes(missing, context, jobs, extra=draw, workers=workers)
        try:
            with closing(outcomes):
                for judged in outcomes:
                    run.judged[judged.statement.name] = judged
                    if kept is not None:
                        _keep(run, kept, judged)
                        if not voice.quiet:
                            bar.above(_line(judged))
                    _tell(bar, run, missing, running)
        except KeyboardInterrupt as interrupt:
            run.interrupted = interrupt


def _tell(bar: Bar, run: JudgingRun, missing: Sequence[AnyStatement], running: int) -> None:
    """What is judged now, and how far the run is."""
    count, total = len(run.judged), len(run.chosen)
    left = [statement for statement in missing if statement.name not in run.judged]
    bar(count / total)
    bar.tell(what=at_work(left, running), at=f"{count}/{total} statements")


def at_work(left: Sequence[AnyStatement], processes: int) -> str:
    """What is judged at the moment: processes take statements in their order, so it is the first that are left."""
    if not left:
        return "all judged"
    others = min(processes, len(left)) - 1
    return left[0].name + (f" and {others} more" if others else "")


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
    missing: Sequence[AnyStatement], context: Context, draw: Draw | None, done: Callable[[float], None]
) -> Generator[Judged[Picture], None, None]:
    """``done`` is told how many statements are judged, the one at work by its share of instances."""
    one_thread_each()
    for number, statement in enumerate(missing):

        def advance(instances: int, of: int, number: int = number) -> None:
            done(number + instances / max(of, 1))

        verdict, picture = judge_one(statement, context, draw, advance)
        yield Judged(statement, verdict, picture)
