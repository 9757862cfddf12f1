"""What a verdict covers: its strength in words, and the scope of the instances that were judged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.judging.verdict import Record, Verdict

FEW = 3
"""Up to so many judged instances are settings that were seen, no sample of a population."""

LISTED = 6
"""Most values of a field that are listed one by one."""


def strength_of(verdict: Verdict) -> str:
    """How much the outcome rests on, in words that stand beside it everywhere."""
    judged = len(verdict.judged)
    if not judged:
        return "no instance met the assumptions"
    networks = _networks(verdict.judged)
    trained = f", {networks} networks" if networks else ""
    settings = "one setting" if judged == 1 else f"{judged} settings"
    if verdict.statement.population:
        return f"{settings}{trained}, {verdict.statement.population}"
    if verdict.counterexample is not None:
        return "one counterexample" + (
            ", confirmed" if verdict.confirmation is not None else ", not confirmed"
        )
    if judged <= FEW:
        return f"seen in {settings}{trained}"
    sampled = any(record.evidence and record.evidence.standard_error for record in verdict.judged)
    if sampled:
        return f"sampled on {judged} instances, to within the stated error"
    relation = verdict.statement.relation
    kind = (
        "identity to rounding"
        if relation == "="
        else "inequality"
        if relation in "≤≥<>" and relation
        else "checked"
    )
    return f"{kind} on {judged} instances{trained}"


def _networks(records: Sequence[Record]) -> int:
    """Networks trained for the judged instances, as their evidence counts them (``networks`` in the details)."""
    counts = [record.evidence.details.get("networks", 0) for record in records if record.evidence]
    return int(sum(count for count in counts if isinstance(count, int | float)))


def scope_of(records: Sequence[Record]) -> Mapping[str, str]:
    """The values that each field took among the judged instances: ``{"d": "3 … 8", "kind": "a, b"}``."""
    instances = [record.instance for record in records if dataclasses.is_dataclass(record.instance)]
    if not instances:
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
