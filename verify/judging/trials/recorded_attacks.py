"""Attacks on record: how many evaluations each statement that holds has survived, and when.

:mod:`verify.judging.trials.record_attacks` makes the record.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.judging.statement import AnyStatement
from verify.judging.verdict import Verdict
from verify.judging.vocabulary import Outcome

FILE = Path(__file__).with_name("recorded_attacks.json")

FULL_ATTACK = 500
"""Evaluations that the attack on a statement takes; fewer are said with the reason."""

ATTACKED = (Outcome.HOLDS, Outcome.NOT_NEEDED)
"""Outcomes that an attack could overturn: claims about every instance of which none failed."""


@dataclass(frozen=True)
class RecordedAttack:
    """One attack on record: evaluations, the smallest relative margin met, instances without judgement, and the day.

    ``reason`` is why there were fewer evaluations than ``FULL_ATTACK``; ``code`` is that of the statement's file at the
    time, see :func:`code_of`.
    """

    evaluations: int
    smallest_margin: float | None
    unjudged: int
    survivors: int
    day: str
    reason: str = ""
    code: str = ""

    def __str__(self) -> str:
        if self.survivors:
            return f"fell in an attack of {self.evaluations} evaluations ({self.day})"
        aside = f", {self.unjudged} more could not be judged" if self.unjudged else ""
        fewer = f", no more because {self.reason}" if self.reason else ""
        return f"survived {self.evaluations} evaluations{aside}{fewer} ({self.day})"


@functools.cache
def recorded() -> Mapping[str, RecordedAttack]:
    """The attacks on record, by the statement's name."""
    if not FILE.exists():
        return {}
    entries: dict[str, dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: RecordedAttack(**entry) for name, entry in entries.items()}


def code_of(statement: AnyStatement) -> str:
    """A short hash of the code in the statement's file: without comments, docstrings and layout."""
    return code_of_source(inspect.getsource(inspect.getmodule(statement.evidence) or type(statement)))


def code_of_source(source: str) -> str:
    """:func:`code_of` for the text of a file."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_words(body[0]):
            del body[0]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


def _is_words(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def attack_in_words(verdict: Verdict) -> str:
    """The attack of the verdict's own run, else the one on record; empty where there is none."""
    if verdict.attack is not None:
        return str(verdict.attack)
    known = recorded().get(verdict.statement.name) if verdict.outcome in ATTACKED else None
    if known is None:
        return ""
    changed = (
        "" if known.code == code_of(verdict.statement) else ", before the code of its file was last changed"
    )
    return f"{known}{changed}, on record"
