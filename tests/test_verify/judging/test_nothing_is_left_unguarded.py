"""Every statement guards what it says: assumptions with controls, fields with domains, failures with scripts."""

from __future__ import annotations

import dataclasses

import pytest

from luckproof import Instance, statements
from tests.test_verify.still_open import (
    ASSUMPTIONS_WITHOUT_CONTROLS,
    FIELDS_WITHOUT_DOMAIN,
    WITHOUT_SCRIPT,
    settle,
)
from verify.judging.collecting import FAILURES
from verify.judging.domains import domains_of
from verify.judging.sceptic import script_of

EVERY = pytest.mark.parametrize("statement", statements.values(), ids=list(statements))
BY_CONSTRUCTION = (
    "no two teachers co-linear, of either sign",
    "every teacher's boundary visible",
    "every per-sample gradient at random dyadic points",
    "residual on the region over its rounding",
    "no sample on a kink",
    "some boundary visible",
    "every boundary in the region",
    "no positive multiples",
    "every teacher visible",
    "some fan-out",
    "a teacher without co-linear student",
    "K that the steps taken need / K_d",
)
"""Assumptions that no instance of their families fails; test_shared_hypotheses_can_fail.py controls the functions."""
NO_SCRIPT = "No script:"
"""So begins the sentence of a remark that says why a failure has no sceptic's script."""


@EVERY
def test_every_assumption_has_an_instance_outside_and_one_inside(statement):
    """Per assumption a control that it alone must exclude, and one just inside that meets them all."""
    inside = [control for control in statement.assumption_controls if not control.assumption]
    outside = [control.assumption for control in statement.assumption_controls if control.assumption]
    named = assumptions_named(statement)
    outside += BY_CONSTRUCTION
    missing = [name for name in named if not any(name.startswith(beginning) for beginning in outside)]
    complaint = f"no `excludes` for {', '.join(map(repr, missing))}" if missing else ""
    if named and not inside:
        complaint += "; no `includes`" if complaint else "no `includes`"
    settle(ASSUMPTIONS_WITHOUT_CONTROLS, statement.name, complaint)


def assumptions_named(statement) -> list[str]:
    """The names of the assumptions, on the default instance, the examples and the instances of controls."""
    instances = [*statement.examples, *(control.instance for control in statement.assumption_controls)]
    instances = instances or [statement.instance_type()]
    return list(dict.fromkeys(a.name for instance in instances for a in statement.assumptions(instance)))


@EVERY
def test_controls_of_assumptions_come_out_as_they_must(statement):
    """The instance outside fails just the assumption named, the one inside none."""
    for control in statement.assumption_controls:
        assert control.passed(statement.assumptions), control.name


@EVERY
def test_every_failure_has_a_script_or_says_why_not(statement):
    """What is refuted, needed or not observed can be checked without this project, or the remark says why it cannot."""
    if statement.expected not in FAILURES:
        return
    scripted, excused = script_of(statement) is not None, NO_SCRIPT in statement.remark
    assert not (scripted and excused)
    complaint = (
        ""
        if scripted or excused
        else f"no sceptic's script, and no {NO_SCRIPT!r} with the reason in its remark"
    )
    settle(WITHOUT_SCRIPT, statement.name, complaint)


@EVERY
def test_every_field_says_what_it_may_be(statement):
    """Outside the meaning of its fields an instance cannot be made: an Instance class, a domain for each field."""
    kind = statement.instance_type
    missing = [field.name for field in dataclasses.fields(kind) if field.name not in domains_of(kind)]
    complaint = f"{kind.__name__} has no domain for {', '.join(missing)}" if missing else ""
    if not issubclass(kind, Instance):
        complaint = f"{kind.__name__} is no Instance; {complaint}".rstrip("; ")
    settle(FIELDS_WITHOUT_DOMAIN, statement.name, complaint)
