"""An assumption: words and a signed margin, both made from one number, so that they cannot part.

``Assumption.at_least("b", threshold, 0.5)`` says "b ≥ 0.5" and tests just that, the edge included. A slack that the
code needs is a number like any other: it is handed over, and so it stands in the words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dynamics.validation import shown

Number = float | Fraction
"""A threshold: what a float is, or a fraction to be shown as one."""

_PARTS_OF_PI = {math.pi * p / q: (p, q) for q in (10, 6, 4, 3, 2, 1) for p in (1, 2, 3)}


@dataclass(frozen=True)
class Assumption:
    """A hypothesis of the statement on one instance: its words, and how far inside it the instance lies.

    Made by :meth:`at_least` and its like, or by :meth:`that` where the words speak of no number.

    Attributes:
        name: the words.
        margin: > 0 inside, < 0 outside; NaN where the quantity cannot be evaluated, which is outside too.
        closed: whether the edge, a margin of 0, is inside.
    """

    name: str
    margin: float
    closed: bool = False

    @property
    def satisfied(self) -> bool:
        return self.margin > 0 or (self.closed and self.margin == 0)

    @classmethod
    def at_least(cls, quantity: str, value: float, threshold: Number, unit: str = "") -> Assumption:
        """``value >= threshold``; ``quantity`` is the noun of the value."""
        return cls(_words(quantity, "≥", threshold, unit), float(value) - float(threshold), closed=True)

    @classmethod
    def at_most(cls, quantity: str, value: float, threshold: Number, unit: str = "") -> Assumption:
        """``value <= threshold``; ``quantity`` is the noun of the value."""
        return cls(_words(quantity, "≤", threshold, unit), float(threshold) - float(value), closed=True)

    @classmethod
    def above(cls, quantity: str, value: float, threshold: Number, unit: str = "") -> Assumption:
        """``value > threshold``; ``quantity`` is the noun of the value."""
        return cls(_words(quantity, ">", threshold, unit), float(value) - float(threshold))

    @classmethod
    def below(cls, quantity: str, value: float, threshold: Number, unit: str = "") -> Assumption:
        """``value < threshold``; ``quantity`` is the noun of the value."""
        return cls(_words(quantity, "<", threshold, unit), float(threshold) - float(value))

    @classmethod
    def equal(cls, quantity: str, value: float, target: Number = 0.0, *, within: float = 0.0) -> Assumption:
        """``|value - target| <= within``; with nothing said, equal to the last digit."""
        words = _words(quantity, "=", target, f"within {in_words(within)}" if within else "")
        return cls(words, within - abs(float(value) - float(target)), closed=True)

    @classmethod
    def that(cls, words: str, fact: bool, *, by: float = 1.0) -> Assumption:
        """A fact that is so or not; ``words`` without a number, which one of the others would have to test.

        ``by``: how far the instance is from the edge, for a search that climbs towards it; it decides nothing.
        """
        distance = abs(by) or 1.0
        return cls(words, distance if fact else -distance)


def as_assumptions(found: Any) -> tuple[Assumption, ...]:
    """What a statement's assumptions came to; raises TypeError, saying what came, where that is anything else."""
    if isinstance(found, Iterable) and not isinstance(found, str):
        assumptions = tuple(found)
        if all(isinstance(assumption, Assumption) for assumption in assumptions):
            return assumptions
    raise TypeError(f"assumptions: expected a tuple of Assumption, got {shown(found)}")


def in_words(number: Number) -> str:
    """``number`` in the fewest digits that give it back; parts of π and fractions as such."""
    if isinstance(number, Fraction):
        return str(number)
    value = float(number)
    if value in _PARTS_OF_PI:
        p, q = _PARTS_OF_PI[value]
        return f"{p if p > 1 else ''}π{f'/{q}' if q > 1 else ''}"
    digits = repr(value).removesuffix(".0").replace("e-0", "e-")
    return digits.replace("-", "−", 1) if digits.startswith("-") else digits


def _words(quantity: str, relation: str, threshold: Number, unit: str) -> str:
    return f"{quantity} {relation} {in_words(threshold)} {unit}".rstrip()
