"""One statement on one instance, in words: what ``luckproof verify --instance`` prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from dynamics.memory import check_size
from verify.command.errors import BAD_INPUT, UNEXPECTED, CommandLineError, boundary
from verify.judging import AnyStatement, Context, Evidence
from verify.judging.collecting import FAILURES
from verify.judging.evidence import as_evidence
from verify.judging.instances import altered_from_json, instance_from_json, instance_to_json
from verify.judging.origin import is_own, place_of, raised_at
from verify.judging.told_errors import told_error
from verify.judging.trials.exact_margins import with_exact_margin
from verify.judging.trials.trial import evaluate, for_statement


def evaluate_instance(statement: AnyStatement, text: str, alter: str | None, context: Context) -> int:
    """Print what one instance says; 1 when the claim, as it stands, fails where it is not expected to."""
    with boundary():
        instance = instance_from_json(statement, text)
        _check_sizes(instance)
        altered = altered_from_json(statement, alter) if alter is not None else {}
    with own_code(statement):
        record = evaluate(statement, instance, for_statement(statement, context), altered)
        enclosed = with_exact_margin(statement, record, altered).enclosed
    lines = [statement.name, statement.claim, f"instance: {instance_to_json(instance)}"]
    if altered:
        lines.append(f"altered: {', '.join(f'{name} = {value!r}' for name, value in altered.items())}")
    for assumption in record.assumptions:
        state = "satisfied" if assumption.satisfied else "NOT satisfied"
        lines.append(f"assumption: {assumption.name}: {state}, margin {assumption.margin:.6g}")
    if record.unjudged:
        lines.append(f"verdict: cannot be judged here ({record.unjudged})")
    elif record.evidence is None:
        lines.append("verdict: vacuous here (an assumption is not satisfied)")
    else:
        lines.append(f"evidence: {_evidence(record.evidence)}")
        if record.failed and statement.confirm is not None and not altered:
            with own_code(statement):
                lines.append(
                    f"confirmed: {_evidence(as_evidence('confirmation', statement.confirm(instance)))}"
                )
        if enclosed is not None:
            lines.append(f"exact margin: {enclosed}")
        undecided = "undecided here (sampling error too large)" if record.evidence.inconclusive else ""
        lines.append(f"verdict: {undecided or ('the claim fails here' if record.failed else 'holds here')}")
    typer.echo("\n".join(lines))
    fails_unexpectedly = record.failed and not altered and statement.expected not in FAILURES
    return UNEXPECTED if fails_unexpectedly else 0


@contextmanager
def own_code(statement: AnyStatement) -> Iterator[None]:
    """Around code of a statement: what the user's own raises is bad input, with its place.

    So are values that ours refuses to compute with.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, ValueError) and not is_own(statement.evidence):
            # values that are each in their range, and too much for some step together
            raise CommandLineError(f"instance: it cannot be evaluated: {error}", BAD_INPUT) from error
        if not is_own(statement.evidence):
            raise
        place = raised_at(statement.evidence, error) or place_of(statement.evidence)
        raise CommandLineError(f"{place}: {statement.name}: {told_error(error)}", BAD_INPUT) from error


def _check_sizes(instance: Any) -> None:
    """Refuse sizes beyond the memory; a seed is none."""
    for field in dataclasses.fields(instance):
        value = getattr(instance, field.name)
        for size in value if isinstance(value, tuple) else (value,):
            if type(size) is int and "seed" not in field.name:
                check_size(f"instance: {field.name}", size)


def _evidence(evidence: Evidence) -> str:
    values = {field.name: getattr(evidence, field.name) for field in dataclasses.fields(evidence)}
    details = values.pop("details")
    values.pop("inconclusive")
    shown = {name: value for name, value in values.items() if name != "standard_error" or value}
    return ", ".join(f"{name} {_number(value)}" for name, value in {**shown, **details}.items())


def _number(value: object, digits: int = 4) -> str:
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    return "-" if value is None else str(value)
