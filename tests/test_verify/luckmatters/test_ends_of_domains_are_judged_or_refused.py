"""Near the ends of their domains Lemma 4 and Assumption 3 are judged as finely as rounding allows, or say why not."""

from __future__ import annotations

import math
import warnings

import pytest

from luckproof import CannotJudgeError, make_context
from verify.luckmatters.assumption3 import OverlapInstance, overlap_has_the_closed_form
from verify.luckmatters.lemma4 import OnBall, falls_off_with_the_constant_of_the_ball

CONTEXT = make_context("quick", "cpu", 0)


@pytest.mark.parametrize("short", [1e-1, 1e-2, 1e-4, 1e-6])
def test_lemma4_is_tight_near_the_antipode(short):
    """Both sides come to 1/2 there; a tolerance that grew like 1/short³ was 0.46 at 1e-4 and 2e5 at 1e-6."""
    found = falls_off_with_the_constant_of_the_ball(OnBall(theta0=math.pi - short), CONTEXT)
    assert found.holds
    assert found.tolerance < 1e-13 / short
    assert abs(found.margin - found.tolerance) <= found.tolerance  # attained at the rim of the ball


def test_lemma4_is_not_judged_where_the_angle_is_rounding():
    """1e-13 rad short of the antipode the last digit of the angle is a thousandth of the rest."""
    with pytest.raises(CannotJudgeError, match="antipode"):
        falls_off_with_the_constant_of_the_ball(OnBall(theta0=math.pi - 1e-13), CONTEXT)


@pytest.mark.parametrize("threshold", [30.0, 40.0, 1e3])
def test_overlaps_that_underflow_are_not_divided(threshold):
    """Refused with the reason, and without a warning on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CannotJudgeError, match="too rarely"):
            overlap_has_the_closed_form(OverlapInstance(m=3, d=5, threshold=threshold), CONTEXT)
