"""Statements collected from modules, each held to what a verdict rests on, in reading order."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any

from verify.judging.catalogue import PAPERS
from verify.judging.origin import is_own, place_of
from verify.judging.statement import AnyStatement, Statement
from verify.judging.vocabulary import Form, Outcome

FAILURES = (Outcome.REFUTED, Outcome.NEEDED, Outcome.NOT_OBSERVED)
"""Outcomes that rest on a confirmed failure of the claim."""

_KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


def collect(modules: Iterable[ModuleType]) -> Mapping[str, AnyStatement]:
    """The statements of ``modules`` by name, in reading order: paper, key (numbers as numbers), form.

    The same object seen twice (imported from a sibling) counts once.

    Raises:
        ValueError: two different statements share a name, or one is incomplete (:func:`validate`).
    """
    found: dict[str, AnyStatement] = {}
    for module in modules:
        for statement in statements_in(module):
            validate(statement)
            if found.setdefault(statement.name, statement) is not statement:
                raise ValueError(
                    f"{_place(statement)}statement {statement.name} is defined twice, again in {module.__name__}"
                )
    return MappingProxyType({s.name: s for s in sorted(found.values(), key=_reading_order)})


def validate(statement: AnyStatement) -> None:
    """Refuse a statement that lacks what a verdict rests on.

    Raises:
        ValueError: naming the statement, the missing part and, for one's own, its place.
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
            (
                bool(_unheard(statement)),
                f"controls that alter what its evidence takes, not {_unheard(statement)}",
            ),
            (not _is_plain_data(statement.instance_type), "instances that are a frozen dataclass"),
            (statement.instances is None and not statement.examples, "instances or examples"),
            (
                not all(isinstance(example, statement.instance_type) for example in statement.examples),
                f"examples of its instances' type {statement.instance_type.__name__}",
            ),
            (
                statement.expected in FAILURES and statement.confirm is None,
                "a confirmation by .confirmed_precisely or .replicated (a failure is believed only after an "
                "independent evaluation)",
            ),
            (
                statement.expected not in outcomes_of(statement),
                f"an expected outcome that it can have ({', '.join(outcomes_of(statement))}; got {statement.expected})",
            ),
        )
        if absent
    ]
    if missing:
        raise ValueError(f"{_place(statement)}statement {statement.name}: needs {'; '.join(missing)}")


def _unheard(statement: AnyStatement) -> str:
    """The arguments that a control alters and the evidence does not take, with those that it takes."""
    parameters = inspect.signature(statement.evidence).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return ""
    taken = [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    altered = {name for c in statement.controls if c.evidence is statement.evidence for name in c.altered}
    unheard = ", ".join(sorted(altered - set(taken)))
    return f"{unheard} (it takes {', '.join(taken) or 'none'})" if unheard else ""


def outcomes_of(statement: AnyStatement) -> tuple[Outcome, ...]:
    """The outcomes that a statement can have: a necessity and an empirical claim have words of their own."""
    if statement.form is Form.NECESSITY:
        return Outcome.NEEDED, Outcome.NOT_NEEDED, Outcome.INCONCLUSIVE
    if statement.population:
        return Outcome.OBSERVED, Outcome.NOT_OBSERVED, Outcome.INCONCLUSIVE
    return Outcome.HOLDS, Outcome.REFUTED, Outcome.VACUOUS, Outcome.INCONCLUSIVE


def complete(statement: AnyStatement) -> AnyStatement:
    """``statement`` where :func:`validate` finds nothing missing."""
    validate(statement)
    return statement


def statements_in(module: ModuleType | SimpleNamespace) -> Iterator[AnyStatement]:
    """The statements among a module's values, and in tuples and lists among them."""
    for value in vars(module).values():
        candidates = value if isinstance(value, tuple | list) else (value,)
        yield from (candidate for candidate in candidates if isinstance(candidate, Statement))


def _is_plain_data(kind: type[Any]) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return dataclasses.is_dataclass(kind) and bool(parameters and parameters.frozen)


def _place(statement: AnyStatement) -> str:
    """``mytheorem.py:12: ``, the place of a statement of one's own; nothing for the papers', which names lead to."""
    place = place_of(statement.evidence) if is_own(statement.evidence) else ""
    return f"{place}: " if place else ""


def _reading_order(statement: AnyStatement) -> tuple[Any, ...]:
    paper, _, item = statement.key.partition(".")
    rank = PAPERS.index(paper) if paper in PAPERS else len(PAPERS)
    natural = tuple((int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", item))
    return rank, paper, natural, list(Form).index(statement.form)
