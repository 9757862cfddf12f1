"""The words of an assumption and what it tests come from one number: they cannot drift apart."""

from __future__ import annotations

import math
import operator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from luckproof import Assumption
from verify.judging.assumption import in_words

RELATIONS = {
    "≥": (Assumption.at_least, operator.ge),
    "≤": (Assumption.at_most, operator.le),
    ">": (Assumption.above, operator.gt),
    "<": (Assumption.below, operator.lt),
}
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)


def read(words: str) -> float:
    """The number that :func:`in_words` wrote."""
    words = words.replace("−", "-")
    if "π" in words:
        numerator, _, denominator = words.partition("/")
        return math.pi * float(numerator.replace("π", "") or 1) / float(denominator or 1)
    return float(Fraction(words))


@given(NUMBERS)
@example(0.499)
@example(1e-6)
@example(math.pi / 2)
@example(2 * math.pi / 3)
@example(-0.999)
@example(float(np.nextafter(math.pi, 4)))
def test_a_number_in_words_gives_itself_back(number):
    """To the last digit: 0.499 is never written as 1/2, nor the float after π as π."""
    assert read(in_words(number)) == number


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (3, "3"),
        (0.5, "0.5"),
        (1e-6, "1e-6"),
        (Fraction(1, 3), "1/3"),
        (math.pi / 4, "π/4"),
        (-1e-10, "−1e-10"),
    ],
)
def test_numbers_are_short(number, words):
    """As a reader would write them."""
    assert in_words(number) == words


@pytest.mark.parametrize("relation", RELATIONS)
@given(threshold=st.floats(-1e6, 1e6), step=st.sampled_from([-1.0, -1e-12, 0.0, 1e-12, 1.0]))
def test_the_words_are_what_is_tested(relation, threshold, step):
    """At the number in the words, beside it and farther off: satisfied just where the words are true."""
    make, compare = RELATIONS[relation]
    for value in (threshold + step, np.nextafter(threshold, np.inf), np.nextafter(threshold, -np.inf)):
        assumption = make("b", value, threshold, unit="rad")
        noun, written, number, unit = assumption.name.split(" ")
        assert (noun, written, unit) == ("b", relation, "rad")
        assert assumption.satisfied == compare(value, read(number))


@given(target=st.floats(-10, 10), off=st.floats(-2e-6, 2e-6))
@example(0.0, 1e-6)
@example(0.0, -1e-6)
def test_equality_says_within_what(target, off):
    """Within the length that stands in the words, and to the last digit where none does."""
    near = Assumption.equal("v", target + off, target, within=1e-6)
    assert near.name == f"v = {in_words(target)} within 1e-6"
    assert near.satisfied == (abs(target + off - target) <= 1e-6)
    exact = Assumption.equal("v", target + off, target)
    assert exact.name == f"v = {in_words(target)}"
    assert exact.satisfied == (target + off == target)


@pytest.mark.parametrize("make", [*(make for make, _ in RELATIONS.values()), Assumption.equal])
def test_what_cannot_be_evaluated_is_outside(make):
    """NaN meets no threshold, at the edge or off it."""
    assert not make("b", math.nan, 0.0).satisfied


@pytest.mark.parametrize("fact", [True, False])
def test_a_fact_is_so_or_not(fact):
    """With a margin on the right side, towards which a search can climb."""
    assert Assumption.that("no bias", fact).satisfied == fact
    assert (Assumption.that("no bias", fact).margin > 0) == fact


@pytest.mark.parametrize("closed", [True, False])
def test_only_a_closed_edge_is_inside(closed):
    """b ≥ 0.5 takes 0.5, b > 0.5 does not."""
    assert Assumption("b", 0.0, closed).satisfied == closed
