"""The page of findings is what the statements say today, and the counts are those of the outcomes on record."""

from __future__ import annotations

from pathlib import Path

import pytest

from luckproof import Outcome, findings, statements
from verify.figures.errata import FIGURE_ERRATA
from verify.report.findings_pages import pages

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


def test_what_matters_most_is_ranked_without_ties():
    """A rank is given once, to an entry that says what the paper says, what is true and what follows."""
    ranks = [s.erratum.rank for s in statements.values() if s.erratum is not None and s.erratum.rank]
    assert len(set(ranks)) == len(ranks)
    assert all(1 <= rank <= 10 for rank in ranks)
    assert all(finding.says and finding.true and finding.matters for finding in findings().foremost)
