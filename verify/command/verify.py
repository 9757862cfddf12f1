"""``luckproof verify``: verdicts on statements, as a table, a report and JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.errors import BAD_INPUT, CommandLineError, boundary, checked_device
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
    device: Annotated[
        str, typer.Option(help="Where networks are trained: auto, cpu, cuda or cuda:N.")
    ] = "auto",
    report: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the report (HTML).")] = None,
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="With --report: the title of the page.")
    ] = None,
    json: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the verdicts as JSON.")] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep each finished verdict in this folder, and go on from those that are there; made if missing.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of everything drawn.")] = 0,
    jobs: Annotated[int, typer.Option(metavar="N", help="Processes of this machine; 0: one a core.")] = 0,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="tcp://HOST:PORT", help="Judge on the workers of a Dask scheduler instead."),
    ] = None,
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
) -> None:
    """Judge statements and print their verdicts.

    Exit code 0: every verdict is the expected one; 1: one is not; 2: bad input, or own code that raises; 4: a process
    died or something of ours broke, the other statements were judged. Interrupted, it shows what was reached.

    Example: luckproof verify theorem4 theorem5.pair --report page.html; luckproof verify --budget full --resume kept
    """
    from verify.judging import registry

    with boundary():  # before the slow imports: a mistyped name is refused at once
        chosen = registry.select_from(own or (), keys or (), form)
    from dynamics.files.checksums import DamagedFileError
    from dynamics.files.folders import prepare_folder
    from verify.command.judging_end import conclude, record_attacks, write_outputs
    from verify.command.judging_progress import judge_all
    from verify.command.one_instance import evaluate_instance
    from verify.judging.trials.kept_verdicts import KeptVerdicts
    from verify.judging.trials.processes import check_jobs
    from verify.judging.trials.runner import make_context
    from verify.report import RunInfo
    from verify.report.verdict_picture import picture_of

    with boundary():
        check_outputs(report, json, title)
        chosen = judged_here(
            check_one_instance(keys, chosen, instance, alter, any((report, json, resume, record)))
        )
        check_jobs("--jobs", jobs, len(chosen))
        context = make_context(str(budget), checked_device(device), seed, attack)
        check_record(record, chosen, context)
    if instance is not None:
        raise typer.Exit(evaluate_instance(chosen[0], instance, alter, context))
    with boundary():
        if resume is not None:
            prepare_folder("--resume", resume)
    started = time.perf_counter()
    kept = None if resume is None else KeptVerdicts(resume, context)
    draw = picture_of if report is not None else None
    try:
        with _workers(scheduler) as workers:
            run = judge_all(chosen, context, jobs, draw, kept, workers)
    except DamagedFileError as error:
        raise CommandLineError(str(error), BAD_INPUT) from error
    info = RunInfo.of(context, time.perf_counter() - started)
    complaints = [] if run.interrupted else write_outputs(run, info, report, json, title)
    recorded = record_attacks(run, context, complaints) if record else ""
    print_verdicts(
        run.verdicts, info.seconds, chosen=len(chosen), ended=run.interrupted is not None, run=info
    )
    if recorded:
        typer.echo(recorded)
    raise typer.Exit(conclude(run, complaints, resume, own or ()))


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
