"""A control decides: an undecided one passes neither way, and one that was rejected says by how many tolerances."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest

from luckproof import Control, Evidence, Item, judge, make_context
from tests.test_verify.judging.toy_statements import FEW, TOY
from verify.judging.controls import tolerance_factor

CONTEXT = make_context("quick", "cpu", 0)


@dataclass(frozen=True)
class Size:
    """A size."""

    n: int = 1


def below_thirty(size: Size, context, *, bound: float = 30.0) -> Evidence:
    """Sizes stay below thirty

    n ≤ 30
    """
    return Evidence.at_most(size.n, bound=bound, tolerance=0.01)


def test_an_undecided_control_does_not_pass():
    """Too large a sampling error rejects nothing and accepts nothing."""
    for must_hold, margin in ((False, -1e-9), (True, 1e-9)):
        undecided = Evidence(predicted=0, measured=0, margin=margin, standard_error=1.0, inconclusive=True)
        assert not Control("x", lambda i, c, e=undecided: e, Size(), must_hold=must_hold).passed(CONTEXT)


@pytest.mark.parametrize("margin", [math.nan, math.inf])
@pytest.mark.parametrize("must_hold", [False, True])
def test_a_control_without_a_margin_does_not_pass(must_hold, margin):
    """An evaluation that broke down rejects nothing either; the least of an empty set accepts nothing."""
    broken = Evidence(predicted=0, measured=0, margin=margin)
    assert not Control("x", lambda i, c: broken, Size(), must_hold=must_hold).passed(CONTEXT)


def test_an_undecided_control_is_named_in_the_verdict():
    """The verdict is not the expected one, and says which control the sampling error left open."""
    claim = Item("toy.sizes", TOY).claim("printed", expected="holds", on=Size, examples=(Size(),), cost=FEW)
    statement = claim(below_thirty)
    statement.rejects_variant(
        "noise", lambda i, c: Evidence(predicted=0, measured=0, margin=-1e-9, inconclusive=True), Size()
    )
    verdict = judge(statement, CONTEXT)
    assert not verdict.as_expected
    assert "'noise' is not decided" in verdict.message


@pytest.mark.parametrize(
    ("evidence", "factor"),
    [
        (Evidence.at_most(31.0, bound=30.0, tolerance=0.1), 10.0),
        (Evidence.close(0.0, predicted=5.0, tolerance=0.5), 10.0),
        (Evidence.at_most(29.0, bound=30.0, tolerance=0.1), None),
        (Evidence.at_most(31.0, bound=30.0, tolerance=0.0), None),
        (Evidence(predicted=0, measured=0, margin=math.nan, tolerance=0.1), None),
    ],
    ids=["above a bound", "far from a value", "accepted", "no tolerance", "broken"],
)
def test_the_tolerance_factor_is_where_the_control_would_be_accepted(evidence, factor):
    """With a tolerance K times as large the rejected evidence is exactly at the edge."""
    assert tolerance_factor(evidence) == (None if factor is None else pytest.approx(factor))


def test_the_verdict_has_the_factor_of_each_rejected_control():
    """n = 31 lies a hundred tolerances of 0.01 above thirty; an accepted control has none."""
    claim = Item("toy.sizes", TOY).claim("printed", expected="holds", on=Size, examples=(Size(),), cost=FEW)
    statement = claim(below_thirty)
    statement.rejects("thirty-one", Size(n=31))
    statement.accepts("thirty-one below forty", Size(n=31), bound=40.0)
    statement.rejects_moved("n larger by 0.5", Size(n=30), by=0.5)
    factors = judge(statement, CONTEXT).tolerance_factors
    assert factors == {"thirty-one": pytest.approx(100.0), "n larger by 0.5": pytest.approx(50.0)}


@pytest.mark.parametrize(
    ("evidence", "measured"),
    [
        (Evidence.at_most(2.0, bound=3.0, tolerance=0.1), 2.5),
        (Evidence(predicted=2.0, measured=3.0, margin=1.1, tolerance=0.1), 2.5),
        (Evidence.close(2.0, predicted=3.0, tolerance=0.1), 1.5),
        (Evidence.close(4.0, predicted=3.0, tolerance=0.1), 4.5),
    ],
    ids=["from an upper bound", "from a lower bound", "from above", "from below"],
)
def test_a_moved_measurement_is_moved_against_the_claim(evidence, measured):
    """Whatever the relation, the margin falls by the length of the move."""
    moved = evidence.moved(0.5)
    assert moved.measured == measured
    assert moved.margin == pytest.approx(evidence.margin - 0.5)
