"""The registry: every module of the paper packages is imported and its statements are collected.

A new file in ``verify/<paper>/`` is found by itself. It holds module-level :class:`Statement` objects, or
tuples or lists of them. What a statement must bring with it is checked here, so that a half-written one cannot hide.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import Any

from dynamics.boundary import checked
from verify.judging.catalogue import PAPERS, StatementEntry, catalogued, names_of
from verify.judging.statement import AnyStatement, Statement
from verify.judging.vocabulary import Form, Outcome

FAILURES = (Outcome.REFUTED, Outcome.NEEDED, Outcome.NOT_OBSERVED)
"""Outcomes that rest on a confirmed failure of the claim."""

_KEY = re.compile(r"[a-z]+(\.[a-z][a-z0-9_]*)+")


def collect(modules: Iterable[ModuleType]) -> Mapping[str, AnyStatement]:
    """The statements of ``modules`` by name, in reading order: paper, key (numbers as numbers), form.

    The same object seen twice (imported from a sibling) counts once.

    Raises:
        ValueError: two different statements share a name, or one is incomplete (:func:`validate`).
    """
    found: dict[str, AnyStatement] = {}
    for module in modules:
        for statement in _statements_of(module):
            validate(statement)
            if found.setdefault(statement.name, statement) is not statement:
                raise ValueError(f"statement {statement.name} is defined twice, again in {module.__name__}")
    return MappingProxyType({s.name: s for s in sorted(found.values(), key=_reading_order)})


def validate(statement: AnyStatement) -> None:
    """Refuse a statement that lacks what a verdict rests on.

    Raises:
        ValueError: naming the statement and the missing part.
    """
    missing = [
        complaint
        for absent, complaint in (
            (not _KEY.fullmatch(statement.key), "a key such as luckmatters.theorem4"),
            (not statement.title.strip(), "a title"),
            (not statement.claim.strip(), "a claim"),
            (not statement.source.paper or not statement.source.number, "a source with paper and number"),
            (not statement.controls, "at least one control"),
            (len({c.name for c in statement.controls}) < len(statement.controls), "distinct control names"),
            (statement.instances is None and not statement.examples, "instances or examples"),
            (
                statement.expected in FAILURES and statement.confirm is None,
                "confirm (a failure is believed only after an independent evaluation)",
            ),
        )
        if absent
    ]
    if missing:
        raise ValueError(f"statement {statement.name}: needs {'; '.join(missing)}")


@checked
def select(patterns: Sequence[str] = (), form: str | None = None) -> tuple[AnyStatement, ...]:
    """The registered statements named by ``patterns``, in reading order; all of them for no pattern.

    A pattern is a full name (``luckmatters.theorem4.sharp``), a key (all its forms), a paper, any other
    dotted prefix, or a shell pattern (``luckmatters.lemma*``). ``form`` keeps one form only.

    Raises:
        ValueError: a pattern or form that matches nothing, with the nearest names; where the catalogue is up to date
            this takes no import of the statements.
    """
    entries, named = catalogued(), tuple(patterns)
    if entries is not None:
        names_of(named, form, entries)
    return names_of(named, form, registered())


def catalogue() -> Mapping[str, StatementEntry]:
    """Every statement as lists show it, by name; from the catalogue, or by import where that is out of date."""
    return catalogued() or registered_entries()


def registered_entries() -> Mapping[str, StatementEntry]:
    """Every registered statement as lists show it, by name."""
    return {
        name: StatementEntry(name, s.key, s.form, s.expected, s.title) for name, s in registered().items()
    }


def single(key: str, form: str | None = None) -> AnyStatement:
    """The one statement that ``key`` (and ``form``) name.

    Raises:
        ValueError: none, or several; then their names are listed.
    """
    chosen = select([key], form)
    if len(chosen) > 1:
        raise ValueError(
            f"key: {key!r} has several statements, name one (or give its form): "
            + ", ".join(statement.name for statement in chosen)
        )
    return chosen[0]


def _statements_of(module: ModuleType) -> Iterator[AnyStatement]:
    for value in vars(module).values():
        candidates = value if isinstance(value, tuple | list) else (value,)
        yield from (candidate for candidate in candidates if isinstance(candidate, Statement))


def _reading_order(statement: AnyStatement) -> tuple[Any, ...]:
    paper, _, item = statement.key.partition(".")
    rank = PAPERS.index(paper) if paper in PAPERS else len(PAPERS)
    natural = tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", item))
    return rank, paper, natural, list(Form).index(statement.form)


def _paper_modules() -> Iterator[ModuleType]:
    for paper in PAPERS:
        name = f"verify.{paper}"
        if importlib.util.find_spec(name) is None:
            continue
        package = importlib.import_module(name)
        yield package
        for info in pkgutil.walk_packages(package.__path__, prefix=f"{name}."):
            yield importlib.import_module(info.name)


@functools.cache
def registered() -> Mapping[str, AnyStatement]:
    """Every statement of the paper packages by name, read-only, in reading order; imported on the first call."""
    return collect(_paper_modules())
