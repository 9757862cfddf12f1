"""Theorems 4 and 5, sharp: networks drawn by Hypothesis decay at the rate predicted for them, within its error."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from luckproof import BUDGETS, CannotJudgeError, Context, Evidence, Statement
from verify.luckmatters import theorem4_networks, theorem5_networks

pytestmark = [
    pytest.mark.statement("luckmatters.theorem4.networks"),
    pytest.mark.statement("luckmatters.theorem5.networks"),
]

THEOREM4 = theorem4_networks.networks_decay_at_the_predicted_rate
THEOREM5 = theorem5_networks.networks_decay_at_the_predicted_rate

CONTEXT = Context(examples=200)
"""False alarms are shared out over so many instances: a chance of 5e-6 in a run of this file."""

DRAWN = settings(
    max_examples=8, suppress_health_check=[HealthCheck.too_slow]
)  # a clock, and networks take seconds


def judged(statement: Statement[Any, ...], instance: Any, context: Context, **altered: Any) -> Evidence:
    """The evidence on a drawn instance; those that meet no assumption, or decide nothing, are drawn anew."""
    hypothesis.assume(all(assumption.satisfied for assumption in statement.assumptions(instance)))
    try:
        evidence = statement(instance, context, **altered)
    except CannotJudgeError:
        hypothesis.reject()
    hypothesis.assume(not evidence.inconclusive)
    return evidence


@DRAWN
@given(instance=theorem4_networks.ensembles(BUDGETS["quick"]))
def test_theorem_4(instance: theorem4_networks.RateNetworks, device: str) -> None:
    """Mean late rate of 16 to 64 networks: as predicted, and neither 3 % more nor 3 % less."""
    context = replace(CONTEXT, device=device)
    assert judged(THEOREM4, instance, context).holds
    assert not judged(THEOREM4, instance, context, stretch=1.03).holds
    assert not judged(THEOREM4, instance, context, stretch=0.97).holds


@DRAWN
@given(instance=theorem5_networks.ensembles(BUDGETS["quick"]))
def test_theorem_5(instance: theorem5_networks.OverparameterisedNetworks, device: str) -> None:
    """The same with W and V trained and irrelevant nodes beside the relevant ones."""
    context = replace(CONTEXT, device=device)
    assert judged(THEOREM5, instance, context).holds
    assert not judged(THEOREM5, instance, context, stretch=1.03).holds
    assert not judged(THEOREM5, instance, context, stretch=0.97).holds


def test_a_failure_shrinks_to_a_small_ensemble() -> None:
    """A claim 3 % off for several nodes fails on some ensemble, and shrinks to two nodes in three dimensions."""

    def fails(instance: theorem4_networks.RateNetworks) -> bool:
        if instance.m < 2 or not all(a.satisfied for a in THEOREM4.assumptions(instance)):
            return False
        try:
            evidence = THEOREM4(instance, CONTEXT, stretch=1.03)
        except CannotJudgeError:
            return False
        return not evidence.inconclusive and not evidence.holds

    chosen = settings(max_examples=30, database=None, phases=(Phase.generate, Phase.shrink))
    drawn = theorem4_networks.ensembles(BUDGETS["quick"]).filter(lambda i: i.closeness < 1e-3)
    found = hypothesis.find(drawn, fails, settings=chosen, random=Random(0))
    assert (found.m, found.d) == (2, 3)
    assert (found.teachers, found.seed) == ("orthonormal", 0)


@pytest.mark.parametrize("statement", [THEOREM4, THEOREM5], ids=["theorem 4", "theorem 5"])
def test_runs_and_seeds_give_networks_of_their_own(statement: Statement[Any, ...]) -> None:
    """Another seed of the run trains on other samples; the same seed gives the same numbers."""
    instance = statement.examples[0]
    one, again, other = (statement(instance, replace(CONTEXT, seed=seed)).measured for seed in (0, 0, 1))
    assert one == again
    assert one != other
