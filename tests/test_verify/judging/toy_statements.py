"""Small statements with known verdicts, to test the machinery that judges the real ones."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
from mpmath import mp

from luckproof import Assumption, Context, Cost, Evidence, Form, Item, Outcome, Source

TOY = Source("Toy paper", "Proposition 1")
FEW = Cost(40, 80, 120)


@dataclass(frozen=True)
class Point:
    """Two integers and an angle-like number."""

    a: int = 1
    b: int = 0
    scale: float = 1.0


def points(budget: Any) -> st.SearchStrategy[Point]:
    return st.builds(Point, st.integers(-100, 100), st.integers(0, 1000), st.floats(0.5, 2.0))


def below_fifty_exactly(point: Point) -> Evidence:
    return Evidence.at_most(float(mp.mpf(point.b)), bound=50.0, tolerance=0.0)


def needs_positive(point: Point) -> tuple[Assumption, ...]:
    return (Assumption("a > 0", float(point.a)),)


@Item("toy.squares", TOY).claim(
    "corrected",
    expected="holds",
    on=Point,
    draw=points,
    assume=needs_positive,
    examples=(Point(a=3),),
    cost=FEW,
)
def square_grows(point: Point, context: Context) -> Evidence:
    """Squares of integers

    |a| ≤ a²  for every integer a > 0
    """
    return Evidence.at_most(abs(point.a), bound=point.a**2, tolerance=0.0)


@Item("toy.bound", TOY).claim(
    "printed", expected="refuted", on=Point, draw=points, confirm=below_fifty_exactly, cost=FEW
)
def below_fifty(point: Point, context: Context, *, bound: float = 50.0) -> Evidence:
    """A bound <script>alert('b & c')</script>

    b ≤ 50 & nothing <else>
    """
    return Evidence.at_most(point.b, bound=bound, tolerance=0.0)


below_fifty.rejects("b = 60 is above 50", Point(b=60))
below_fifty.accepts("b = 40 is below 50", Point(b=40))
square_grows.rejects_variant("b = 60 is above 50", below_fifty.evidence, Point(b=60))

HOLDS, REFUTED = square_grows, below_fifty

VACUOUS = dataclasses.replace(
    HOLDS,
    key="toy.never",
    title="An assumption that is never met",
    expected=Outcome.VACUOUS,
    assumptions=lambda point: (Assumption("a > 100", point.a - 100.0),),
    examples=(),
)

ALL = (
    REFUTED,
    dataclasses.replace(REFUTED, form=Form.SHARP, evidence=square_grows.evidence, expected=Outcome.HOLDS),
    VACUOUS,
    HOLDS,
)
