"""The layout of ``luckproof verify --json`` as a schema, and a checker that says where a value leaves it.

A schema is a type, a tuple of allowed values or types, a list of one schema (a list of such values), a dictionary of
schemas by key (just these keys), :class:`Each` (a dictionary with any keys), or a function that says whether.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Each:
    """A dictionary of any keys, each value as the schema says."""

    value: Any


@dataclass(frozen=True)
class Either:
    """One of several schemas."""

    schemas: tuple[Any, ...]


def words(value: Any) -> bool:
    """A text that says something."""
    return isinstance(value, str) and bool(value.strip())


def count(value: Any) -> bool:
    """A whole number from 0 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def number(value: Any) -> bool:
    """A finite number, or None for what is not finite."""
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def moment(value: Any) -> bool:
    """A date with time and zone."""
    return (
        isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", value) is not None
    )


def instance(value: Any) -> bool:
    """The fields of an instance: numbers, texts, truth values and lists of them."""
    plain = (int, float, str, bool, list)
    return isinstance(value, dict) and all(isinstance(item, plain) or item is None for item in value.values())


OUTCOMES = (
    "holds",
    "refuted",
    "vacuous",
    "inconclusive",
    "needed",
    "not needed",
    "observed",
    "not observed",
)
FORMS = ("printed", "reading", "necessity", "corrected", "sharp")

NUMBERS = {
    "predicted": number,
    "measured": number,
    "margin": number,
    "tolerance": number,
    "standard_error": number,
}
ENCLOSED = {
    "outcome": ("proved", "equal", "undecided", "violated"),
    "bits": count,
    "low": number,
    "high": number,
    "because": str,
}
CASE = {
    "instance": instance,
    **NUMBERS,
    "details": dict,
    "enclosed": Either((None, ENCLOSED)),
    "command": lambda value: words(value) and value.startswith("luckproof verify "),
}
CLAIM_CONTROL = {
    "name": words,
    "must": ("hold", "be rejected"),
    "passed": (True, False, None),
    "tolerance_factor": number,
    "instance": instance,
    "altered": dict,
    "moved": number,
    "variant": Either((None, words)),
    "command": Either((None, words)),
}
ASSUMPTION_CONTROL = {
    "name": words,
    "must": lambda value: value == "be inside" or value.startswith("be vacuous by "),
    "passed": (True, False, None),
    "instance": instance,
}
PROOF_CONTROL = {
    "name": words,
    "must": ("not be proved",),
    "passed": (True, False, None),
    "instance": None,
    "altered": dict,
}
ATTACK = Either(
    (
        None,
        {
            "evaluations": count,
            "smallest_margin": number,
            "survivors": [instance],
            "unjudged": Each(count),
            "recorded": (False,),
        },
        {
            "evaluations": count,
            "smallest_margin": number,
            "unjudged": count,
            "survivors": count,
            "day": words,
            "reason": str,
            "code": words,
            "recorded": (True,),
            "stale": bool,
        },
    )
)
STATEMENT = {
    "name": words,
    "key": words,
    "form": FORMS,
    "title": words,
    "claim": words,
    "remark": str,
    "place": {
        "paper": words,
        "version": words,
        "section": words,
        "number": words,
        "note": str,
        "text": words,
    },
    "impact": ("typographical", "constant", "substance", "none", None),
    "outcome": OUTCOMES,
    "expected": OUTCOMES,
    "as_expected": bool,
    "measured_name": words,
    "relation": ("≤", "≥", "<", ">", "=", "≈"),
    "predicted_name": words,
    "strength": words,
    "scope": Each(words),
    "assumptions": {
        "words": str,
        "each": [{"name": words, "met": count, "failed": count, "smallest": number, "largest": number}],
    },
    "population": Either((None, words)),
    "exact": Either((None, {"available": bool, "instances": (dict, None), "all_instances": (dict, None)})),
    "attack": ATTACK,
    "examples": count,
    "nonvacuous": count,
    "unjudged": count,
    "worst": Either((None, CASE)),
    "worst_margin": number,
    "tightness": number,
    "counterexamples": {"smallest": Either((None, CASE)), "telling": Either((None, CASE))},
    "confirmation": Either(
        (
            None,
            {"kind": ("precise",), "words": words, "digits": count, "seeds": None, **NUMBERS},
            {"kind": ("replication",), "words": words, "digits": None, "seeds": count, **NUMBERS},
        )
    ),
    "controls": [Either((CLAIM_CONTROL, ASSUMPTION_CONTROL, PROOF_CONTROL))],
    "seconds": number,
    "message": str,
}
FINDING = {
    "name": words,
    "form": words,
    "outcome": OUTCOMES,
    "source": words,
    "says": words,
    "true": words,
    "matters": words,
}
RUN = {
    "schema": (2,),
    "luckproof": words,
    "created": moment,
    "versions": Each(words),
    "seed": count,
    "budget": ("quick", "full", "deep"),
    "device": words,
    "threads": count,
    "findings": {
        "summary": words,
        "printed": Each(count),
        "readings": Each(count),
        "foremost": [FINDING],
        "items": [dict],
    },
    "statements": [STATEMENT],
    "lost": Each(words),
}


def complaints(value: Any, schema: Any, where: str = "run") -> list[str]:
    """Where ``value`` leaves ``schema``, a line each; empty where it does not."""
    if isinstance(schema, Either):
        found = [complaints(value, one, where) for one in schema.schemas]
        return [] if any(not lines for lines in found) else min(found, key=len)
    if isinstance(schema, Each):
        if not isinstance(value, dict):
            return [f"{where}: expected an object, got {value!r}"]
        return [
            line for key, item in value.items() for line in complaints(item, schema.value, f"{where}.{key}")
        ]
    if isinstance(schema, dict):
        return _of_object(value, schema, where)
    if isinstance(schema, list):
        if not isinstance(value, list):
            return [f"{where}: expected a list, got {value!r}"]
        return [line for n, item in enumerate(value) for line in complaints(item, schema[0], f"{where}[{n}]")]
    return [] if _fits(value, schema) else [f"{where}: got {value!r}"]


def _of_object(value: Any, schema: dict[str, Any], where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: expected an object, got {value!r}"]
    lines = [f"{where}: {key} is missing" for key in schema if key not in value]
    lines += [f"{where}: {key} is not described" for key in value if key not in schema]
    for key in value.keys() & schema.keys():
        lines += complaints(value[key], schema[key], f"{where}.{key}")
    return lines


def _fits(value: Any, schema: Any) -> bool:
    if isinstance(schema, type):
        return isinstance(value, schema)
    if isinstance(schema, tuple):
        return any(isinstance(value, s) if isinstance(s, type) else value is s or value == s for s in schema)
    if isinstance(schema, Callable):  # type: ignore[arg-type]
        return bool(schema(value))
    return bool(value is schema or value == schema)
