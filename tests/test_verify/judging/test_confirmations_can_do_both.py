"""Confirmations of the papers' remarks accept what is true and reject what is not."""

from __future__ import annotations

import pytest

from luckproof import statements

NAMES = (
    "luckmatters.theorem4.index.printed",
    "luckmatters.theorem5.gamma.feasible.reading",
    "luckmatters.theorem5.residue.printed",
    "specialization.theorem2.linear.necessity",
    "specialization.theorem2.observed.printed",
    "specialization.theorem4.deeper.reading",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_confirmation_agrees_with_the_controls(name):
    """It accepts the positive controls, as altered, and rejects the negative ones that alter nothing."""
    statement = statements[name]
    accepted = [control for control in statement.controls if control.must_hold]
    rejected = [control for control in statement.controls if not control.must_hold and not control.altered]
    assert accepted
    assert rejected
    assert all(statement.confirm(control.instance, **control.altered).holds for control in accepted)
    assert not any(statement.confirm(control.instance).holds for control in rejected)
