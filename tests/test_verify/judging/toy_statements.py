"""Small statements with known verdicts, to test the machinery that judges the real ones."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
from mpmath import mp

from verify.judging import Assumption, Context, Control, Cost, Evidence, Form, Outcome, Source, Statement

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


def square_grows(point: Point, context: Context) -> Evidence:
    """|a| <= a^2, true for integers."""
    return Evidence.at_most(abs(point.a), bound=point.a**2, tolerance=0.0)


def below_fifty(point: Point, context: Context) -> Evidence:
    """b <= 50: false, and the simplest counterexample is b = 51."""
    return Evidence.at_most(point.b, bound=50, tolerance=0.0)


def below_fifty_exactly(point: Point) -> Evidence:
    return Evidence.at_most(float(mp.mpf(point.b)), bound=50.0, tolerance=0.0)


def needs_positive(point: Point) -> tuple[Assumption, ...]:
    return (Assumption("a > 0", float(point.a)),)


REJECTED = Control("b = 60 is above 50", lambda context: below_fifty(Point(b=60), context))
ACCEPTED = Control("b = 40 is below 50", lambda context: below_fifty(Point(b=40), context), must_hold=True)

HOLDS = Statement(
    key="toy.squares",
    form=Form.CORRECTED,
    title="Squares of integers",
    claim="|a| ≤ a²  for every integer a > 0",
    source=TOY,
    expected=Outcome.HOLDS,
    instance_type=Point,
    instances=points,
    assumptions=needs_positive,
    evidence=square_grows,
    controls=(REJECTED,),
    examples=(Point(a=3),),
    cost=FEW,
)

REFUTED = Statement(
    key="toy.bound",
    form=Form.PRINTED,
    title="A bound <script>alert('b & c')</script>",
    claim="b ≤ 50 & nothing <else>",
    source=TOY,
    expected=Outcome.REFUTED,
    instance_type=Point,
    instances=points,
    evidence=below_fifty,
    confirm=below_fifty_exactly,
    controls=(REJECTED, ACCEPTED),
    cost=FEW,
)

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
    dataclasses.replace(REFUTED, form=Form.SHARP, evidence=square_grows, expected=Outcome.HOLDS),
    VACUOUS,
    HOLDS,
)
