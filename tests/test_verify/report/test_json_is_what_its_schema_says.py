"""``luckproof verify --json`` is laid out as its schema says, and what stands in each field is true of the run."""

from __future__ import annotations

import dataclasses
import json

import pytest

from luckproof import Evidence, Outcome, Record, RunInfo, Verdict, judge, make_context, statements, write_json
from tests.test_verify.report import schema
from verify.judging import registry
from verify.report.records import as_data

CONTEXT = make_context("quick", "cpu", 0)
INFO = RunInfo.of(CONTEXT, seconds=1.0)

CHEAP = [
    "luckmatters.lemma1.eps.necessity",
    "luckmatters.lemma2.overlap.printed",
    "luckmatters.assumption3.sharp",
    "luckmatters.theorem2.closure.reading",
    "specialization.corollary2.corrected",
    "specialization.independence.reading",
    "specialization.theorem3.many_outputs.corrected",
]
"""Of every form, and of every outcome that a second suffices for."""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of cheap statements, as its file has it, and the verdicts it was written from."""
    verdicts = [judge(statements[name], dataclasses.replace(CONTEXT, attack=0)) for name in CHEAP]
    verdicts.append(
        judge(statements["luckmatters.lemma4.corrected"], dataclasses.replace(CONTEXT, attack=20))
    )
    path = tmp_path_factory.mktemp("json") / "run.json"
    write_json(path, verdicts, INFO, {"toy.lost.sharp": "its process was killed (signal 9)"})
    return json.loads(path.read_text(encoding="utf-8")), verdicts


def test_a_run_is_laid_out_as_its_schema_says(run):
    """Every key that is described is there, no other is, and each has a value of its kind."""
    assert schema.complaints(run[0], schema.RUN) == []


def test_a_replication_too():
    """The confirmation on fresh seeds of a population that shows the opposite."""
    statement = statements["luckmatters.introduction.lottery_ticket.reinitialised.spare.reading"]
    evidence = Evidence.at_most(0.5, bound=0.0, tolerance=0.1)
    failing = Record(statement.examples[0], (), evidence)
    verdict = Verdict(
        statement, Outcome.NOT_OBSERVED, (failing,), {}, counterexample=failing, confirmation=evidence
    )
    data = as_data([verdict], INFO)
    assert schema.complaints(data, schema.RUN) == []
    assert data["statements"][0]["confirmation"]["kind"] == "replication"
    assert data["statements"][0]["confirmation"]["seeds"] == statement.confirm.seeds


def test_every_statement_fits_the_schema():
    """Names, relation, place and controls of all of them, as if each had come out as on record."""
    verdicts = [Verdict(s, s.expected, (), {c.name: True for c in s.controls}) for s in statements.values()]
    assert schema.complaints(as_data(verdicts, INFO), schema.RUN) == []


def test_a_value_that_leaves_the_schema_is_noticed(run):
    """The checker complains of a missing key, an unknown one, a wrong kind and an empty text."""
    for spoil in (
        lambda record: record.pop("scope"),
        lambda record: record.update(extra=1),
        lambda record: record.update(strength=" "),
        lambda record: record["place"].update(section=""),
        lambda record: record.update(examples=-1),
        lambda record: record["controls"][0].pop("instance"),
        lambda record: record["counterexamples"].pop("telling"),
    ):
        data = json.loads(json.dumps(run[0]))
        spoil(data["statements"][0])
        assert len(schema.complaints(data, schema.RUN)) == 1


def test_what_stands_in_the_fields_is_true(run):
    """Counts add up, names are the statement's, a failure has its counterexample and confirmation and no other has."""
    data, verdicts = run
    assert [record["name"] for record in data["statements"]] == [v.statement.name for v in verdicts]
    for record, verdict in zip(data["statements"], verdicts, strict=True):
        statement = verdict.statement
        assert record["name"] == f"{record['key']}.{record['form']}"
        named = (record["measured_name"], record["relation"], record["predicted_name"])
        assert named == statement.compares
        assert record["outcome"] == str(verdict.outcome) == record["expected"]
        failed = verdict.outcome in registry.FAILURES
        assert (record["counterexamples"]["smallest"] is not None) == failed
        assert (record["confirmation"] is not None) == failed
        assert set(record["scope"]) <= {field.name for field in dataclasses.fields(statement.instance_type)}
        assert bool(record["scope"]) == bool(record["nonvacuous"])
        own = statement.controls, statement.assumption_controls, statement.proof_controls
        assert [c["name"] for c in record["controls"]] == [c.name for kind in own for c in kind]
        assert all(control["passed"] for control in record["controls"])
        place = record["place"]
        assert all(place[part] in place["text"] for part in ("version", "section", "number", "note"))
        assert record["impact"] == (str(statement.erratum.impact) if statement.erratum else None)


def test_the_smallest_counterexample_and_its_confirmation_fail(run):
    """Both sides stand there, and they are on the wrong side of one another."""
    for record in run[0]["statements"]:
        if record["confirmation"] is not None:
            assert record["counterexamples"]["smallest"]["margin"] < 0
            assert record["confirmation"]["margin"] < 0


def test_assumptions_are_counted(run):
    """Met and failed add up to the instances asked, and judged instances met every one of them."""
    counted = 0
    for record, verdict in zip(run[0]["statements"], run[1], strict=True):
        assert bool(record["assumptions"]["each"]) == bool(record["assumptions"]["words"])
        for assumption in record["assumptions"]["each"]:
            asked = [
                found.satisfied
                for r in verdict.records
                for found in r.assumptions
                if found.name == assumption["name"]
            ]
            assert (assumption["met"], assumption["failed"]) == (asked.count(True), asked.count(False))
            if len(asked) == record["examples"]:
                assert assumption["met"] >= record["nonvacuous"] + record["unjudged"]
            counted += len(asked)
    assert counted > 100


def test_an_attack_of_the_run_stands_before_the_one_on_record(run):
    """What was attacked now says so; what was not has its record, with the day."""
    attacked, others = run[0]["statements"][-1], run[0]["statements"][:-1]
    assert attacked["attack"]["recorded"] is False
    assert attacked["attack"]["evaluations"] == 20
    held = [record["attack"] for record in others if record["outcome"] == "holds"]
    assert held
    assert all(attack["recorded"] for attack in held)
