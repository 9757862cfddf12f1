"""Every registered statement comes out as expected, controls included, and its controls bite."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

import verify
from luckproof import judge, make_context
from tests.test_verify.still_open import COARSE, UNDECIDED, settle
from verify.judging.collecting import FAILURES
from verify.judging.controls import LARGEST_TOLERANCE_FACTOR
from verify.judging.trials import trial
from verify.judging.trials.trial import drawn_instances

CAP = 25
"""Instances a statement: the quick budget of the command draws more; the deep one thousands."""

EVERY = {"params": verify.statements.values(), "ids": list(verify.statements)}

FAILING = [statement for statement in verify.statements.values() if statement.expected in FAILURES]


@pytest.fixture(scope="module", **EVERY)  # of the module, so that the tests of one statement come together
def verdict(request, device):
    """The verdict on a statement at the quick budget and seed 0, on few instances.

    Of the instances drawn after a refutation, for a counterexample that tells more, one is evaluated: no test here
    looks at what they come to.
    """
    statement = request.param
    few = statement.cost.at_quick(min(statement.cost.quick, CAP))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trial, "TELLING_DRAWS", 1)
        return judge(dataclasses.replace(statement, cost=few), make_context("quick", device, 0))


def test_verdict_is_the_expected_one(verdict):
    """Outcome and every control; what went wrong is in the message."""
    statement = verdict.statement
    assert verdict.outcome == statement.expected, f"expected {statement.expected}: {verdict.message}"
    failed = [name for name, passed in verdict.controls.items() if not passed]
    settle(UNDECIDED, statement.name, verdict.message if failed else "")


def test_every_judged_margin_is_a_number(verdict):
    """What is judged has a finite margin: an infinite one is the least of an empty set, and confirms nothing."""
    endless = [r.instance for r in verdict.judged if r.evidence and not math.isfinite(r.evidence.margin)]
    assert not endless, f"{verdict.statement.name}: raise CannotJudgeError on {endless[:3]}"


def test_a_small_error_is_rejected(verdict):
    """K of the closest negative control is at most 1e4: a tolerance that much too wide is noticed.

    ``rejects`` with an argument that alters the claim by 10 to 1,000 tolerances, or ``rejects_moved``, adds one.
    """
    rejected = [control.name for control in verdict.statement.controls if not control.must_hold]
    judged = [record.evidence for record in verdict.judged]
    factors = [verdict.tolerance_factors[name] for name in rejected if name in verdict.tolerance_factors]
    complaint = ""
    if (
        any(evidence.tolerance > 0 for evidence in judged)
        and min(factors, default=1e300) > LARGEST_TOLERANCE_FACTOR
    ):
        complaint = f"K of the closest negative control is {min(factors, default=float('inf')):.2g}"
    settle(COARSE, verdict.statement.name, complaint)


@pytest.mark.parametrize("statement", FAILING, ids=lambda statement: statement.name)
def test_instances_tell_or_do_not(statement):
    """Each instance among which a refutation looks for the most telling counterexample is telling or is not."""
    looked_at = drawn_instances(statement, make_context("quick", "cpu", 0), trial.TELLING_DRAWS, seed=1)
    assert {type(statement.telling(instance)) for instance in looked_at} <= {bool, np.bool_}


@pytest.mark.deep
@pytest.mark.parametrize("statement", verify.statements.values(), ids=list(verify.statements))
def test_verdict_survives_the_deep_budget(statement, device):
    """The same over the statement's own deep number of instances."""
    verdict = judge(statement, make_context("deep", device, 0))
    assert verdict.as_expected, f"{verdict.outcome}, expected {statement.expected}: {verdict.message}"
