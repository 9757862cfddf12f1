"""The page of findings is what the statements say today, and the counts are those of the outcomes on record."""

from __future__ import annotations

from pathlib import Path

from luckproof import findings, statements
from verify.report.findings_pages import pages

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_in_the_documentation_is_the_generated_one():
    """``python -m verify.report.findings_pages`` would change nothing."""
    assert (DOCS / "findings.md").read_text(encoding="utf-8") == pages()["findings.md"]


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
