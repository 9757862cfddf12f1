"""Exact margins of a trial: on its records and controls, proofs and their controls, and contradictions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from verify.judging.controls import Control
from verify.judging.enclosing.balls import balls_available
from verify.judging.enclosing.enclosure import EnclosedOutcome, enclose
from verify.judging.enclosing.proof import Proof
from verify.judging.instances import instance_to_json
from verify.judging.statement import AnyStatement
from verify.judging.verdict import Record

TRUE = (EnclosedOutcome.PROVED, EnclosedOutcome.EQUAL)


def exact_at_hand(statement: AnyStatement) -> bool:
    """Whether the statement has an exact margin or a proof, and python-flint is there to evaluate it."""
    return (statement.enclose is not None or statement.prove is not None) and balls_available()


def with_exact_margin(
    statement: AnyStatement, record: Record, altered: Mapping[str, Any] | None = None
) -> Record:
    """``record`` with its margin enclosed, where it was judged and the statement has an exact margin."""
    if statement.enclose is None or record.evidence is None or not balls_available():
        return record
    return dataclasses.replace(record, enclosed=enclose(statement.enclose, record.instance, altered))


def complaint_of_control(statement: AnyStatement, control: Control) -> str:
    """What is wrong with a control in exact arithmetic; empty where it comes out as it must, or is out of reach.

    A claim that must be rejected has a negative margin there, one that must hold has none.
    """
    own = control.evidence is statement.evidence and not control.moved
    if statement.enclose is None or not own or not balls_available():
        return ""
    found = enclose(statement.enclose, control.instance, control.altered)
    if found is None:
        return ""
    right = found.outcome in TRUE if control.must_hold else found.outcome == EnclosedOutcome.VIOLATED
    return "" if right else f"is {found.outcome} in ball arithmetic"


def proof_of(statement: AnyStatement) -> Proof | None:
    """The proof for all instances; None where the statement has none, or python-flint is not installed."""
    return statement.prove() if statement.prove is not None and balls_available() else None


def proof_controls(statement: AnyStatement) -> dict[str, bool]:
    """Whether each false claim is left unproved."""
    if statement.prove is None or not balls_available():
        return {}
    return {c.name: not statement.prove(**c.altered).proved for c in statement.proof_controls}


def contradictions(records: Sequence[Record]) -> list[str]:
    """Records whose exact margin has another sign than their evidence, in words: the first of each kind.

    A claim that is false by less than the tolerance holds as far as floats can tell; one that failed and is proved is
    an error of ours.
    """
    false = [r for r in records if r.enclosed and r.enclosed.outcome == EnclosedOutcome.VIOLATED]
    true = [r for r in records if r.enclosed and r.enclosed.outcome in TRUE]
    unseen = next((r for r in false if not r.failed), None)
    unsound = next((r for r in true if r.failed), None)
    return [
        f"{words} on {instance_to_json(record.instance)}"
        for words, record in (
            ("the exact margin is negative, by less than the tolerance,", unseen),
            ("the claim failed and its exact margin is not negative", unsound),
        )
        if record is not None
    ]
