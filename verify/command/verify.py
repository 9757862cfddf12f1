"""``luckproof verify`` and ``luckproof list``: verdicts on statements, as a table, a report and JSON."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.errors import UNEXPECTED, boundary
from verify.judging import AnyStatement, Context, Form, Outcome, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from verify.report.verdict_picture import Picture

    Judged = tuple[Verdict, Picture | None]

COLOURS = {
    Outcome.HOLDS: "green",
    Outcome.REFUTED: "red",
    Outcome.VACUOUS: "bright_black",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.NEEDED: "red",
    Outcome.NOT_NEEDED: "green",
    Outcome.OBSERVED: "green",
    Outcome.NOT_OBSERVED: "red",
}
WIDTH = 96
"""Columns of the tables where the output is not a terminal, and at most on one."""


class Device(StrEnum):
    """Where networks are trained."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class BudgetName(StrEnum):
    """The names of ``verify.BUDGETS``."""

    QUICK = "quick"
    FULL = "full"
    DEEP = "deep"


Keys = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEYS]...",
        help="Statements: a full name, a key (all its forms), a paper or a pattern. All, when left out.",
    ),
]
FormOption = Annotated[Form | None, typer.Option("--form", help="Only this form.")]


def register(app: typer.Typer) -> None:
    """Add the two commands to ``app``."""
    app.command(name="verify")(verify)
    app.command(name="list")(list_statements)


def verify(
    keys: Keys = None,
    form: FormOption = None,
    budget: Annotated[BudgetName, typer.Option(help="How many instances.")] = BudgetName.QUICK,
    device: Annotated[Device, typer.Option(help="Where networks are trained.")] = Device.AUTO,
    report: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the report (HTML).")] = None,
    json: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the verdicts as JSON.")] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of everything drawn.")] = 0,
    jobs: Annotated[int, typer.Option(metavar="N", help="Processes; 0: one a core.")] = 0,
    attack: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Search each statement that holds for a violation, by N evaluations outside the drawn ranges. "
            "[default: 500 at the deep budget, else 0]",
        ),
    ] = None,
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

    Exit code 0: every verdict is the expected one; 1: one is not; 2: bad input.
    """
    from verify.judging import registry
    from verify.judging.runner import make_context
    from verify.report import RunInfo, check_writable, write_html, write_json
    from verify.report.verdict_picture import picture_of

    with boundary():
        chosen = registry.select(keys or (), form)
        for option, path in (("--report", report), ("--json", json)):
            if path is not None:
                check_writable(option, path)
        if report is not None and report == json:
            raise ValueError(f"--json: expected another file than --report, got {json} for both")
        if instance is not None:
            if report is not None or json is not None:
                raise ValueError("--instance: evaluates one instance, so --report and --json do not apply")
            chosen = (registry.single(keys[0] if keys and len(keys) == 1 else "*", form),)
        elif alter is not None:
            raise ValueError("--alter: alters the claim on one instance, so it needs --instance")
        if jobs < 0:
            raise ValueError(f"--jobs: expected a number of processes >= 0, got {jobs}")
        context = make_context(str(budget), str(device), seed, attack)
    if instance is not None:
        raise typer.Exit(_evaluate_instance(chosen[0], instance, alter, context))
    started = time.perf_counter()
    judged = _judge_all(chosen, context, jobs, picture_of if report is not None else None)
    verdicts = [verdict for verdict, _ in judged]
    run = RunInfo.of(context, time.perf_counter() - started)
    with boundary():
        if report is not None:
            pictures = {verdict.statement.name: picture for verdict, picture in judged if picture}
            write_html(report, verdicts, run, pictures)
        if json is not None:
            write_json(json, verdicts, run)
    _print_verdicts(verdicts, run.seconds)
    raise typer.Exit(0 if all(verdict.as_expected for verdict in verdicts) else UNEXPECTED)


def list_statements(keys: Keys = None, form: FormOption = None) -> None:
    """List the statements with the outcome on record of each."""
    from verify.judging import registry
    from verify.judging.recorded_attacks import recorded

    attacks = recorded()

    with boundary():
        chosen = registry.select(keys or (), form)
    table = _table("Statement", "Expected", "Attack", "Title")
    for statement in chosen:
        known = attacks.get(statement.name)
        attack = f"{known.evaluations} evaluations" if known and not known.survivors else ""
        table.add_row(statement.name, _coloured(statement.expected), attack, statement.title)
    _console().print(table)


def _judge_all(
    chosen: Sequence[AnyStatement], context: Context, jobs: int, draw: Callable[[Verdict], Picture] | None
) -> list[Judged]:
    """Judge in one process or in several; a bar on stderr when that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from verify.judging.processes import default_jobs, judge_in_processes

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
    from verify.judging.processes import judge_one, one_thread_each

    one_thread_each()
    results = []
    for number, statement in enumerate(chosen):
        update(description=statement.name, at="")

        def advance(done: int, total: int, number: int = number) -> None:
            update(completed=number + done / max(total, 1), at=f"{done}/{total}")

        results.append(judge_one(statement, context, draw, advance))
    return results


def _print_verdicts(verdicts: Sequence[Verdict], seconds: float) -> None:
    from verify.judging.recorded_attacks import attack_in_words

    console = _console()
    table = _table("Statement", "Verdict", "Judged", "Strength", "Attack", "Time", numbers=1)
    for verdict in verdicts:
        mark = "" if verdict.as_expected else " [bold red]✗[/]"
        table.add_row(
            verdict.statement.name,
            _coloured(verdict.outcome) + mark,
            f"{verdict.nonvacuous}/{verdict.examples}",
            verdict.strength,
            attack_in_words(verdict),
            f"{verdict.seconds:.1f} s",
        )
    console.print(table)
    for verdict in verdicts:
        if not verdict.as_expected or verdict.message:
            expected = "" if verdict.as_expected else f"expected {verdict.statement.expected}, got "
            reason = f" ({verdict.message})" if verdict.message else ""
            console.print(
                f"{verdict.statement.name}: {expected}{verdict.outcome}{reason}",
                markup=False,
                highlight=False,
            )
    wrong = sum(not verdict.as_expected for verdict in verdicts)
    summary = f"{wrong} not as expected" if wrong else "all as expected"
    console.print("Judged: instances that satisfy every assumption / all instances.", style="dim")
    console.print(f"{len(verdicts)} statements, {summary}, {seconds:.1f} s.", highlight=False)


def _evaluate_instance(statement: AnyStatement, text: str, alter: str | None, context: Context) -> int:
    """Print what one instance says; 1 when the claim, as it stands, fails where it is not expected to."""
    from verify.judging.instances import altered_from_json, instance_from_json, instance_to_json
    from verify.judging.trial import evaluate, for_statement

    with boundary():
        instance = instance_from_json(statement, text)
        altered = altered_from_json(statement, alter) if alter is not None else {}
    record = evaluate(statement, instance, for_statement(statement, context), altered)
    lines = [statement.name, statement.claim, f"instance: {instance_to_json(instance)}"]
    if altered:
        lines.append(f"altered: {', '.join(f'{name} = {value!r}' for name, value in altered.items())}")
    for assumption in record.assumptions:
        state = "satisfied" if assumption.satisfied else "NOT satisfied"
        lines.append(f"assumption: {assumption.name}: {state}, margin {assumption.margin:.6g}")
    if record.evidence is None:
        lines.append("verdict: vacuous here (an assumption is not satisfied)")
    else:
        lines.append(f"evidence: {_evidence(record.evidence)}")
        if record.failed and statement.confirm is not None and not altered:
            lines.append(f"confirmed: {_evidence(statement.confirm(instance))}")
        undecided = "undecided here (sampling error too large)" if record.evidence.inconclusive else ""
        lines.append(f"verdict: {undecided or ('the claim fails here' if record.failed else 'holds here')}")
    typer.echo("\n".join(lines))
    fails_unexpectedly = record.failed and not altered and statement.expected is not Outcome.REFUTED
    return UNEXPECTED if fails_unexpectedly else 0


def _evidence(evidence: object) -> str:
    values = {field.name: getattr(evidence, field.name) for field in dataclasses.fields(evidence)}  # type: ignore[arg-type]
    details = values.pop("details")
    values.pop("inconclusive")
    shown = {name: value for name, value in values.items() if name != "standard_error" or value}
    return ", ".join(f"{name} {_number(value)}" for name, value in {**shown, **details}.items())


def _number(value: object, digits: int = 4) -> str:
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return "-" if value is None else str(value)


def _coloured(outcome: Outcome) -> str:
    return f"[{COLOURS[outcome]}]{outcome}[/]"


def _table(*columns: str, numbers: int = 0) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        right = index >= len(columns) - numbers
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _console() -> Console:
    from rich.console import Console

    console = Console()
    return Console(width=min(console.width, WIDTH) if console.is_terminal else WIDTH)
