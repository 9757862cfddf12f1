"""The report page: one HTML file that needs nothing else, neither network nor scripts."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from dynamics.boundary import checked
from dynamics.files.writing import write_atomically
from verify.judging import Outcome, Verdict
from verify.judging.assumption_counts import AssumptionCount, in_a_sentence
from verify.judging.enclosing.enclosure import Enclosed, EnclosedOutcome
from verify.judging.sceptic import script_of
from verify.judging.trials.recorded_attacks import attack_in_words
from verify.report.findings import findings
from verify.report.heading import heading_of, is_about_the_papers
from verify.report.mathtext import claim_html, indexed_html
from verify.report.records import replaying_command, reproducing_command
from verify.report.run_info import RunInfo
from verify.report.theorems_chapter import chapter_html
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
    """The page: what was run, a table of all statements, then each with claim, plot and evidence.

    Args:
        verdicts: those reached.
        run: what the run was.
        pictures: those already drawn, by the statement's name; the others are drawn here.
        lost: statements without verdict, because their process died, with how.
        title: the page's title and heading; by default what the statements are about.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("verify", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number_html
    environment.filters["duration"] = duration
    environment.filters["ball"] = ball_html
    environment.filters["claim"] = claim_html
    environment.filters["indexed"] = indexed_html
    drawn = pictures or {}
    entries = [
        _Entry.of(verdict, run, drawn.get(verdict.statement.name) or picture_of(verdict))
        for verdict in verdicts
    ]
    return environment.get_template("report.html.jinja").render(
        run=run,
        lost=dict(lost or {}),
        css=Markup((Path(__file__).parent / "report.css").read_text(encoding="utf-8")),
        entries=entries,
        papers=[
            (paper, list(group)) for paper, group in groupby(entries, key=lambda e: e.statement.source.paper)
        ],
        counts=[(outcome, n) for outcome in Outcome if (n := _count(verdicts, outcome))],
        unexpected=[entry for entry in entries if not entry.verdict.as_expected],
        drawn=sum(verdict.examples for verdict in verdicts),
        nonvacuous=sum(verdict.nonvacuous for verdict in verdicts),
        found=findings(verdicts),
        heading=heading_of(verdicts, title),
        theorems=chapter_html(_anchors(verdicts)) if is_about_the_papers(verdicts) else "",
    )


def _anchors(verdicts: Sequence[Verdict]) -> dict[str, str]:
    """Where a statement's verdict stands: by its name, and by its key the first of its forms."""
    names = [(verdict.statement.key, verdict.statement.name) for verdict in reversed(verdicts)]
    return dict(names) | {name: name for _, name in names}


@dataclass(frozen=True)
class _Entry:
    """What the template shows of one verdict."""

    verdict: Verdict
    assumptions: tuple[AssumptionCount, ...]
    assumed: str
    picture: Picture
    instance: dict[str, Any]
    details: dict[str, Any]
    command: str
    replays: dict[str, str]
    telling_instance: dict[str, Any]
    telling_command: str
    script: str
    attack: str

    @classmethod
    def of(cls, verdict: Verdict, run: RunInfo, picture: Picture) -> _Entry:
        worst, telling = verdict.worst, verdict.telling
        return cls(
            verdict=verdict,
            assumptions=verdict.assumptions,
            assumed=in_a_sentence(verdict.statement.assumptions),
            picture=picture,
            instance=dataclasses.asdict(worst.instance) if worst is not None else {},
            details=dict(worst.evidence.details) if worst is not None and worst.evidence else {},
            command=reproducing_command(verdict, worst, run) if worst is not None else "",
            replays={
                control.name: replaying_command(verdict.statement, control, run)
                for control in verdict.statement.controls
            },
            telling_instance=dataclasses.asdict(telling.instance) if telling is not None else {},
            telling_command=reproducing_command(verdict, telling, run) if telling is not None else "",
            script=script_of(verdict.statement) or "",
            attack=attack_in_words(verdict),
        )

    @property
    def statement(self) -> Any:
        return self.verdict.statement

    @property
    def evidence(self) -> Any:
        return self.verdict.worst.evidence if self.verdict.worst is not None else None

    @property
    def controls(self) -> list[tuple[Any, bool]]:
        return [(control, self.verdict.controls[control.name]) for control in self.statement.controls]


def number_html(value: Any) -> Markup:
    """Four significant digits; powers of ten as superscripts; a list as its numbers, a None as a dash."""
    if value is None:
        return Markup("–")
    if isinstance(value, list | tuple):
        return Markup(", ").join(number_html(item) for item in value)
    if isinstance(value, bool | str):
        return Markup.escape(value)
    if isinstance(value, int):
        return Markup(f"{value}".replace("-", "−"))
    try:
        value = float(value)
    except (TypeError, ValueError):
        return Markup.escape(str(value))
    if not math.isfinite(value):
        return Markup({math.inf: "∞", -math.inf: "−∞"}.get(value, "not a number"))
    mantissa, _, exponent = f"{value:.4g}".replace("-", "−").partition("e")
    if not exponent:
        return Markup(mantissa)
    exponent = exponent.replace("+", "")
    sign = "−" if exponent.startswith("−") else ""
    return Markup(f"{mantissa}·10<sup>{sign}{exponent.lstrip('−0')}</sup>")


def ball_html(enclosed: Enclosed) -> Markup:
    """The enclosed margin: its middle where both ends agree in the digits shown, else both ends; 0 where it is zero."""
    if enclosed.outcome == EnclosedOutcome.EQUAL:
        return Markup("0")
    low, high = number_html(enclosed.low), number_html(enclosed.high)
    return low if low == high else Markup("{} … {}").format(low, high)


def duration(seconds: float) -> str:
    """``0.02 s``, ``3.4 s``, ``2 min 5 s``."""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.01 else "< 0.01 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _count(verdicts: Iterable[Verdict], outcome: Outcome) -> int:
    return Counter(verdict.outcome for verdict in verdicts)[outcome]
