"""Tables of statements and verdicts in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from verify.judging import Outcome, Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

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
"""Columns of a table: so many where the output is no terminal, at most so many on one."""


def print_verdicts(verdicts: Sequence[Verdict], seconds: float) -> None:
    """A row for every verdict, a line for each that needs words, and how many came out as on record."""
    from verify.judging.trials.recorded_attacks import attack_in_words

    out = console()
    rows = table("Statement", "Verdict", "Judged", "Strength", "Attack", "Time", numbers=1)
    for verdict in verdicts:
        mark = "" if verdict.as_expected else " [bold red]✗[/]"
        rows.add_row(
            verdict.statement.name,
            coloured(verdict.outcome) + mark,
            f"{verdict.nonvacuous}/{verdict.examples}",
            verdict.strength,
            attack_in_words(verdict),
            f"{verdict.seconds:.1f} s",
        )
    out.print(rows)
    for verdict in verdicts:
        if not verdict.as_expected or verdict.message:
            expected = "" if verdict.as_expected else f"expected {verdict.statement.expected}, got "
            reason = f" ({verdict.message})" if verdict.message else ""
            out.print(
                f"{verdict.statement.name}: {expected}{verdict.outcome}{reason}",
                markup=False,
                highlight=False,
            )
    wrong = sum(not verdict.as_expected for verdict in verdicts)
    summary = f"{wrong} not as expected" if wrong else "all as expected"
    out.print("Judged: instances that satisfy every assumption / all instances.", style="dim")
    out.print(f"{len(verdicts)} statements, {summary}, {seconds:.1f} s.", highlight=False)


def coloured(outcome: Outcome) -> str:
    """The outcome in its colour, as markup."""
    return f"[{COLOURS[outcome]}]{outcome}[/]"


def table(*columns: str, numbers: int = 0) -> Table:
    """An empty table with these columns; the last ``numbers`` of them are aligned to the right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        right = index >= len(columns) - numbers
        made.add_column(column, justify="right" if right else "left", overflow="fold")
    return made


def console() -> Console:
    """Standard output, of at most ``WIDTH`` columns."""
    from rich.console import Console

    found = Console()
    return Console(width=min(found.width, WIDTH) if found.is_terminal else WIDTH)
