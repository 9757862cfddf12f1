"""Attacks on record: how many evaluations each statement that holds has survived, and when.

:mod:`verify.judging.trials.record_attacks` makes the record of the papers' statements. That of one's own stands
beside the file of the statements (``mytheorem.attacks.json``): ``luckproof verify --attack N --record`` writes it.
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

from dynamics.files.places import check_readable
from dynamics.validation import shown
from verify.judging.origin import is_own, told
from verify.judging.own.home import home_of, sources_at
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
    time, see :func:`code_of`; ``day`` that of the record.
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


def record_at(home: Path) -> Path:
    """The file beside ``home``, a file of statements of one's own, in which attacks on them are recorded."""
    return home.with_suffix(".attacks.json")


def attack_on_record(statement: AnyStatement) -> RecordedAttack | None:
    """The attack on record for a statement, of the papers or one's own; None where there is none.

    Raises:
        ValueError: the record beside a file of one's own cannot be read, or is none.
    """
    if not is_own(statement.evidence):
        return recorded().get(statement.name)
    home = home_of(statement)
    return None if home is None else recorded_beside(home).get(statement.name)


def recorded_beside(home: Path) -> Mapping[str, RecordedAttack]:
    """The attacks on the statements of a file of one's own, by name; raises ValueError where the record is none."""
    file = record_at(home)
    if not file.exists():
        return {}
    try:
        entries = json.loads(check_readable("attacks", told(file)).read_bytes())
        return {name: _checked(entry) for name, entry in entries.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{told(file)}: expected attacks as luckproof verify --record writes them ({error}); remove the file and "
            "record them again"
        ) from error


def _checked(entry: Any) -> RecordedAttack:
    """The entry of a record that anyone may have written to."""
    found = RecordedAttack(**entry)
    for name in ("evaluations", "unjudged", "survivors"):
        value = getattr(found, name)
        if type(value) is not int or value < 0:
            raise ValueError(f"{name}: expected an integer >= 0, got {shown(value)}")
    if not isinstance(found.smallest_margin, int | float | None):
        raise ValueError(f"smallest_margin: expected a number, got {shown(found.smallest_margin)}")
    for name in ("day", "reason", "code"):
        if not isinstance(getattr(found, name), str):
            raise ValueError(f"{name}: expected a text, got {shown(getattr(found, name))}")
    return found


def code_of(statement: AnyStatement) -> str:
    """A short hash of the code in the statement's file: without comments, docstrings and layout.

    Of a statement of one's own, of the files beside it too that it imports.
    """
    home = home_of(statement)
    if home is None:
        return code_of_source(inspect.getsource(inspect.getmodule(statement.evidence) or type(statement)))
    parts = "".join(_code_of_file(file.read_bytes()) for file in sources_at(statement, home))
    return hashlib.sha256(parts.encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=1000)
def _code_of_file(content: bytes) -> str:
    """:func:`code_of_source` of a file; of one that is no Python, a template say, its bytes count."""
    try:
        return code_of_source(content.decode())
    except (SyntaxError, ValueError):
        return hashlib.sha256(content).hexdigest()[:16]


def of_other_code(statement: AnyStatement, known: RecordedAttack) -> bool:
    """Whether the statement's code is another now than when it was attacked."""
    return known.code != code_of(statement)


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
    record = record_in_words(verdict.statement) if verdict.outcome in ATTACKED else ""
    return f"{record}, on record" if record else ""


def record_in_words(statement: AnyStatement) -> str:
    """The attack on record, and whether the code is another by now; empty where there is none."""
    known = attack_on_record(statement)
    if known is None:
        return ""
    return f"{known}, before its code was last changed" if of_other_code(statement, known) else str(known)
