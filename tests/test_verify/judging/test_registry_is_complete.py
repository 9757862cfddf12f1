"""Every registered statement brings what a verdict rests on, and has its place in the tests and the report."""

from __future__ import annotations

import pkgutil
import re

import pytest

import verify
import verify.luckmatters
from luckproof import BUDGETS, Form, Outcome, RunInfo, Verdict, make_context
from verify.report import as_records, render_html
from verify.report.verdict_picture import Picture

CONTEXT = make_context("quick", "cpu", 0)
EVERY = pytest.mark.parametrize("statement", verify.statements.values(), ids=list(verify.statements))


def unjudged(statement) -> Verdict:
    return Verdict(statement, Outcome.VACUOUS, (), {control.name: True for control in statement.controls})


def test_statements_are_found():
    """The registry is not empty, and each module of a paper contributes."""
    assert verify.statements
    keys = {statement.key.split(".")[1] for statement in verify.statements.values()}
    silent = {module.name for module in pkgutil.iter_modules(verify.luckmatters.__path__)} - keys
    assert not {name for name in silent if re.match(r"(theorem|lemma|assumption)\d+$", name)}


@EVERY
def test_source_and_controls_are_there(statement):
    """A paper and a number; a control that must fail (a refuted form fails by itself); distinct names."""
    assert statement.source.paper
    assert statement.source.number
    refuted = statement.expected is Outcome.REFUTED
    assert refuted or any(not control.must_hold for control in statement.controls)
    assert len({control.name for control in statement.controls}) == len(statement.controls)


@EVERY
def test_refuted_form_has_confirmation_and_a_positive_control(statement):
    """A check that refutes must be able to accept, and its counterexample is evaluated twice."""
    if statement.expected is Outcome.REFUTED:
        assert statement.confirm is not None
        assert any(control.must_hold for control in statement.controls)


@EVERY
def test_every_budget_has_its_number_of_instances(statement):
    """More budget never means fewer instances."""
    counts = [statement.cost.examples(budget) for budget in BUDGETS.values()]
    assert counts == sorted(counts)
    assert counts[0] > 0


@EVERY
def test_instances_are_plain_data_with_defaults(statement):
    """An instance can be written without arguments and comes back from JSON as it was."""
    from verify.judging.instances import instance_from_json, instance_to_json

    instance = statement.instance_type()
    assert instance_from_json(statement, instance_to_json(instance)) == instance
    for example in statement.examples:
        assert instance_from_json(statement, instance_to_json(example)) == example


def test_each_statement_has_a_place_in_the_report():
    """One anchored section and one table row each, in the page and in the JSON."""
    verdicts = [unjudged(statement) for statement in verify.statements.values()]
    run = RunInfo.of(CONTEXT)
    undrawn = dict.fromkeys(verify.statements, Picture())  # to draw all of them takes half a minute
    page = render_html(verdicts, run, undrawn)
    for name in verify.statements:
        assert page.count(f'id="{name}"') == 1
        assert f'href="#{name}"' in page
    assert [record["name"] for record in as_records(verdicts, run)] == list(verify.statements)


def test_keys_name_their_paper():
    """A key starts with the package it lives in; forms are unique under a key."""
    for name, statement in verify.statements.items():
        assert statement.key.startswith(("luckmatters.", "specialization."))
        assert name == f"{statement.key}.{Form(statement.form)}"
