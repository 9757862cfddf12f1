"""Records of judged instances and the verdict that they add up to."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from verify.judging.assumption import Assumption
from verify.judging.assumption_counts import AssumptionCount, counted
from verify.judging.enclosing.enclosure import Enclosed, EnclosureCounts
from verify.judging.enclosing.proof import Proof
from verify.judging.evidence import Evidence
from verify.judging.shown import as_html, as_text
from verify.judging.statement import AnyStatement
from verify.judging.strength import (
    scope_of,
    strength_of,
    strength_when_enclosed,
    strength_when_failed,
)
from verify.judging.vocabulary import Outcome


@dataclass(frozen=True)
class Record:
    """One evaluated instance; ``evidence`` is None where an assumption failed (vacuous there).

    It is None too where the instance cannot be judged; ``unjudged`` then is the reason. ``enclosed`` is the exact
    margin, where the statement has one, python-flint is installed and the instance is within its reach.
    """

    instance: Any
    assumptions: tuple[Assumption, ...]
    evidence: Evidence | None
    unjudged: str = ""
    enclosed: Enclosed | None = None

    @property
    def failed(self) -> bool:
        """Whether the claim failed here; a NaN margin is a failure, too large a sampling error is not."""
        return self.evidence is not None and not self.evidence.inconclusive and not self.evidence.holds

    @property
    def relative_margin(self) -> float:
        """The margin over the larger of the two quantities; -inf where the evaluation broke down, inf without one."""
        if self.evidence is None:
            return math.inf
        if math.isnan(self.evidence.margin):
            return -math.inf
        sizes = (abs(self.evidence.predicted), abs(self.evidence.measured), self.evidence.tolerance)
        scale = max((size for size in sizes if math.isfinite(size)), default=0.0)
        return self.evidence.margin / scale if scale else self.evidence.margin


@dataclass(frozen=True)
class Attack:
    """What a search for a violation among all instances that meet the assumptions came to.

    Attributes:
        evaluations: instances judged.
        tried: instances made or attempted, those outside a domain or an assumption included.
        smallest_margin: smallest relative margin (None: nothing was judged).
        closest: the record with that margin.
        survivors: records on which the claim failed; empty when the statement survived.
        unjudged: what went wrong on instances that cannot be judged, with how many.
        unjudged_examples: up to three of them as JSON.
    """

    evaluations: int
    tried: int
    smallest_margin: float | None
    closest: Record | None
    survivors: tuple[Record, ...] = ()
    unjudged: Mapping[str, int] = dataclasses.field(default_factory=dict)
    unjudged_examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        aside = f", {sum(self.unjudged.values())} more could not be judged" if self.unjudged else ""
        outcome = "fell within" if self.survivors else "survived"
        return f"{outcome} {self.evaluations} evaluations{aside}"

    @property
    def survived(self) -> bool:
        """Whether something was judged and nothing failed."""
        return self.evaluations > 0 and not self.survivors


@dataclass(frozen=True)
class Verdict:
    """The outcome on one statement with all it rests on.

    ``records`` are the evaluated instances (those tried while shrinking are left out), ``counterexample`` the
    shrunk one of a refutation and ``confirmation`` its independent re-evaluation; ``controls`` maps each
    control to whether it came out as it must. ``telling`` is the failure with the largest relative violation among
    those found in the paper's own regime. ``attack`` is there where one was asked for. ``tolerance_factors`` has K of
    each rejected control with a tolerance (:func:`verify.judging.controls.tolerance_factor`). ``proof`` is that for all
    instances, where the statement has one; ``exact`` says whether margins were enclosed and proofs made, for which
    python-flint is needed. ``raised`` is what the statement's own code raised first, and where; empty where it ran.
    """

    statement: AnyStatement
    outcome: Outcome
    records: tuple[Record, ...]
    controls: Mapping[str, bool]
    counterexample: Record | None = None
    confirmation: Evidence | None = None
    seconds: float = 0.0
    message: str = ""
    telling: Record | None = None
    attack: Attack | None = None
    tolerance_factors: Mapping[str, float] = dataclasses.field(default_factory=dict)
    proof: Proof | None = None
    exact: bool = False
    raised: str = ""

    def __repr__(self) -> str:
        return as_text(f"Verdict on {self.statement.name}", _lines_of(self))

    def _repr_html_(self) -> str:
        return as_html(f"{self.statement.name}: {self.statement.title}", _lines_of(self))

    @property
    def strength(self) -> str:
        """How much the outcome rests on, in words."""
        judged = [record.evidence for record in self.judged if record.evidence is not None]
        failed, confirmed = self.counterexample is not None, self.confirmation is not None
        rests_on = strength_of(self.statement, judged, failed, confirmed, bool(self.unjudged or self.raised))
        if self.statement.enclose is None and self.statement.prove is None:
            return rests_on
        if not self.exact:
            return f"{rests_on}; nothing enclosed: python-flint is not installed"
        if self.counterexample is not None:
            return strength_when_failed(rests_on, self.counterexample.enclosed)
        return strength_when_enclosed(rests_on, self.proof, self.enclosure)

    @property
    def enclosure(self) -> EnclosureCounts | None:
        """How many judged instances are proved, equal, undecided; None where nothing was enclosed."""
        if self.statement.enclose is None or not self.exact:
            return None
        return EnclosureCounts.of([record.enclosed for record in self.judged])

    @property
    def scope(self) -> Mapping[str, str]:
        """The values that each field took among the judged instances."""
        return scope_of([record.instance for record in self.judged])

    @property
    def assumptions(self) -> tuple[AssumptionCount, ...]:
        """Each assumption with how many of the instances met it and how many failed it."""
        return counted(record.assumptions for record in self.records)

    @property
    def unjudged(self) -> int:
        """Instances that met the assumptions and could not be judged."""
        return sum(bool(record.unjudged) for record in self.records)

    @property
    def judged(self) -> tuple[Record, ...]:
        """The non-vacuous records."""
        return tuple(record for record in self.records if record.evidence is not None)

    @property
    def examples(self) -> int:
        return len(self.records)

    @property
    def nonvacuous(self) -> int:
        return len(self.judged)

    @property
    def worst(self) -> Record | None:
        """The counterexample of a refutation, else the record with the smallest (or NaN) margin."""
        if self.counterexample is not None:
            return self.counterexample
        margins = [record.evidence.margin for record in self.judged if record.evidence]
        return self.judged[int(np.argmin(margins))] if margins else None  # argmin stops at the first NaN

    @property
    def worst_margin(self) -> float | None:
        margins = [record.evidence.margin for record in self.judged if record.evidence]
        if self.counterexample is not None and self.counterexample.evidence is not None:
            margins.append(self.counterexample.evidence.margin)
        return float(np.min(margins)) if margins else None

    @property
    def tightness(self) -> float | None:
        ratios = [
            record.evidence.predicted / record.evidence.measured
            for record in self.judged
            if record.evidence
            and record.evidence.measured
            and math.isfinite(record.evidence.predicted / record.evidence.measured)
        ]
        return float(np.median(ratios)) if ratios else None

    @property
    def as_expected(self) -> bool:
        """Whether the outcome is the recorded one and every control came out as it must."""
        return self.outcome == self.statement.expected and all(self.controls.values())

    @property
    def in_a_word(self) -> str:
        """The outcome, and what was expected where that is something else."""
        if self.outcome != self.statement.expected:
            return f"expected {self.statement.expected}, got {self.outcome}"
        return (
            str(self.outcome)
            if self.as_expected
            else f"{self.outcome}, but a control did not come out as it must"
        )

    def counterexample_fields(self) -> dict[str, Any] | None:
        """The counterexample's instance as plain data, or None."""
        return None if self.counterexample is None else dataclasses.asdict(self.counterexample.instance)


def _lines_of(verdict: Verdict) -> Iterator[tuple[str, str]]:
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
