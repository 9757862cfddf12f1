"""What is rendered says no more than was shown: outcomes fit the forms, readings are called ours.

A necessity is needed or not, an empirical claim observed or not; neither these nor an assumption is ever "refuted".
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from luckproof import Form, Outcome, RunInfo, Verdict, judge, make_context, statements
from tests.test_verify.judging.toy_statements import REFUTED
from verify.command.main import app
from verify.judging.enclosing.enclosure import Enclosed, EnclosureCounts
from verify.judging.enclosing.proof import Proof
from verify.report import render_html
from verify.report.findings_pages import pages
from verify.report.records import as_data

ROOT = Path(__file__).parents[3]
NECESSITY = {Outcome.NEEDED, Outcome.NOT_NEEDED, Outcome.INCONCLUSIVE}
EMPIRICAL = {Outcome.OBSERVED, Outcome.NOT_OBSERVED, Outcome.INCONCLUSIVE}
CLAIM = {Outcome.HOLDS, Outcome.REFUTED, Outcome.VACUOUS, Outcome.INCONCLUSIVE}
REFUTES = re.compile(r"(?<!nothing of the paper is )(?<!not )(?<!cannot )\brefute[sd]?\b", re.IGNORECASE)
"""Said of something; "a limit is not refuted by a finite run" says it of nothing."""

EVERY = pytest.mark.parametrize("statement", statements.values(), ids=list(statements))
VERDICTS = [
    Verdict(s, s.expected, (), {c.name: True for c in (*s.controls, *s.assumption_controls)})
    for s in statements.values()
]
RUN = RunInfo.of(make_context("quick", "cpu", 0))


def fitting(form: Form, empirical: bool) -> set[Outcome]:
    if form is Form.NECESSITY:
        return NECESSITY
    return EMPIRICAL if empirical else CLAIM


@EVERY
def test_the_outcome_on_record_fits_the_form(statement):
    """Claims hold or are refuted, hypotheses are needed or not, effects on populations observed or not."""
    assert statement.expected in fitting(statement.form, bool(statement.population))


@EVERY
def test_nothing_but_a_refuted_claim_is_called_refuted(statement):
    """Title, claim, remark, source, erratum and names of controls of every other statement avoid the word."""
    if statement.expected is Outcome.REFUTED:
        return
    words = [statement.title, statement.claim, statement.remark, str(statement.source)]
    words += [control.name for control in (*statement.controls, *statement.assumption_controls)]
    if statement.erratum is not None:
        words += [statement.erratum.says, statement.erratum.true, statement.erratum.matters]
    assert not [text for text in words if REFUTES.search(text)]


@pytest.fixture(scope="module")
def articles() -> dict[str, str]:
    """The section of each statement in the report of a run in which everything came out as on record."""
    page = render_html(VERDICTS, RUN)
    return dict(re.findall(r'<article id="([^"]+)"(.*?)</article>', page, re.DOTALL))


@EVERY
def test_the_report_words_it_so(statement, articles):
    """The badge is the outcome, the form of a reading says whose it is, and "refuted" stands at refuted claims only."""
    article = re.sub(r"<details.*?</details>", "", articles[statement.name], flags=re.DOTALL)
    badges = set(re.findall(r'<span class="badge [\w-]+">([\w ]+)</span>', article))
    assert badges == {str(statement.expected)}
    assert f'<span class="form">{statement.form.words}</span>' in article
    if statement.expected is not Outcome.REFUTED:
        assert not REFUTES.search(article)


def test_the_json_words_it_so():
    """Outcomes fit forms; what the issue of statements asks of each record is there."""
    data = as_data(VERDICTS, RUN)
    assert {"schema", "luckproof", "created", "versions", "seed", "budget", "findings", "statements"} <= set(
        data
    )
    needed = [
        "name",
        "form",
        "outcome",
        "expected",
        "relation",
        "predicted_name",
        "measured_name",
        "strength",
        "scope",
        "attack",
        "controls",
        "counterexamples",
        "confirmation",
        "place",
        "impact",
    ]
    for record in data["statements"]:
        assert set(needed) <= set(record)
        assert record["outcome"] in fitting(Form(record["form"]), record["population"] is not None)
        assert {"version", "section", "number"} <= set(record["place"])
        assert set(record["counterexamples"]) == {"smallest", "telling"}
        assert all("instance" in control for control in record["controls"])


def test_the_list_words_it_so():
    """Name and outcome on record; a reading is called ours."""
    shown = CliRunner().invoke(app, ["list"]).stdout
    lines = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
    for name, statement in statements.items():
        assert f" {statement.expected} " in lines[name]
        assert statement.form is not Form.READING or "our reading" in lines[name].lower()


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_generated_pages_word_it_so(name):
    """Every named statement on a page stands beside its form in words and its outcome on record."""
    found = re.findall(r"`(?:luckproof show )?([\w.]+)`(?: \(|, )([\w ]+): ([\w ]+)\)", pages()[name])
    assert found
    for named, form, outcome in found:
        assert (form, outcome) == (statements[named].form.words, str(statements[named].expected))


@pytest.mark.parametrize(
    "page", ["README.md", *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md")))]
)
def test_other_pages_refute_nothing_else(page):
    """A line of the documentation that names a statement and calls it refuted names a refuted one."""
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        named = [statements[n] for n in re.findall(r"`([\w.]+)`", line) if n in statements]
        if named and REFUTES.search(line):
            assert any(statement.expected is Outcome.REFUTED for statement in named), line


def test_the_json_is_described():
    """Every key of a run, of a statement, of a case and of its exact margin stands on docs/report_json.md."""
    page = (ROOT / "docs" / "report_json.md").read_text(encoding="utf-8")
    data = as_data([judge(REFUTED, make_context("quick", "cpu", 0))], RUN)
    statement = data["statements"][0]
    exact = [field.name for kind in (Enclosed, EnclosureCounts, Proof) for field in dataclasses.fields(kind)]
    named = {*data, *statement, *statement["worst"], *exact, "available", "instances", "all_instances"}
    assert {name for name in named if f"`{name}`" not in page} == set()
