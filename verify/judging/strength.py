"""What a verdict covers: its strength in words, and the scope of the instances that were judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from verify.judging.enclosing.enclosure import Enclosed, EnclosedOutcome, EnclosureCounts
from verify.judging.enclosing.proof import Proof
from verify.judging.evidence import Evidence
from verify.judging.statement import AnyStatement

FEW = 3
"""Up to so many judged instances are settings that were seen, no sample of a population."""

LISTED = 6
"""Most values of a field that are listed one by one."""


def strength_of(
    statement: AnyStatement, judged: Sequence[Evidence], failed: bool, confirmed: bool, unjudged: bool = False
) -> str:
    """How much an outcome rests on, in words that stand beside it everywhere.

    Args:
        statement: what was judged.
        judged: the evidence of all instances that met the assumptions and could be judged.
        failed: whether there is a counterexample.
        confirmed: whether its independent re-evaluation failed too.
        unjudged: whether there were instances within the assumptions that could not be judged, or raised.
    """
    if failed and not statement.population:
        return f"one counterexample, {'confirmed' if confirmed else 'not confirmed'}"
    if not judged:
        return "nothing was judged" if unjudged else "no instance met the assumptions"
    trained = _drawn(judged, "networks")
    settings = "one setting" if len(judged) == 1 else f"{len(judged)} settings"
    if statement.population:
        return f"{settings}{trained or _drawn(judged, 'seeds')}, {statement.population}{_effect(judged)}"
    if len(judged) <= FEW:
        return f"seen in {settings}{trained}"
    if any(evidence.standard_error for evidence in judged):
        return f"sampled on {len(judged)} instances, to within the stated error{trained}"
    return f"{_kind(statement.relation)} on {len(judged)} instances{trained}"


def _drawn(judged: Sequence[Evidence], name: str) -> str:
    """How many networks, or seeds, all evaluations together rest on; nothing where they do not say."""
    total = sum(int(e.details[name]) for e in judged if isinstance(e.details.get(name), int | float))
    return f", {total} {name}" if total else ""


def _effect(judged: Sequence[Evidence]) -> str:
    """The effect with its interval where it is weakest; nothing where the evidence has no interval."""
    worst = min(judged, key=lambda evidence: evidence.margin)
    interval = worst.details.get("interval")
    if not interval:
        return ""
    weakest = "effect" if len(judged) == 1 else "weakest effect"
    return f"; {weakest} {worst.measured:.3g} in [{interval[0]:.3g}, {interval[1]:.3g}]"


def strength_when_failed(rests_on: str, enclosed: Enclosed | None) -> str:
    """The words on a counterexample, with what its exact margin says of it."""
    if enclosed is None:
        return rests_on
    if enclosed.outcome != EnclosedOutcome.VIOLATED:
        return f"{rests_on}, {enclosed.outcome} in ball arithmetic"
    return f"{rests_on}, proved in {'ball' if enclosed.bits else 'exact'} arithmetic"


def strength_when_enclosed(rests_on: str, proof: Proof | None, counts: EnclosureCounts | None) -> str:
    """The words where margins were enclosed: a proof for all instances, else how many are proved and how many equal."""
    if proof is not None and proof.proved:
        return str(proof)
    if counts is None or not counts.judged:
        return rests_on
    return f"{rests_on}; none enclosed" if counts.beyond == counts.judged else str(counts)


def _kind(relation: str) -> str:
    if relation == "=":
        return "identity to rounding"
    return "inequality" if relation in ("≤", "≥", "<", ">") else "checked"


def scope_of(instances: Sequence[Any]) -> Mapping[str, str]:
    """The values that each field took among judged instances: ``{"d": "3 … 8", "kind": "a, b"}``; seeds left out."""
    if not instances or not dataclasses.is_dataclass(instances[0]):
        return {}
    names = [field.name for field in dataclasses.fields(instances[0]) if field.name != "seed"]
    return {name: _described([getattr(instance, name) for instance in instances]) for name in names}


def _described(values: Sequence[Any]) -> str:
    distinct = list(dict.fromkeys(values))
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in distinct)
    if numbers:
        low, high = min(distinct), max(distinct)
        return f"{low:.4g}" if low == high else f"{low:.4g} … {high:.4g}"
    shown = ", ".join(str(value) for value in distinct[:LISTED])
    return shown + (f" and {len(distinct) - LISTED} more" if len(distinct) > LISTED else "")
