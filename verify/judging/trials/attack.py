"""The attack: a search for a violation among all instances that meet a statement's assumptions.

A run draws instances from the ranges that a statement states; an attack leaves them. It starts from the statement's
examples and from drawn instances, and alters those with the smallest margins: fields are scaled by up to ten, shifted,
put on or near the ends of their domains, sizes changed by one to four, seeds redrawn; at the end the real fields of the
worst instance are improved by a simplex search. An instance that the domains exclude is not made; one that fails an
assumption is not judged; one on which the evaluation breaks down is counted as one that cannot be judged.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verify.judging.domains import Each, OneOf, Range, domains_of
from verify.judging.evidence import Context
from verify.judging.instances import instance_to_json
from verify.judging.statement import AnyStatement
from verify.judging.trials.trial import drawn_instances, evaluate
from verify.judging.verdict import Attack, Record

DRAWN = 0.2
"""Share of the evaluations that go to drawn instances, from which the search starts."""

POLISHED = 0.2
"""Share of the evaluations that go to the simplex search at the end."""

ELITE = 12
"""So many of the worst records are altered further; the others only now and then."""

TRIES = 40
"""Altered instances tried for each evaluation, at most: most of them may lie outside the assumptions."""


@dataclass
class _Search:
    """One attack under way: what was tried, what was judged, and the records in order of their margins."""

    statement: AnyStatement
    context: Context
    evaluations: int
    deadline: float
    rng: np.random.Generator
    tried: int = 0
    judged: int = 0
    breakdowns: Counter[str] = field(default_factory=Counter)
    broken: list[Any] = field(default_factory=list)
    records: list[tuple[float, Record]] = field(default_factory=list)
    survivors: list[Record] = field(default_factory=list)
    seen: set[Any] = field(default_factory=set)

    @property
    def spent(self) -> bool:
        over = self.judged >= self.evaluations or self.tried >= TRIES * self.evaluations
        return over or time.monotonic() > self.deadline

    def judge(self, instance: Any) -> float:
        """The relative margin on ``instance``, infinite where it says nothing; what it says is kept."""
        self.tried += 1
        key = repr(instance)
        if key in self.seen:
            return math.inf
        self.seen.add(key)
        try:
            record = evaluate(self.statement, instance, self.context)
        except Exception as error:  # any exception of a statement's own code: a breakdown, never a crash
            self.breakdowns[f"{type(error).__name__}: {error}"[:200]] += 1
            self.broken.append(instance)
            return math.inf
        if record.unjudged:
            self.breakdowns[record.unjudged[:200]] += 1
            self.broken.append(instance)
            return math.inf
        if record.evidence is None:
            return math.inf
        self.judged += 1
        if record.failed:
            self.survivors.append(record)
        score = record.relative_margin
        self.records.insert(0, (score, record))  # the newest first among equals, so that the search moves on
        self.records.sort(key=lambda entry: entry[0])
        del self.records[20 * ELITE :]
        return score

    def parent(self) -> Any:
        worst = self.records[: ELITE if self.rng.random() < 0.7 else None]
        return worst[self.rng.integers(len(worst))][1].instance


def attack(
    statement: AnyStatement,
    context: Context,
    evaluations: int = 500,
    *,
    seconds: float = math.inf,
    seed: int = 0,
) -> Attack:
    """Search for a violation of ``statement`` among the instances that meet its assumptions.

    Args:
        statement: the statement under attack.
        context: budget and device of the evaluations; false alarms of sampled evidence are shared out over them.
        evaluations: evidence evaluations to spend; instances outside the assumptions cost none.
        seconds: the search stops then with what it has.
        seed: with the same seed and no time limit the same instances are tried.

    Returns:
        How many instances were judged, the smallest relative margin, the violations, and what could not be judged.
    """
    shared = dataclasses.replace(context, examples=max(evaluations, context.examples))
    rng = np.random.default_rng(np.random.SeedSequence((seed, 0xA77AC4)))
    search = _Search(statement, shared, evaluations, time.monotonic() + seconds, rng)
    for instance in drawn_instances(statement, context, max(1, int(DRAWN * evaluations)), seed):
        if search.spent:
            break
        search.judge(instance)
    polish_from = int((1 - POLISHED) * evaluations)
    while not search.spent and search.records and search.judged < polish_from and not search.survivors:
        _alter_once(search)
    if search.records and not search.spent and not search.survivors:
        _polish(search)
    while not search.spent and search.records and not search.survivors:  # the simplex search ended early
        _alter_once(search)
    smallest = search.records[0] if search.records else None
    return Attack(
        evaluations=search.judged,
        tried=search.tried,
        smallest_margin=None if smallest is None else smallest[0],
        closest=None if smallest is None else smallest[1],
        survivors=tuple(search.survivors),
        unjudged=dict(search.breakdowns),
        unjudged_examples=tuple(instance_to_json(instance) for instance in search.broken[:3]),
    )


def _alter_once(search: _Search) -> None:
    parent = search.parent()
    kind = type(parent)
    names = [f.name for f in dataclasses.fields(kind)]
    values = {name: getattr(parent, name) for name in names}
    domains = domains_of(kind)
    for index in search.rng.permutation(len(names))[: 1 + search.rng.integers(3)]:
        name = names[index]
        values[name] = altered_value(name, values[name], domains.get(name), search.rng)
    try:
        instance = kind(**values)
    except (ValueError, TypeError):  # the domain excludes it
        search.tried += 1
        return
    search.judge(instance)


def altered_value(name: str, value: Any, domain: Any, rng: np.random.Generator) -> Any:
    """Another value of a field: scaled, shifted, at or near an end of its domain, another choice or another seed."""
    if name == "seed":
        return int(rng.integers(2**16))
    if isinstance(domain, OneOf):
        return domain.values[rng.integers(len(domain.values))]
    if isinstance(domain, Each) and isinstance(value, tuple):
        return _altered_tuple(value, domain, rng)
    if isinstance(value, bool):
        return bool(rng.integers(2))
    if isinstance(value, int):
        return _clipped(value + int(rng.integers(1, 5)) * int(rng.choice((-1, 1))), domain)
    if isinstance(value, float):
        return _clipped(_altered_real(value, domain, rng), domain)
    return value


def _altered_tuple(value: tuple[Any, ...], domain: Each, rng: np.random.Generator) -> tuple[Any, ...]:
    items = list(value)
    if items and rng.random() < 0.2 and len(items) > domain.shortest:
        items.pop(int(rng.integers(len(items))))
    elif items and rng.random() < 0.2 and (domain.longest is None or len(items) < domain.longest):
        items.append(items[int(rng.integers(len(items)))])
    if items:
        at = int(rng.integers(len(items)))
        items[at] = altered_value("", items[at], domain.item, rng)
    return tuple(items)


def _altered_real(value: float, domain: Any, rng: np.random.Generator) -> float:
    ends = [e for e in (domain.low, domain.high) if math.isfinite(e)] if isinstance(domain, Range) else []
    way = rng.integers(5)
    if way == 0 and ends:
        end = float(ends[rng.integers(len(ends))])
        inwards = 1.0 if end == domain.low else -1.0
        return end + inwards * float(rng.choice((0.0, 10.0 ** rng.uniform(-12, -1))))
    if way == 1:
        return value + float(rng.uniform(-0.3, 0.3))
    if way == 2:
        return float(value * (1 + 10.0 ** rng.uniform(-8, -1) * rng.choice((-1, 1))))
    return float(value * 10.0 ** rng.uniform(-1, 1))


def _clipped(value: Any, domain: Any) -> Any:
    if not isinstance(domain, Range):
        return value
    inside = min(max(value, domain.low), domain.high)
    return int(inside) if isinstance(value, int) else float(inside)


def _polish(search: _Search) -> None:
    """Improve the real fields of the worst instance by a simplex search on the relative margin."""
    from scipy.optimize import minimize

    worst = search.records[0][1].instance
    domains = domains_of(type(worst))
    reals = [f.name for f in dataclasses.fields(worst) if isinstance(getattr(worst, f.name), float)]
    if not reals:
        while not search.spent and not search.survivors:
            _alter_once(search)
        return
    start = np.array([getattr(worst, name) for name in reals])

    def margin(x: np.ndarray[Any, Any]) -> float:
        if search.spent or search.survivors:
            raise _SpentError
        changes = {n: _clipped(float(v), domains.get(n)) for n, v in zip(reals, x, strict=True)}
        try:
            score = search.judge(dataclasses.replace(worst, **changes))
        except (ValueError, TypeError):
            search.tried += 1
            return 1e300
        return min(score, 1e300)

    with contextlib.suppress(_SpentError):
        minimize(
            margin,
            start,
            method="Nelder-Mead",
            options={"maxfev": search.evaluations, "xatol": 0, "fatol": 0},
        )


class _SpentError(Exception):
    """The budget of the attack is spent."""
