"""The findings: what became of the claims as printed, the ten that matter most, and all of them side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynamics.boundary import checked
from verify.judging import registry
from verify.judging.statement import AnyStatement
from verify.judging.verdict import Verdict
from verify.judging.vocabulary import Form, Outcome
from verify.report.foremost import FOREMOST

FATES = (
    ("stand", "stands", ((Outcome.HOLDS, "hold"), (Outcome.OBSERVED, "are observed"))),
    ("fail", "fails", ((Outcome.REFUTED, "are refuted"), (Outcome.NOT_OBSERVED, "are not observed"))),
    ("have conditions that were never met", "has conditions that were never met", ((Outcome.VACUOUS, ""),)),
)
"""What can become of claims, of one claim, and the outcomes that it gathers."""


@dataclass(frozen=True)
class Finding:
    """One finding that matters: where, what the paper says, what is true, and the consequence."""

    name: str
    form: str
    outcome: Outcome
    source: str
    says: str
    true: str
    matters: str


@dataclass(frozen=True)
class Row:
    """One item with the outcome of each of its forms; a form may be judged in several parts."""

    key: str
    title: str
    outcomes: Mapping[Form, Outcome]


@dataclass(frozen=True)
class Findings:
    """What was found, in numbers and in words.

    Attributes:
        printed: how many claims as printed came to each outcome.
        readings: the same of our readings.
        foremost: the findings that matter most, the first first.
        rows: every item, in reading order.
    """

    printed: Mapping[Outcome, int]
    readings: Mapping[Outcome, int]
    foremost: tuple[Finding, ...]
    rows: tuple[Row, ...]

    @property
    def summary(self) -> str:
        """A sentence on the claims as printed and one on our readings: how many stand, fail, were never met."""
        kinds = (("claims as printed", self.printed), ("readings of ours", self.readings))
        told = [sentence_on(outcomes, kind) for kind, outcomes in kinds if outcomes]
        return " ".join(told) or "No claim as printed and no reading of ours was judged."

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "summary": self.summary,
            "printed": {str(outcome): count for outcome, count in self.printed.items()},
            "readings": {str(outcome): count for outcome, count in self.readings.items()},
            "foremost": [vars(finding) | {"outcome": str(finding.outcome)} for finding in self.foremost],
            "items": [
                {"key": row.key, "title": row.title} | {str(form): str(o) for form, o in row.outcomes.items()}
                for row in self.rows
            ],
        }


@checked
def findings(verdicts: Sequence[Verdict] | None = None) -> Findings:
    """The findings of a run, or, without one, those on record: the outcome expected of every statement.

    Cost: nothing beyond importing the statements.
    """
    judged = (
        [(s, s.expected) for s in registry.registered().values()]
        if verdicts is None
        else [(verdict.statement, verdict.outcome) for verdict in verdicts]
    )
    return Findings(
        printed=_counted(judged, Form.PRINTED),
        readings=_counted(judged, Form.READING),
        foremost=_foremost(judged),
        rows=_rows(judged),
    )


def sentence_on(outcomes: Mapping[Outcome, int], kind: str) -> str:
    """``Of 40 claims as printed, 20 stand (8 hold, 12 are observed), 20 fail and 0 have conditions ...``

    Of one alone: ``The claim as printed stands.``
    """
    total, parts = sum(outcomes.values()), []
    for many, one, named in FATES:
        found = [(outcomes[outcome], word) for outcome, word in named if outcomes.get(outcome)]
        told = f" ({', '.join(f'{count} {word}' for count, word in found)})" if len(found) > 1 else ""
        gathered = sum(count for count, _ in found)
        parts.append(f"{gathered} {one if gathered == 1 else many}{told}")
    if undecided := outcomes.get(Outcome.INCONCLUSIVE):
        parts.append(f"{undecided} stay{'s' if undecided == 1 else ''} open")
    if asked := outcomes.get(Outcome.NEEDED, 0) + outcomes.get(Outcome.NOT_NEEDED, 0):
        parts.append(f"{asked} say{'s' if asked == 1 else ''} whether a hypothesis is needed")
    if total == 1:
        became = next(part for part in parts if part.startswith("1 "))
        return f"The {named_for(1, kind)} {became.removeprefix('1 ')}."
    return f"Of {total} {kind}, {', '.join(parts[:-1])} and {parts[-1]}."


def named_for(count: int, kind: str) -> str:
    """``claims as printed`` for so many of them: ``claim as printed`` for one."""
    noun, space, rest = kind.partition(" ")
    return f"{noun.removesuffix('s')}{space}{rest}" if count == 1 else kind


def _counted(judged: Iterable[tuple[AnyStatement, Outcome]], form: Form) -> Mapping[Outcome, int]:
    counts = Counter(outcome for statement, outcome in judged if statement.form is form)
    return {outcome: counts[outcome] for outcome in Outcome if counts[outcome]}


def _foremost(judged: Iterable[tuple[AnyStatement, Outcome]]) -> tuple[Finding, ...]:
    """The ten, of those that were judged."""
    found = {statement.name: (statement, outcome) for statement, outcome in judged}
    return tuple(
        Finding(f.name, s.form.words, o, str(s.source), f.says, f.true, f.matters)
        for f in FOREMOST
        if f.name in found
        for s, o in [found[f.name]]
    )


def _rows(judged: Iterable[tuple[AnyStatement, Outcome]]) -> tuple[Row, ...]:
    items: dict[str, list[tuple[AnyStatement, Outcome]]] = {}
    for statement, outcome in judged:
        items.setdefault(statement.key, []).append((statement, outcome))
    return tuple(
        Row(key, entries[0][0].title, {statement.form: outcome for statement, outcome in entries})
        for key, entries in items.items()
    )
