"""Every registered statement comes out as expected, controls included."""

from __future__ import annotations

import dataclasses

import pytest

import verify
from luckproof import judge, make_context

CAP = 25
"""Instances a statement: the quick budget of the command draws more; the deep one thousands."""


@pytest.mark.parametrize("statement", verify.statements.values(), ids=list(verify.statements))
def test_verdict_is_the_expected_one(statement, device):
    """Outcome and every control, on few instances; what went wrong is in the message."""
    few = statement.cost.at_quick(min(statement.cost.quick, CAP))
    verdict = judge(dataclasses.replace(statement, cost=few), make_context("quick", device, 0))
    assert verdict.as_expected, f"{verdict.outcome}, expected {statement.expected}: {verdict.message}"


@pytest.mark.deep
@pytest.mark.parametrize("statement", verify.statements.values(), ids=list(verify.statements))
def test_verdict_survives_the_deep_budget(statement, device):
    """The same over the statement's own deep number of instances."""
    verdict = judge(statement, make_context("deep", device, 0))
    assert verdict.as_expected, f"{verdict.outcome}, expected {statement.expected}: {verdict.message}"
