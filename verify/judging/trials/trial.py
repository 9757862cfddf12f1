"""One statement under judgement: its instances evaluated, its failures confirmed, its controls run."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verify.judging.assumption import as_assumptions
from verify.judging.controls import tolerance_factor
from verify.judging.enclosing.proof import Proof
from verify.judging.evidence import CannotJudgeError, Context, Evidence, as_evidence
from verify.judging.instances import instance_to_json
from verify.judging.origin import raised_at
from verify.judging.statement import AnyStatement
from verify.judging.told_errors import told_error
from verify.judging.trials.exact_margins import (
    complaint_of_control,
    contradictions,
    proof_controls,
    proof_of,
    with_exact_margin,
)
from verify.judging.trials.search import search
from verify.judging.verdict import Record
from verify.judging.vocabulary import Form, Outcome

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

INCONCLUSIVE_SHARE = 0.1
"""Largest share of undecided instances (sampling error too large) with which a statement may still hold."""

DETAILED_RECORDS = 1000
"""Records that keep their details; later ones keep only their numbers, so that a deep run stays small."""

Progress = Callable[[int, int], None]
"""Called with (instances evaluated, instances at most) after each one."""

TELLING_DRAWS = 40
"""Instances drawn, after a refutation, for a counterexample that tells more than the smallest."""


def for_statement(statement: AnyStatement, context: Context) -> Context:
    """The context of one evaluation: the share of false alarms is split over the statement's instances."""
    return dataclasses.replace(context, examples=planned_examples(statement, context))


def planned_examples(statement: AnyStatement, context: Context) -> int:
    """The most instances whose evidence a run evaluates, those tried while shrinking left out.

    The second, steered search of a statement comes only after a first that evaluated no evidence.
    """
    drawn = statement.cost.examples(context.budget) if statement.instances else 0
    return len(statement.examples) + drawn


def evaluate(
    statement: AnyStatement, instance: Any, context: Context, altered: Mapping[str, Any] | None = None
) -> Record:
    """Assumptions first; the evidence, with its arguments ``altered``, only where all of them are satisfied.

    Either may find that the instance cannot be judged.
    """
    try:
        assumptions = as_assumptions(statement.assumptions(instance))
    except CannotJudgeError as reason:
        return Record(instance, (), None, unjudged=str(reason))
    if not all(assumption.satisfied for assumption in assumptions):
        return Record(instance, assumptions, None)
    try:
        evidence = as_evidence("evidence", statement.evidence(instance, context, **(altered or {})))
    except CannotJudgeError as reason:
        return Record(instance, assumptions, None, unjudged=str(reason))
    return Record(instance, assumptions, evidence)


def drawn_instances(statement: AnyStatement, context: Context, count: int, seed: int) -> list[Any]:
    """The examples and up to ``count`` drawn instances, not evaluated."""
    instances = list(statement.examples)
    if statement.instances is not None:
        search(
            statement.instances(context.budget),
            lambda instance: Record(instance, (), None),
            seed=seed,
            max_examples=count,
            keep=lambda record: instances.append(record.instance),
        )
    return instances


@dataclass
class Trial:
    """One statement under judgement: what was evaluated, what failed, what has to be said about it."""

    statement: AnyStatement
    context: Context
    progress: Progress | None
    records: list[Record] = field(default_factory=list)
    failures: list[Record] = field(default_factory=list)
    broken: bool = False
    notes: list[str] = field(default_factory=list)
    tolerance_factors: dict[str, float] = field(default_factory=dict)
    raised: str = ""
    _what: str = ""

    def evaluate(self, instance: Any) -> Record:
        """Assumptions and evidence of one instance."""
        try:
            return evaluate(self.statement, instance, self.context)
        except Exception as error:
            # A search hands the error on without the way it came.
            self._what = self.told(error)
            raise

    def enclosed(self, record: Record) -> Record:
        """The record with its exact margin; where that cannot be evaluated the trial has broken down."""
        try:
            return with_exact_margin(self.statement, record)
        except Exception as error:
            if any(note.startswith("the exact margin of") for note in self.notes):
                return record  # the first is enough to say so
            self.break_down(f"the exact margin of {instance_to_json(record.instance)}", error)
            return record

    def keep(self, record: Record) -> None:
        record = self.enclosed(record)
        if record.evidence is not None and len(self.records) >= DETAILED_RECORDS:
            record = dataclasses.replace(record, evidence=dataclasses.replace(record.evidence, details={}))
        self.records.append(record)
        if self.progress:
            planned = planned_examples(self.statement, self.context)
            self.progress(min(len(self.records), planned), planned)

    def told(self, error: Exception) -> str:
        """What was raised, and where in the user's file."""
        place = raised_at(self.statement.evidence, error)
        return told_error(error) + (f" ({place})" if place else "")

    def break_down(self, where: str, error: Exception, what: str = "") -> None:
        self.broken = True
        self.notes.append(self.complain(where, error, what))

    def complain(self, where: str, error: Exception, what: str = "") -> str:
        """What ``where`` raised, in words; the first is kept as what the statement's code raised."""
        what = what or self.told(error)
        if self.raised.endswith(f" raised {what}"):
            return f"so did {where}"
        words = f"{where} raised {what}"
        self.raised = self.raised or words
        return words

    def evaluate_examples(self) -> None:
        for instance in self.statement.examples:
            try:
                record = self.evaluate(instance)
            except Exception as error:
                self.break_down(f"the example {instance_to_json(instance)}", error)
                continue
            self.keep(record)
            if record.failed:
                self.failures.append(record)

    def draw_instances(self) -> None:
        """Draw freely; only when no instance at all satisfied the assumptions, climb towards ones that do."""
        if self.statement.instances is None:
            return
        try:
            strategy = self.statement.instances(self.context.budget)
        except Exception as error:
            self.break_down("the strategy of instances", error)
            return
        self.draw_from(strategy, steered=False)
        if not self.broken and not self.judged:
            self.draw_from(strategy, steered=True)

    @property
    def judged(self) -> list[Evidence]:
        return [record.evidence for record in self.records if record.evidence is not None]

    def draw_from(self, strategy: SearchStrategy[Any], *, steered: bool) -> None:
        """One search; what it finds goes before a failed example, being simpler."""
        found = search(
            strategy,
            self.evaluate,
            seed=self.context.seed,
            max_examples=self.statement.cost.examples(self.context.budget),
            keep=self.keep,
            steered=steered,
        )
        self.failures[:0] = [record for record in (found.shrunk, found.found) if record is not None]
        if found.breakdown is not None:
            where = f"the instance {instance_to_json(found.breakdown[0])}"
            self.break_down(where, found.breakdown[1], self._what)
        if found.complaint:
            self.broken = True
            self.notes.append(found.complaint)

    def confirm_failures(self) -> tuple[Record | None, Evidence | None]:
        """The first failure that an independent evaluation confirms, with that evaluation.

        A shrunk instance can sit so close to the edge that only the one first found is beyond rounding.
        """
        if not self.failures:
            return None, None
        simplest = self.failures[0]
        if self.statement.confirm is None:
            self.notes.append(
                "the claim failed, and there is no independent evaluation to confirm it: add one by "
                ".confirmed_precisely or .replicated"
            )
            return simplest, None
        for record in self.failures:
            try:
                evidence = as_evidence("confirmation", self.statement.confirm(record.instance))
            except Exception as error:
                self.break_down(f"the confirmation of {instance_to_json(record.instance)}", error)
                continue
            if evidence.margin < 0 and not evidence.inconclusive:
                return self.enclosed(record), evidence
        self.notes.append("the claim failed, but its independent evaluation did not confirm that")
        return simplest, None

    def run_controls(self) -> Mapping[str, bool]:
        passed = {}
        for control in self.statement.controls:
            try:
                evidence = control.judge(self.context)
                passed[control.name] = control.came_out(evidence)
                complaint = "was not accepted" if control.must_hold else "was not rejected"
                if evidence.inconclusive:
                    complaint = "is not decided: the sampling error is too large"
                exact_complaint = complaint_of_control(self.statement, control)
                if exact_complaint:
                    passed[control.name], complaint = False, exact_complaint
                factor = tolerance_factor(evidence)
                if factor is not None and not control.must_hold:
                    self.tolerance_factors[control.name] = factor
            except Exception as error:
                passed[control.name] = False
                self.notes.append(self.complain(f"the control {control.name!r}", error))
                continue
            if not passed[control.name]:
                self.notes.append(f"the control {control.name!r} {complaint}")
        return {**passed, **self.run_assumption_controls(), **self.run_proof_controls()}

    def proof(self) -> Proof | None:
        """The proof for all instances; one that stops short breaks the trial down."""
        try:
            found = proof_of(self.statement)
        except Exception as error:
            self.break_down("the proof for all instances", error)
            return None
        if found is not None and not found.proved:
            self.broken = True
            self.notes.append(f"the proof for all instances stops at {found.undecided}")
        return found

    def run_proof_controls(self) -> Mapping[str, bool]:
        """Whether the proof leaves every false claim unproved."""
        try:
            passed = proof_controls(self.statement)
        except Exception as error:
            self.break_down("the controls of the proof", error)
            return {}
        self.notes += [f"the control {name!r} was proved" for name, right in passed.items() if not right]
        return passed

    def run_assumption_controls(self) -> Mapping[str, bool]:
        """Whether the instances that must be vacuous are, and those just inside are not."""
        passed = {}
        for control in self.statement.assumption_controls:
            try:
                complaint = control.complaint(self.statement.assumptions)
                passed[control.name] = not complaint
            except Exception as error:
                passed[control.name] = False
                self.notes.append(self.complain(f"the control {control.name!r}", error))
                continue
            if not passed[control.name]:
                self.notes.append(f"the control {control.name!r} {complaint}")
        return passed

    def most_telling(self, counterexample: Record | None) -> Record | None:
        """The failure with the largest relative violation among telling instances; None where none was found.

        ``TELLING_DRAWS`` further instances are drawn for it, since the first failure ended the search.
        """
        statement = self.statement
        candidates: list[Any] = list(self.failures)
        candidates += drawn_instances(statement, self.context, TELLING_DRAWS, self.context.seed + 1)
        best: Record | None = None
        for candidate in candidates:
            instance = candidate.instance if isinstance(candidate, Record) else candidate
            if not statement.telling(instance):
                continue
            try:
                record = candidate if isinstance(candidate, Record) else self.evaluate(instance)
            except Exception:  # an instance that breaks the evaluation tells nothing
                continue
            if record.failed and (best is None or record.relative_margin < best.relative_margin):
                best = record
        return None if best is None or best == counterexample else best

    def decide(self, confirmed: bool) -> Outcome:
        """The outcome in the words of the statement's form."""
        return in_words_of(self.statement, self.decide_plainly(confirmed))

    def contradicted(self, confirmed: bool) -> bool:
        """Whether exact margins contradict the evidence; noted. With a counterexample only its own margin counts."""
        counted = self.failures if confirmed else self.records
        found = contradictions([self.enclosed(record) for record in counted] if confirmed else counted)
        self.notes += found
        return bool(found)

    def decide_plainly(self, confirmed: bool) -> Outcome:
        """Holds, refuted, vacuous or inconclusive."""
        if self.contradicted(confirmed):
            return Outcome.INCONCLUSIVE
        if confirmed:
            return Outcome.REFUTED
        if self.failures or self.broken:
            return Outcome.INCONCLUSIVE
        judged = self.judged
        unjudged = sum(bool(record.unjudged) for record in self.records)
        if unjudged:
            self.notes.append(f"{unjudged} of {len(self.records)} instances cannot be judged")
        if not judged:
            return Outcome.INCONCLUSIVE if unjudged else Outcome.VACUOUS
        undecided = sum(evidence.inconclusive for evidence in judged)
        if undecided > INCONCLUSIVE_SHARE * len(judged):
            self.notes.append(
                f"the sampling error was too large to decide {undecided} of {len(judged)} instances"
            )
            return Outcome.INCONCLUSIVE
        return Outcome.HOLDS


def in_words_of(statement: AnyStatement, outcome: Outcome) -> Outcome:
    """``outcome`` as a necessity (needed, not needed) or an empirical claim (observed, not observed) has it."""
    if statement.form is Form.NECESSITY:
        words = {Outcome.REFUTED: Outcome.NEEDED, Outcome.HOLDS: Outcome.NOT_NEEDED}
        return words.get(outcome, Outcome.INCONCLUSIVE)
    if statement.population:
        words = {Outcome.REFUTED: Outcome.NOT_OBSERVED, Outcome.HOLDS: Outcome.OBSERVED}
        return words.get(outcome, Outcome.INCONCLUSIVE)
    return outcome
