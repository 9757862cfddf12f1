"""The runner: evaluate a statement on its examples and on drawn instances, and come to a verdict."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nets.devices import resolve_device
from verify.judging import registry
from verify.judging.evidence import Context, Evidence
from verify.judging.instances import instance_to_json
from verify.judging.search import search
from verify.judging.statement import AnyStatement
from verify.judging.verdict import Record, Verdict
from verify.judging.vocabulary import BUDGETS, Outcome

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

INCONCLUSIVE_SHARE = 0.1
"""Largest share of undecided instances (sampling error too large) with which a statement may still hold."""

DETAILED_RECORDS = 1000
"""Records that keep their details; later ones keep only their numbers, so that a deep run stays small."""

Progress = Callable[[int, int], None]
"""Called with (instances evaluated, instances at most) after each one."""


def check(
    key: str, budget: str = "quick", device: str = "auto", seed: int = 0, form: str | None = None
) -> Verdict:
    """The verdict on one statement.

    Args:
        key: full name (``luckmatters.theorem4.sharp``), or a key with ``form``, or a key that has one form.
        budget: ``quick``, ``full`` or ``deep``.
        device: ``auto`` (CUDA when present), ``cpu`` or ``cuda``: where networks are trained.
        seed: with the same seed the same instances are drawn.
        form: ``printed``, ``corrected`` or ``sharp``.

    Raises:
        ValueError: an unknown name, several forms and none chosen, an unknown budget or device.
    """
    return judge(registry.single(key, form), make_context(budget, device, seed))


def check_all(
    keys: Sequence[str] = (),
    budget: str = "quick",
    device: str = "auto",
    seed: int = 0,
    form: str | None = None,
) -> list[Verdict]:
    """The verdicts on every statement that ``keys`` select (:func:`verify.select`), in reading order."""
    context = make_context(budget, device, seed)
    return [judge(statement, context) for statement in registry.select(keys, form)]


def make_context(budget: str, device: str, seed: int) -> Context:
    """Validate a run's budget, device and seed.

    Raises:
        ValueError: naming the one at fault.
    """
    if budget not in BUDGETS:
        raise ValueError(f"budget: expected one of {', '.join(BUDGETS)}, got {budget!r}")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed: expected an integer >= 0, got {seed!r}")
    return Context(BUDGETS[budget], resolve_device(device), seed)


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
    """Assumptions first; the evidence, with its arguments ``altered``, only where all of them are satisfied."""
    assumptions = tuple(statement.assumptions(instance))
    if not all(assumption.satisfied for assumption in assumptions):
        return Record(instance, assumptions, None)
    return Record(instance, assumptions, statement.evidence(instance, context, **(altered or {})))


def judge(statement: AnyStatement, context: Context, progress: Progress | None = None) -> Verdict:
    """The verdict on ``statement``.

    The examples are evaluated, then instances drawn with Hypothesis from the run's seed. A failure is shrunk
    and believed only when ``statement.confirm`` fails on it too. Instances outside the assumptions are
    counted, not rejected; with no other the statement is vacuous. An exception raised by the statement's own
    code makes it inconclusive and is named in the message; the run goes on.
    """
    started = time.perf_counter()
    trial = _Trial(statement, for_statement(statement, context), progress)
    trial.evaluate_examples()
    trial.draw_instances()
    counterexample, confirmation = trial.confirm_failures()
    controls = trial.run_controls()
    return Verdict(
        statement=statement,
        outcome=trial.decide(confirmed=confirmation is not None),
        records=tuple(trial.records),
        controls=controls,
        counterexample=counterexample,
        confirmation=confirmation,
        seconds=time.perf_counter() - started,
        message="; ".join(trial.notes),
    )


@dataclass
class _Trial:
    """One statement under judgement: what was evaluated, what failed, what has to be said about it."""

    statement: AnyStatement
    context: Context
    progress: Progress | None
    records: list[Record] = field(default_factory=list)
    failures: list[Record] = field(default_factory=list)
    broken: bool = False
    notes: list[str] = field(default_factory=list)

    def evaluate(self, instance: Any) -> Record:
        return evaluate(self.statement, instance, self.context)

    def keep(self, record: Record) -> None:
        if record.evidence is not None and len(self.records) >= DETAILED_RECORDS:
            record = dataclasses.replace(record, evidence=dataclasses.replace(record.evidence, details={}))
        self.records.append(record)
        if self.progress:
            planned = planned_examples(self.statement, self.context)
            self.progress(min(len(self.records), planned), planned)

    def break_down(self, where: str, error: Exception) -> None:
        self.broken = True
        self.notes.append(f"{where} raised {_describe(error)}")

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
            self.break_down(f"the instance {instance_to_json(found.breakdown[0])}", found.breakdown[1])
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
            self.notes.append("the claim failed, and no independent evaluation is there to confirm it")
            return simplest, None
        for record in self.failures:
            try:
                evidence = self.statement.confirm(record.instance)
            except Exception as error:
                self.break_down(f"the confirmation of {instance_to_json(record.instance)}", error)
                continue
            if evidence.margin < 0 and not evidence.inconclusive:
                return record, evidence
        self.notes.append("the claim failed, but its independent evaluation did not confirm that")
        return simplest, None

    def run_controls(self) -> Mapping[str, bool]:
        passed = {}
        for control in self.statement.controls:
            try:
                passed[control.name] = control.passed(self.context)
                complaint = "was not accepted" if control.must_hold else "was not rejected"
            except Exception as error:
                passed[control.name] = False
                complaint = f"raised {_describe(error)}"
            if not passed[control.name]:
                self.notes.append(f"the control {control.name!r} {complaint}")
        return passed

    def decide(self, confirmed: bool) -> Outcome:
        if confirmed:
            return Outcome.REFUTED
        if self.failures or self.broken:
            return Outcome.INCONCLUSIVE
        judged = self.judged
        if not judged:
            return Outcome.VACUOUS
        undecided = sum(evidence.inconclusive for evidence in judged)
        if undecided > INCONCLUSIVE_SHARE * len(judged):
            self.notes.append(
                f"the sampling error was too large to decide {undecided} of {len(judged)} instances"
            )
            return Outcome.INCONCLUSIVE
        return Outcome.HOLDS


def _describe(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
