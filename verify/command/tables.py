"""Tables of statements and verdicts: on a terminal as wide as it is, elsewhere one whole line a statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify.judging import Outcome, Verdict

if TYPE_CHECKING:
    from rich.console import Console

    from verify.report import RunInfo

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
GAP = "  "
SHORTEST = 16
"""Columns that a title is cut down to at least; where there are fewer, it is left out."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: its head.
        keep: columns with smaller numbers are left out first where a terminal is too narrow; None: never.
        cut: whether its texts may be cut short.
        right: whether it is aligned to the right.
    """

    name: str
    keep: int | None = None
    cut: bool = False
    right: bool = False


def lines_of(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """The lines, the head first, their cells padded to the columns.

    Args:
        columns, rows: as many texts in a row as there are columns.
        width: of the terminal, for which columns are left out and titles cut, never a name; None: all of everything.
    """
    texts = [[column.name for column in columns], *rows]
    widths = [max(len(row[place]) for row in texts) for place in range(len(columns))]
    chosen = list(range(len(columns)))
    while width is not None and _total(widths, chosen) > width:
        over = _total(widths, chosen) - width
        cut = next((p for p in chosen if columns[p].cut and widths[p] - over >= SHORTEST), None)
        if cut is not None:
            widths[cut] -= over
            break
        droppable = [p for p in chosen if columns[p].keep is not None]
        if not droppable:
            break
        chosen.remove(min(droppable, key=lambda p: columns[p].keep or 0))
    cells = [[_padded(row[p], widths[p], columns[p]) for p in chosen] for row in texts]
    lines = [GAP.join(line).rstrip() for line in cells]
    if width is not None and max(map(len, lines)) > width:
        return [" ".join(line).rstrip() for line in cells]
    return lines


def _total(widths: Sequence[int], chosen: Sequence[int]) -> int:
    return sum(widths[place] for place in chosen) + len(GAP) * (len(chosen) - 1)


def _padded(text: str, width: int, column: Column) -> str:
    if len(text) > width:
        text = text[: width - 1].rstrip() + "…"
    return text.rjust(width) if column.right else text.ljust(width)


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], outcomes: Sequence[Outcome]
) -> None:
    """Print the rows, each outcome in its colour."""
    from rich.text import Text

    out = console()
    width = out.width if out.is_terminal else None
    head, *body = lines_of(columns, rows, width)
    _print(out, Text(head, style="bold"))
    for text, outcome in zip(body, outcomes, strict=True):
        line = Text(text)
        line.highlight_regex(rf"(?<= ){outcome}(?=( |$))", style=COLOURS[outcome])
        line.highlight_words(["✗"], style="bold red")
        _print(out, line)


def _print(out: Console, line: object) -> None:
    out.print(line, soft_wrap=True, highlight=False)


LEGEND = "Judged: instances that satisfy every assumption / all instances."

VERDICTS = (
    Column("Statement"),
    Column("Verdict"),
    Column("Judged", keep=3),
    Column("Strength", keep=2, cut=True),
    Column("Attack", keep=1),
    Column("Time", keep=4, right=True),
)


def print_verdicts(
    verdicts: Sequence[Verdict],
    seconds: float,
    *,
    chosen: int | None = None,
    ended: bool = False,
    run: RunInfo | None = None,
    quiet: bool = False,
) -> None:
    """A row for every verdict, a line for each that needs words, and how many came out as on record.

    Args:
        verdicts: those reached.
        seconds: time taken.
        chosen: statements that were to be judged; None: as many as there are verdicts.
        ended: whether the run was ended before it was through.
        run: its settings, for the commands that repeat counterexamples nobody expected.
        quiet: without the line that explains a column.
    """
    if verdicts:
        _print_rows(verdicts, run)
        if not quiet:
            console().print(LEGEND, style="dim", soft_wrap=True)
    _print(console(), summary_of(verdicts, seconds, len(verdicts) if chosen is None else chosen, ended))


def summary_of(verdicts: Sequence[Verdict], seconds: float, chosen: int, ended: bool) -> str:
    """The last line: how many statements were finished, of those that were to be, and how they came out.

    Nothing is said of the outcomes where there are none.
    """
    wrong = sum(not verdict.as_expected for verdict in verdicts)
    summary = f"{wrong} not as expected" if wrong else "all as expected"
    statements = "1 statement" if chosen == 1 else f"{chosen} statements"
    if len(verdicts) == chosen and not ended:
        return f"{statements}, {summary}, {seconds:.1f} s." if chosen else "No statement was judged."
    of_these = f", of these {summary}" if verdicts else ""
    finished = f"{len(verdicts) or 'none'} of {statements} finished{of_these}, {seconds:.1f} s."
    return f"The run was ended: {finished}" if ended else finished[:1].upper() + finished[1:]


def _print_rows(verdicts: Sequence[Verdict], run: RunInfo | None) -> None:
    from verify.judging.trials.recorded_attacks import attack_in_words

    rows = [
        (
            verdict.statement.name,
            str(verdict.outcome) + ("" if verdict.as_expected else " ✗"),
            f"{verdict.nonvacuous}/{verdict.examples}",
            str(verdict.strength),
            attack_in_words(verdict),
            f"{verdict.seconds:.1f} s",
        )
        for verdict in verdicts
    ]
    print_table(VERDICTS, rows, [verdict.outcome for verdict in verdicts])
    out = console()
    _print(out, "")
    for verdict in verdicts:
        if not verdict.as_expected or verdict.message:
            reason = f" ({verdict.message})" if verdict.message else ""
            line = f"{verdict.statement.name}: {verdict.in_a_word}{reason}"
            for part in (line, *_failure_lines(verdict, run)):
                out.print(part, markup=False, highlight=False, soft_wrap=True)


def _failure_lines(verdict: Verdict, run: RunInfo | None) -> list[str]:
    """Both sides on a counterexample that nobody expected, and the command that repeats it."""
    found, statement = verdict.counterexample, verdict.statement
    if verdict.as_expected or run is None or found is None or found.evidence is None:
        return []
    from verify.report.records import repeating_command

    measured, predicted = found.evidence.measured, found.evidence.predicted
    relation = f", to be {statement.relation}" if statement.relation else ","
    return [
        f"    {statement.measured_name} {measured:.6g}{relation} {statement.predicted_name} {predicted:.6g}",
        f"    on {found.instance}; again: {repeating_command(verdict, run)}",
    ]


def console() -> Console:
    """Standard output."""
    from rich.console import Console

    return Console()
