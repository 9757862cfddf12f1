"""Balls: floats enter exactly or not at all, and nothing is decided that the radius leaves open."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luckproof import Instance
from verify.judging.enclosing.balls import REAL, Ball, UndecidedError, interval, largest, least
from verify.judging.enclosing.enclosure import as_drawn, as_fraction, exactly
from verify.luckmatters.lemma4 import OnBall

flint = pytest.importorskip("flint")

THIRD = Ball(1) / 3


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_is_taken_exactly(value):
    """As the dyadic rational that it is, and back."""
    assert as_fraction(Ball(value)) == Fraction(value)


@pytest.mark.parametrize(
    "leak",
    [
        lambda x: x * 0.1,
        lambda x: 0.1 * x,
        lambda x: x + 0.5,
        lambda x: 1.0 - x,
        lambda x: x < 0.5,
        lambda x: np.float64(2.0) * x,
        lambda x: np.array([1.0]) * x,
        lambda x: math.sin(x),
        lambda x: float(x),
        lambda x: np.sqrt(x),
        lambda x: x**0.5,
        lambda x: x * "1",
    ],
)
def test_floats_are_refused(leak):
    """Arithmetic with floats, functions of floats, conversions."""
    with pytest.raises(TypeError):
        leak(THIRD)


def test_overlapping_balls_are_not_compared():
    """Neither order nor equality is guessed; disjoint balls and exact numbers are decided."""
    for compare in (
        lambda: Ball(1) / 3 < THIRD,
        lambda: Ball(1) / 3 == THIRD,
        lambda: Ball(1) / 3 <= THIRD,
        lambda: bool(THIRD * 3 - 1),
    ):
        with pytest.raises(UndecidedError):
            compare()
    assert THIRD < 1
    assert THIRD > 0
    assert Ball(0.5) == Ball(1) / 2
    assert not Ball(0)
    assert min(Ball(1), Ball(2)) == 1


def test_the_least_of_overlapping_balls_holds_both_candidates():
    """``least`` and ``largest`` decide nothing and hold the truth."""
    wide = interval(0, 2)
    for found, end in ((least(wide, 1), 0), (largest(wide, 1), 2)):
        assert found.arb.contains(1)
        assert found.arb.contains(end)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_functions_hold_their_values(x, y):
    """Against the float functions, to their rounding."""
    for ball, value in (
        (REAL.sin(Ball(x)), math.sin(x)),
        (REAL.cos(Ball(x)), math.cos(x)),
        (REAL.atan2(Ball(x), Ball(y)), math.atan2(x, y)) if x else (Ball(0), 0.0),
        (REAL.sqrt(Ball(x) ** 2), abs(x)),
    ):
        assert abs(float(ball.arb.mid()) - value) <= 1e-15 * max(1.0, abs(value)) + float(ball.arb.rad())


def test_instances_are_made_exact_beside_their_domains():
    """Floats become balls, integers and texts stay; the drawn instance is at hand; the original is untouched."""
    drawn = OnBall(theta0=0.7, near=1.0, d=3)
    exact = exactly(drawn)
    assert isinstance(exact, Instance)
    assert exact.theta0 == Ball(0.7)
    assert exact.d == 3
    assert type(exact.d) is int
    assert as_drawn(exact) is drawn
    assert drawn.theta0 == 0.7
    assert exactly({"x": (0.5, True)})["x"][1] is True


@pytest.mark.parametrize("wrong", ["1", None, [1], 1j])
def test_a_ball_is_made_of_numbers(wrong):
    """One error that shows the value."""
    with pytest.raises(TypeError, match="a ball is made from"):
        Ball(wrong)
