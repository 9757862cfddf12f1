"""The report page: one HTML file that needs nothing else; its script only folds, filters and sorts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2

from dynamics.boundary import checked
from dynamics.files.writing import write_atomically
from verify.judging import Verdict
from verify.report.embedded_figure import attribute_of
from verify.report.findings import findings, named_for, sentence_on
from verify.report.heading import heading_of, is_about_the_papers
from verify.report.mathtext import claim_html, indexed_html
from verify.report.page.assets import script, script_hash, styles
from verify.report.page.contents import COLUMNS, MEANINGS, SIGNS, papers_of
from verify.report.page.entry import Entry
from verify.report.page.indents import without_indents
from verify.report.page.numbers import ball_html, duration, number_html
from verify.report.page.strengths import StrengthKind
from verify.report.run_info import RunInfo
from verify.report.sentences import sentence
from verify.report.theorems_chapter import chapter_html, sections_naming
from verify.report.verdict_picture import Picture, picture_of


@checked
def write_html(
    path: str | Path,
    verdicts: Sequence[Verdict],
    run: RunInfo,
    pictures: Mapping[str, Picture] | None = None,
    lost: Mapping[str, str] | None = None,
    *,
    title: str | None = None,
) -> None:
    """Write the verdicts, on the papers' statements or on one's own, as one page that stands alone, in one step.

    Args:
        path: the file.
        verdicts: those reached, in the order of the page.
        run: what the run was; ``RunInfo.of(context)``.
        pictures: those already drawn, by the statement's name; the others are drawn here.
        lost: statements without verdict, because their process died, with how.
        title: the page's title and heading; by default what the statements are about.
    Raises:
        OSError: the file cannot be written; an older one is then untouched.
    """
    write_atomically(Path(path), render_html(verdicts, run, pictures, lost, title=title))


def render_html(
    verdicts: Sequence[Verdict],
    run: RunInfo,
    pictures: Mapping[str, Picture] | None = None,
    lost: Mapping[str, str] | None = None,
    *,
    title: str | None = None,
) -> str:
    """The page: the findings, a map of the papers, every item with its forms, theorems of ours, and the run.

    Args:
        verdicts: those reached, in reading order.
        run: what the run was.
        pictures: those already drawn, by the statement's name; the others are drawn here.
        lost: statements without verdict, because their process died, with how.
        title: the page's title and heading; by default what the statements are about.
    """
    ours = is_about_the_papers(verdicts)
    counts = Counter(verdict.outcome for verdict in verdicts)
    entries = _entries(verdicts, run, pictures or {})
    page = _environment().get_template("report.html.jinja").render(
        run=run,
        lost=dict(lost or {}),
        styles=styles(),
        script=script(),
        script_hash=script_hash(),
        entries=entries,
        entry_of={entry.statement.name: entry for entry in entries},
        papers=papers_of(entries, sections_naming() if ours else {}),
        forms=list(dict.fromkeys(entry.statement.form for entry in entries)),
        outcomes=[outcome for outcome in SIGNS if any(e.verdict.outcome is outcome for e in entries)],
        strengths=[kind for kind in StrengthKind if any(e.strength is kind for e in entries)],
        unexpected=[entry for entry in entries if not entry.verdict.as_expected],
        drawn=sum(verdict.examples for verdict in verdicts),
        nonvacuous=sum(verdict.nonvacuous for verdict in verdicts),
        found=findings(verdicts),
        counts={outcome: counts[outcome] for outcome in SIGNS if counts[outcome]},
        heading=heading_of(verdicts, title),
        theorems=chapter_html(_anchors(verdicts)) if ours else "",
    )  # fmt: skip
    return without_indents(page)


def _entries(verdicts: Sequence[Verdict], run: RunInfo, drawn: Mapping[str, Picture]) -> list[Entry]:
    """An entry for each verdict; a picture that occurs again is the earlier one's."""
    entries, seen = [], dict[str, str]()
    for verdict in verdicts:
        name = verdict.statement.name
        picture = drawn.get(name) or picture_of(verdict)
        first = seen.setdefault(picture.uri, name) if picture.uri else name
        entries.append(Entry.of(verdict, run, picture, "" if first == name else first))
    return entries


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("verify", "report/page/templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "columns": COLUMNS,
        "signs": SIGNS,
        "meanings": MEANINGS,
    }
    environment.filters["number"] = number_html
    environment.filters["duration"] = duration
    environment.filters["ball"] = ball_html
    environment.filters["claim"] = claim_html
    environment.filters["indexed"] = indexed_html
    environment.filters["sentence"] = sentence
    environment.filters["summed_up"] = sentence_on
    environment.filters["named"] = named_for
    environment.filters["embedded"] = attribute_of
    return environment


def _anchors(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Where a statement's verdict stands: an item by its key, a form of it by its name."""
    return {word: word for verdict in verdicts for word in (verdict.statement.key, verdict.statement.name)}
