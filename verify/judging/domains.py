"""Domains: what a field of an instance may be at all, wider than the range it is drawn from.

Outside its domain an instance cannot be made. Inside it a claim must be true wherever its assumptions are met, which is
what an attack searches (:mod:`verify.judging.trials.attack`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from dynamics.boundary import checked
from dynamics.validation import integer, is_integer, is_real, shown

DOMAIN = "luckproof domain"
"""Key of a field's domain in its metadata."""


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``; integers only where ``integer``; an open end is not in it."""

    low: float
    high: float
    integer: bool = False
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: object) -> bool:
        if not (is_integer(value) if self.integer else is_real(value)):
            return False
        try:
            number = float(value)  # type: ignore[arg-type]  # real, as was just seen
        except OverflowError:  # beyond the largest float
            return False
        above = number > self.low if self.low_open else number >= self.low
        below = number < self.high if self.high_open else number <= self.high
        return math.isfinite(number) and above and below

    def __str__(self) -> str:
        kind = "an integer" if self.integer else "a finite number"
        ends = []
        if self.low > -math.inf:
            ends.append(f"{'>' if self.low_open else '>='} {self.low:g}")
        if self.high < math.inf:
            ends.append(f"{'<' if self.high_open else '<='} {self.high:g}")
        return f"{kind} {' and '.join(ends)}".rstrip()


@dataclass(frozen=True)
class OneOf:
    """One of a few values."""

    values: tuple[Hashable, ...]

    def __contains__(self, value: object) -> bool:
        return any(type(value) is type(known) and value == known for known in self.values)

    def __str__(self) -> str:
        return f"one of {', '.join(map(repr, self.values))}"


@dataclass(frozen=True)
class Each:
    """Tuples whose every item lies in ``item``, ``shortest`` to ``longest`` of them."""

    item: Range | OneOf | Each
    shortest: int = 0
    longest: int | None = None

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, tuple) or not self.shortest <= len(value) <= (self.longest or math.inf):
            return False
        return all(item in self.item for item in value)

    def __str__(self) -> str:
        most = "" if self.longest is None else f" to {self.longest}"
        return f"a tuple of {self.shortest}{most} items, each {self.item}"


Domain = Range | OneOf | Each


def integers(low: int, high: int | None = None) -> Range:
    """Integers from ``low`` to ``high`` (None: no upper end); raises TypeError where these are none."""
    low, high = integer("low", low), None if high is None else integer("high", high)
    return Range(low, math.inf if high is None else high, integer=True)


@checked
def reals(
    low: float = -math.inf, high: float = math.inf, *, low_open: bool = False, high_open: bool = False
) -> Range:
    """Finite numbers from ``low`` to ``high``; raises TypeError where these are no numbers."""
    _check_end("low", low)
    _check_end("high", high)
    return Range(low, high, low_open=low_open, high_open=high_open)


def _check_end(name: str, end: Any) -> None:
    if not is_real(end):
        raise TypeError(f"{name}: expected a real number, got {shown(end)}")


SEED = integers(0, 2**32 - 1)
"""Seeds: any of them may be taken."""


class Instance:
    """Base of the instances of statements: a frozen dataclass that cannot be made outside the domains of its fields.

    Raises ``ValueError`` naming field, domain and value, or with what :meth:`impossible` says.
    """

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            domain, value = field.metadata.get(DOMAIN), getattr(self, field.name)
            if domain is not None and value not in domain:
                raise ValueError(f"{type(self).__name__}.{field.name}: expected {domain}, got {value!r}")
        reason = self.impossible()
        if reason:
            raise ValueError(f"{type(self).__name__}: {reason}, got {self!r}")

    def impossible(self) -> str:
        """What rules this combination of fields out, as ``expected …``; empty where there is such an instance."""
        return ""


def domains_of(kind: type[Any]) -> dict[str, Domain]:
    """The domains of the fields of an instance type, by name."""
    found = {f.name: f.metadata.get(DOMAIN) for f in dataclasses.fields(kind)}
    return {name: domain for name, domain in found.items() if domain is not None}
