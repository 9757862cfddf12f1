"""The page of findings is what the statements say today, and the counts are those of the outcomes on record."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from luckproof import Form, Outcome, Verdict, findings, statements
from verify.figures.errata import FIGURE_ERRATA
from verify.judging import Impact
from verify.report.findings_pages import pages
from verify.report.foremost import FOREMOST

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", ["findings.md", "errata.md"])
def test_the_page_in_the_documentation_is_the_generated_one(name):
    """``python -m verify.report.findings_pages docs`` would change nothing."""
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name]


def test_every_erratum_is_on_the_page():
    """Those of statements and of figures, each with the command that shows it."""
    page = pages()["errata.md"]
    for statement in statements.values():
        assert (f"`luckproof show {statement.name}`" in page) == (statement.erratum is not None)
    for name in FIGURE_ERRATA:
        assert f"`luckproof figure {name}`" in page


def test_every_failure_of_the_papers_words_has_its_erratum():
    """What is refuted as printed, or as we read it, is explained in the errata."""
    silent = [s.name for s in statements.values() if s.expected is Outcome.REFUTED and s.erratum is None]
    assert not silent


def test_every_statement_is_counted_once():
    """Printed claims and readings add up, and every item has its row with the outcome of each form."""
    found = findings()
    for form, counts in (("printed", found.printed), ("reading", found.readings)):
        assert sum(counts.values()) == sum(s.form == form for s in statements.values())
    outcomes = [outcome for row in found.rows for outcome in row.outcomes.values()]
    assert len(outcomes) == len(statements)


def test_the_ten_that_matter_most_are_there():
    """Ten, each once, of statements that there are, in their order; outcome, form and place are the statement's."""
    found = findings().foremost
    assert [finding.name for finding in found] == [entry.name for entry in FOREMOST]
    assert len({finding.name for finding in found}) == 10
    for finding in found:
        statement = statements[finding.name]
        assert finding.outcome is statement.expected
        assert (finding.form, finding.source) == (statement.form.words, str(statement.source))
    assert f"10. **{found[9].source}**" in pages()["findings.md"]


@pytest.mark.parametrize("entry", FOREMOST, ids=lambda entry: entry.name)
@pytest.mark.parametrize("part", ["says", "true", "matters"])
def test_each_of_the_ten_has_a_sentence_on_paper_truth_and_consequence(entry, part):
    """One sentence, which ends, and names only statements that there are."""
    text = getattr(entry, part)
    assert text.endswith(".")
    assert not re.search(r"[.!?] [A-Z]", text)
    assert len(text) <= 260
    keys = {statement.key for statement in statements.values()}
    assert all(named in statements or named in keys for named in re.findall(r"`([\w.]+)`", text))


def test_a_run_of_a_few_has_the_findings_of_those():
    """Findings of a run are about what it judged, with the outcome that it came to."""
    statement = statements["luckmatters.theorem1.printed"]
    (finding,) = findings([Verdict(statement, Outcome.INCONCLUSIVE, (), {})]).foremost
    assert (finding.name, finding.outcome) == (statement.name, Outcome.INCONCLUSIVE)


def test_what_is_no_error_stands_apart():
    """Hypotheses that are needed, and readings that go further than the paper, have headings of their own."""
    sections = re.split(r"^## ", pages()["errata.md"], flags=re.MULTILINE)[1:]
    apart = [section for section in sections if section.startswith("No errata: ")]
    assert len(apart) == 2
    for name, statement in statements.items():
        if statement.erratum is not None:
            expected = statement.form is Form.NECESSITY or statement.erratum.impact is Impact.NONE
            assert any(f"`luckproof show {name}`" in section for section in apart) == expected
            assert sum(f"`luckproof show {name}`" in section for section in sections) == 1
