"""What a page of verdicts is called: by the title it was given, or by what it is about."""

from __future__ import annotations

from collections.abc import Sequence

from verify.judging import Verdict
from verify.judging.catalogue import PAPERS
from verify.judging.origin import is_own, told

THE_PAPERS = "Two theory papers on how ReLU students learn from ReLU teachers, put to the test"


def is_about_the_papers(verdicts: Sequence[Verdict]) -> bool:
    """Whether a statement of the two papers is among those judged, or none of one's own."""
    own = [verdict for verdict in verdicts if is_own(verdict.statement.evidence) and not _of_paper(verdict)]
    return len(own) < len(verdicts) or not verdicts


def heading_of(verdicts: Sequence[Verdict], title: str | None) -> str:
    """``title``, else the papers' heading, or the files that the statements are from."""
    if title is not None:
        return title
    if is_about_the_papers(verdicts):
        return THE_PAPERS
    files = [verdict.statement.origin.file for verdict in verdicts if verdict.statement.origin is not None]
    named = ", ".join(dict.fromkeys(told(file) for file in files if file))
    return f"Statements of {named}, put to the test" if named else "Statements put to the test"


def _of_paper(verdict: Verdict) -> bool:
    return verdict.statement.key.partition(".")[0] in PAPERS
