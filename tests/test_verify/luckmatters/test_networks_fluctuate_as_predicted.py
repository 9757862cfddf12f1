"""Finite learning rate and batch: mean and spread of drawn ensembles are those of linear noise around the flow."""

from __future__ import annotations

from dataclasses import replace

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings

from luckproof import BUDGETS, Context
from verify.luckmatters.theorem4_fluctuations import (
    PAIR,
    Fluctuations,
    networks_fluctuate_as_predicted,
)
from verify.luckmatters.theorem4_fluctuations import settings as drawn_settings

pytestmark = pytest.mark.statement("luckmatters.theorem4.fluctuations")

CONTEXT = Context(examples=200)


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])  # a clock, and networks take seconds
@given(instance=drawn_settings(BUDGETS["quick"]))
def test_mean_and_spread(instance: Fluctuations, device: str) -> None:
    """A thousand networks: as predicted, and not where lr / B is 1.4 times as large, or its inverse."""
    statement, context = networks_fluctuate_as_predicted, replace(CONTEXT, device=device)
    hypothesis.assume(all(assumption.satisfied for assumption in statement.assumptions(instance)))
    evidence = statement(instance, context)
    hypothesis.assume(not evidence.inconclusive)
    assert evidence.holds
    assert not statement(instance, context, noise=1.4).holds
    assert not statement(instance, context, noise=1 / 1.4).holds


def test_both_shifts_are_seen() -> None:
    """The shift of a finite step is many standard errors; leaving it out is rejected, in the mean and nowhere else."""
    details = networks_fluctuate_as_predicted(PAIR, CONTEXT).details
    assert details["shift of the step, standard errors"] > 10
    assert (
        details["mean of the networks off the prediction, standard errors"]
        < details["standard errors allowed"]
    )
    around = networks_fluctuate_as_predicted(PAIR, CONTEXT, around_the_flow=True)
    assert around.margin < -1
    assert around.details["variance over all modes / predicted"] == pytest.approx(
        details["variance over all modes / predicted"], rel=0.05
    )
