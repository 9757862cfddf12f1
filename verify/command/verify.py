"""``luckproof verify``: verdicts on statements, as a table, a report and JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.common_options import (
    ONE_A_CORE,
    Device,
    Jobs,
    Json,
    Quiet,
    Scheduler,
    checked_device,
)
from verify.command.errors import BAD_INPUT, CommandLineError, boundary
from verify.command.output import Output, output
from verify.command.plain_help import PlainCommand
from verify.command.tables import print_verdicts
from verify.command.verify_options import (
    FormOption,
    From,
    Keys,
    check_one_instance,
    check_outputs,
    check_record,
    judged_here,
)

if TYPE_CHECKING:
    from dynamics.workers.dask_workers import DaskWorkers
    from verify.command.judging_progress import Draw
    from verify.judging import Form


class BudgetName(StrEnum):
    """The names of ``verify.BUDGETS``."""

    QUICK = "quick"
    FULL = "full"
    DEEP = "deep"


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="verify", cls=PlainCommand)(verify)


def verify(
    keys: Keys = None,
    own: From = None,
    form: FormOption = None,
    budget: Annotated[BudgetName, typer.Option(help="How many instances.")] = BudgetName.QUICK,
    device: Device = "auto",
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report (HTML).")] = None,
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="With --report: the title of the page.")
    ] = None,
    json: Json = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep each finished verdict in this folder, and go on from those that are there; made if missing.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of everything drawn.")] = 0,
    jobs: Jobs = ONE_A_CORE,
    scheduler: Scheduler = None,
    attack: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Search each statement that holds for a violation, by N evaluations outside the drawn ranges "
            "(default 500 at the deep budget, else 0).",
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record",
            help="With --attack: keep what came of it beside the file of the statements, for list, show and report.",
        ),
    ] = False,
    instance: Annotated[
        str | None, typer.Option(metavar="JSON", help="Evaluate one statement on this instance only.")
    ] = None,
    alter: Annotated[
        str | None,
        typer.Option(
            metavar="JSON", help="With --instance: alter these arguments of the claim, as controls do."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Judge statements and print their verdicts.

    Exit code 0: every verdict is the expected one; 1: one is not; 2: bad input, or own code that raises; 4: a process
    died or something of ours broke, the other statements were judged. Interrupted, it shows what was reached.

    Examples:
      luckproof verify luckmatters.theorem4 theorem5.pair --report page.html
      luckproof verify lemma6 --json - | jq .findings
      luckproof verify --budget full --resume kept
    """
    asked = Asked(
        keys=keys or (), own=own or (), form=form, budget=str(budget), device=device, report=report, title=title,
        resume=resume, seed=seed, jobs=jobs, scheduler=scheduler, attack=attack, record=record,
    )  # fmt: skip
    with output(quiet, json) as voice:
        raise typer.Exit(run(voice, asked, instance, alter))


@dataclass(frozen=True)
class Asked:
    """What was asked for, as it was typed."""

    keys: Sequence[str]
    own: Sequence[Path]
    form: Form | None
    budget: str
    device: str
    report: Path | None
    title: str | None
    resume: Path | None
    seed: int
    jobs: int
    scheduler: str | None
    attack: int | None
    record: bool


def run(voice: Output, asked: Asked, instance: str | None, alter: str | None) -> int:
    """Judge, show and write; the exit code."""
    from verify.judging import registry

    with boundary():  # before the slow imports: a mistyped name is refused at once
        chosen = registry.select_from(asked.own, asked.keys, asked.form)
    from dynamics.files.checksums import DamagedFileError
    from dynamics.files.folders import prepare_folder
    from verify.command.judging_end import conclude, record_attacks, write_outputs
    from verify.command.judging_progress import judge_all
    from verify.command.one_instance import evaluate_instance
    from verify.judging.trials.kept_verdicts import KeptVerdicts
    from verify.judging.trials.processes import check_jobs
    from verify.judging.trials.runner import make_context
    from verify.report import RunInfo

    with boundary():
        check_outputs(voice, asked.report, asked.title)
        files = any((asked.report, voice.json, asked.resume, asked.record))
        chosen = judged_here(check_one_instance(asked.keys, chosen, instance, alter, files))
        check_jobs("--jobs", asked.jobs, len(chosen))
        context = make_context(asked.budget, checked_device(asked.device), asked.seed, asked.attack)
        check_record(asked.record, chosen, context)
    if instance is not None:
        return evaluate_instance(chosen[0], instance, alter, context)
    with boundary():
        if asked.resume is not None:
            prepare_folder("--resume", asked.resume)
    started = time.perf_counter()
    kept = None if asked.resume is None else KeptVerdicts(asked.resume, context)
    draw = _pictures() if asked.report is not None else None
    try:
        with _workers(asked.scheduler) as workers:
            found = judge_all(voice, chosen, context, asked.jobs, draw, kept, workers)
    except DamagedFileError as error:
        raise CommandLineError(str(error), BAD_INPUT) from error
    info = RunInfo.of(context, time.perf_counter() - started)
    ended = found.interrupted is not None
    complaints = [] if ended else write_outputs(voice, found, info, asked.report, asked.title)
    recorded = record_attacks(found, context, complaints) if asked.record else ""
    if not voice.alone:
        seconds, count, quiet = info.seconds, len(chosen), voice.quiet
        print_verdicts(found.verdicts, seconds, chosen=count, ended=ended, run=info, quiet=quiet)
    if recorded:
        voice.result(recorded)
    return conclude(found, complaints, asked.resume, asked.own)


def _pictures() -> Draw:
    """What draws the page's pictures; it brings matplotlib, which is for those alone who want a page."""
    from verify.report.verdict_picture import picture_of

    return picture_of


@contextmanager
def _workers(scheduler: str | None) -> Iterator[DaskWorkers | None]:
    """The workers of the scheduler that was named; None where none was."""
    from dynamics.workers.dask_workers import dask_workers

    if scheduler is None:
        yield None
        return
    with ExitStack() as stack:
        with boundary():
            workers = stack.enter_context(dask_workers("--scheduler", scheduler))
        yield workers
