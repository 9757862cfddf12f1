"""A page with one statement of one's own has no plural and no choice of papers; numbers are as they are written."""

from __future__ import annotations

import dataclasses
import re

import pytest

from luckproof import Form, Outcome, RunInfo, Source, Statement, judge, make_context
from tests.test_verify.judging import toy_statements
from verify.report.findings import sentence_on
from verify.report.html import render_html
from verify.report.page.contents import heading_of

CONTEXT = make_context("quick", "cpu", 0)
PRINTED = next(
    value
    for value in vars(toy_statements).values()
    if isinstance(value, Statement) and value.form is Form.PRINTED and value.expected is Outcome.REFUTED
)


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ({Outcome.HOLDS: 1}, "The claim as printed stands."),
        ({Outcome.REFUTED: 1}, "The claim as printed fails."),
        ({Outcome.VACUOUS: 1}, "The claim as printed has conditions that were never met."),
        ({Outcome.INCONCLUSIVE: 1}, "The claim as printed stays open."),
        ({Outcome.NEEDED: 1}, "The claim as printed says whether a hypothesis is needed."),
        (
            {Outcome.HOLDS: 1, Outcome.REFUTED: 2},
            "Of 3 claims as printed, 1 stands, 2 fail and 0 have conditions that were never met.",
        ),
        (
            {Outcome.HOLDS: 2, Outcome.OBSERVED: 1, Outcome.VACUOUS: 1},
            "Of 4 claims as printed, 3 stand (2 hold, 1 are observed), 0 fail and 1 has conditions that were never "
            "met.",
        ),
    ],
)
def test_one_claim_is_told_as_one(outcomes, words):
    assert sentence_on(outcomes, "claims as printed") == words


def test_a_page_of_one_statement():
    """Its headline, its counts and its run."""
    verdict = judge(PRINTED, CONTEXT)
    page = render_html([verdict], RunInfo.of(CONTEXT), title="Mine")
    assert "The claim as printed fails." in page
    assert "<dt>1 claim as printed</dt>" in page
    assert "The verdict is the expected one, and every control" in page
    assert re.search(r"<label hidden>Paper", page)
    assert "decided in exact arithmetic</li>" not in page
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"\b1 (claims|readings|statements|items|verdicts)\b", text)


def of_paper(verdict, paper):
    """The verdict as one on a statement of another paper."""
    statement = dataclasses.replace(PRINTED, key=f"paper{paper[-1]}.a", source=Source(paper, "1"))
    return dataclasses.replace(verdict, statement=statement)


def test_two_papers_are_both_and_more_are_any():
    """The filter's first choice."""
    verdict = judge(PRINTED, CONTEXT)
    others = [of_paper(verdict, f"Paper {n}") for n in (1, 2)]
    for verdicts, first in (([verdict, *others[:1]], "both"), ([verdict, *others], "any")):
        page = render_html(verdicts, RunInfo.of(CONTEXT), title="Mine")
        assert f'<label>Paper <select name="paper"><option value="">{first}</option>' in page


@pytest.mark.parametrize(
    ("key", "heading"),
    [
        ("balance.theorem2_2", "Theorem 2.2"),
        ("luckmatters.theorem4", "Theorem 4"),
        ("mine.lemma3_1_2", "Lemma 3.1.2"),
        ("mine.two_layers", "Two layers"),
    ],
)
def test_a_number_is_written_as_numbers_are(key, heading):
    assert heading_of(key) == heading
