"""The margin of a claim on one instance, enclosed: proved, equal, undecided or violated."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from verify.judging.enclosing.balls import Ball, Exact, UndecidedError

PRECISIONS = (64, 256, 1024, 4096)
"""Bits of the working precision, raised until the margin's sign is known."""

EQUAL_FROM = 256
"""A claim of equality is held to balls of so many bits at least: they must contain zero."""

_DRAWN = "_drawn"


class EnclosedOutcome(StrEnum):
    """What the enclosed margin says of the claim on one instance."""

    PROVED = "proved"
    """No number in the ball is negative."""
    EQUAL = "equal"
    """The margin is exactly zero: the bound is attained, or an identity holds in exact arithmetic."""
    UNDECIDED = "undecided"
    """The ball holds numbers of both signs at the highest precision."""
    VIOLATED = "violated"
    """Every number in the ball is negative: the claim is false here."""


@dataclass(frozen=True)
class Attained:
    """A margin that is exactly zero by an argument, ``because``.

    ``margin`` is its enclosure without that argument, which must contain zero.
    """

    margin: Ball
    because: str


Margin = Ball | Fraction | int | Attained
"""What an enclosing function returns: a ball, an exact number, or a margin with the argument why it is zero."""

Enclosing = Callable[..., Margin | None]
"""``enclose(instance, *, altered arguments)``: the margin; None where the instance is out of the formula's reach."""


@dataclass(frozen=True)
class Enclosed:
    """The enclosed margin of one instance.

    Attributes:
        outcome: what it says.
        bits: working precision that it took; 0 for exact fractions.
        low, high: floats below and above the margin.
        because: why the margin is zero, where an argument says so.
    """

    outcome: str
    bits: int
    low: float
    high: float
    because: str = ""

    def __str__(self) -> str:
        within = f"{self.bits} bits, in [{self.low:.6g}, {self.high:.6g}]" if self.bits else "in fractions"
        value = "" if self.bits or not self.low else f", {self.low:.6g}"
        reason = f": {self.because}" if self.because else ""
        return f"{self.outcome} ({within}{value}){reason}"


def exactly(value: Any) -> Any:
    """``value`` with its floats as balls: of an instance the fields, of a tuple the items, of a mapping the values.

    A field whose default is a float counts as one where it holds an integer.
    """
    if isinstance(value, float):
        return Ball(value)
    if isinstance(value, tuple):
        return tuple(exactly(item) for item in value)
    if isinstance(value, Mapping):
        return {name: exactly(item) for name, item in value.items()}
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    twin = copy.copy(value)  # not by its constructor, whose domains are those of floats
    for field in dataclasses.fields(value):
        part = getattr(value, field.name)
        real = isinstance(field.default, float) and type(part) is int
        object.__setattr__(twin, field.name, Ball(part) if real else exactly(part))
    object.__setattr__(twin, _DRAWN, value)
    return twin


def as_drawn(instance: Any) -> Any:
    """The instance that ``instance`` was made exact from, for arrays drawn in floats and then taken exactly."""
    return getattr(instance, _DRAWN)


def as_fraction(value: Exact) -> Fraction:
    """The number that a ball without radius is: a float64 of an instance or of an altered claim."""
    if not Ball(value).arb.is_exact():
        raise TypeError(f"expected a number made exact, got {value!r}")
    mantissa, exponent = Ball(value).arb.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def exact_margin(
    function: Enclosing, instance: Any, altered: Mapping[str, Any] | None = None
) -> Margin | None:
    """The margin in the working precision, of an instance made exact (:func:`exactly`); may be undecided.

    ``altered`` and the defaults of what is not altered are made exact here.
    """
    parameters = inspect.signature(function).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    return function(instance, **exactly(defaults | dict(altered or {})))


def enclose(function: Enclosing, instance: Any, altered: Mapping[str, Any] | None = None) -> Enclosed | None:
    """The enclosed margin of ``instance``, in as many bits as it takes; None where it is out of reach.

    Args:
        function: the statement's own, of the instance with exact fields.
        instance: as it was drawn.
        altered: keyword arguments of an altered claim.

    Cost: one evaluation of ``function`` for each precision tried, mostly one.

    Raises:
        ImportError: python-flint is not installed.
        ArithmeticError: a margin that is said to be zero and is not.
    """
    from flint import ctx

    last = Enclosed(str(EnclosedOutcome.UNDECIDED), PRECISIONS[-1], -math.inf, math.inf)
    for bits in PRECISIONS:
        with ctx.workprec(bits):
            try:
                margin = exact_margin(function, exactly(instance), altered)
            except UndecidedError:
                continue
            if margin is None:
                return None
            last = _judged(margin, bits)
            if last.outcome != EnclosedOutcome.UNDECIDED:
                return last
    return last


def _judged(margin: Margin, bits: int) -> Enclosed:
    if isinstance(margin, Fraction | int):
        sign = EnclosedOutcome.PROVED if margin > 0 else EnclosedOutcome.VIOLATED
        outcome = sign if margin else EnclosedOutcome.EQUAL
        return Enclosed(str(outcome), 0, *_ends(Ball(margin)))
    if isinstance(margin, Attained):
        if not margin.margin.may_be_zero:
            raise ArithmeticError(
                f"the margin is {margin.margin!r} where it is zero because {margin.because}"
            )
        outcome = EnclosedOutcome.EQUAL if bits >= EQUAL_FROM else EnclosedOutcome.UNDECIDED
        return Enclosed(str(outcome), bits, *_ends(margin.margin), because=margin.because)
    ball = margin.arb
    if ball.is_zero():
        outcome = EnclosedOutcome.EQUAL
    elif ball >= 0:
        outcome = EnclosedOutcome.PROVED
    else:
        outcome = EnclosedOutcome.VIOLATED if ball < 0 else EnclosedOutcome.UNDECIDED
    return Enclosed(str(outcome), bits, *_ends(margin))


def _ends(ball: Ball) -> tuple[float, float]:
    """Floats below and above every number of the ball."""
    if ball.arb.is_zero():
        return 0.0, 0.0
    low = math.nextafter(float(ball.arb.lower()), -math.inf)
    high = math.nextafter(float(ball.arb.upper()), math.inf)
    # A margin smaller than any float keeps its sign.
    return max(low, 0.0) if ball.arb >= 0 else low, min(high, -0.0) if ball.arb < 0 else high


@dataclass(frozen=True)
class EnclosureCounts:
    """How many of the judged instances came to each outcome; ``beyond`` those out of the formula's reach.

    ``because``: the arguments for equality, with how often each was used.
    """

    judged: int
    proved: int
    equal: int
    undecided: int
    violated: int
    beyond: int
    bits: int
    because: Mapping[str, int]

    @classmethod
    def of(cls, found: Sequence[Enclosed | None]) -> EnclosureCounts:
        """The counts of the enclosed margins of all judged instances."""
        there = [entry for entry in found if entry is not None]
        counts = {outcome: sum(entry.outcome == outcome for entry in there) for outcome in EnclosedOutcome}
        because: dict[str, int] = {}
        for entry in there:
            if entry.because:
                because[entry.because] = because.get(entry.because, 0) + 1
        return cls(
            judged=len(found),
            **{str(outcome): count for outcome, count in counts.items()},
            beyond=len(found) - len(there),
            bits=max((entry.bits for entry in there), default=0),
            because=because,
        )

    def __str__(self) -> str:
        named = (
            ("equal", self.equal),
            ("undecided", self.undecided),
            ("violated", self.violated),
            ("not enclosed", self.beyond),
        )
        shown = [("proved", self.proved), *named]
        (first, count), *rest = [(name, count) for name, count in shown if count] or shown[:1]
        words = [f"{first} on {count:,} of {self.judged:,}"]
        return ", ".join(words + [f"{name} on {count:,}" for name, count in rest])
