"""A verdict as an interactive session shows it: a few lines, and a table in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from verify.judging.verdict import Record, Verdict

LONGEST = 110
"""Characters of one line."""


def lines_of(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """What a verdict rests on, each with its name; only what is there."""
    statement = verdict.statement
    expected = "as expected" if verdict.as_expected else f"expected {statement.expected.value}"
    yield "outcome", f"{verdict.outcome.value} ({expected})"
    yield "claim", " ".join(statement.claim.split())
    yield "place", str(statement.source)
    yield "judged", f"{verdict.nonvacuous} of {verdict.examples} instances; {verdict.strength}"
    if verdict.scope:
        yield "scope", ", ".join(f"{name} {values}" for name, values in verdict.scope.items())
    if verdict.worst is not None:
        kind = "counterexample" if verdict.counterexample is not None else "smallest margin"
        yield kind, _compared(verdict.worst, statement.compares)
    if verdict.attack is not None:
        yield "attack", str(verdict.attack)
    failed = [name for name, passed in verdict.controls.items() if not passed]
    yield (
        "controls",
        f"{len(verdict.controls) - len(failed)} of {len(verdict.controls)} as they must"
        + (f"; not: {', '.join(failed)}" if failed else ""),
    )
    if verdict.message:
        yield "message", verdict.message


def _compared(record: Record, compares: tuple[str, str, str]) -> str:
    """Both sides on one instance."""
    evidence = record.evidence
    if evidence is None:
        return repr(record.instance)
    measured, relation, predicted = compares if compares[0] else ("measured", "as", "predicted")
    sides = f"{measured} {evidence.measured:.6g}, to be {relation} {predicted} {evidence.predicted:.6g}"
    return f"{sides} on {record.instance!r}"


def as_text(verdict: Verdict) -> str:
    """The lines, each cut to fit a screen."""
    told = [f"{name}: {' '.join(words.split())}" for name, words in lines_of(verdict)]
    cut = [line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…" for line in told]
    return "\n  ".join([f"Verdict on {verdict.statement.name}", *cut])


def as_html(verdict: Verdict) -> str:
    """The lines whole, as a table; everything that was written by someone is escaped."""
    title = escape(f"{verdict.statement.name}: {verdict.statement.title}")
    rows = "".join(
        f'<tr><th scope="row" style="text-align: left; vertical-align: top">{escape(name)}</th>'
        f'<td style="text-align: left">{escape(words)}</td></tr>'
        for name, words in lines_of(verdict)
    )
    return f'<table><caption style="text-align: left"><b>{title}</b></caption><tbody>{rows}</tbody></table>'
