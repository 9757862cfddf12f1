"""The page's order: papers, in each its theorems, in each its items, in each its forms; and the map of them all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from verify.judging import Form, Outcome
from verify.report.page.entry import Entry
from verify.report.page.places import Paper
from verify.report.page.strengths import StrengthKind, proved_instances
from verify.report.theorems_chapter import ChapterSection

_NUMBERED = re.compile(r"(theorem|lemma|corollary|assumption|definition|figure|eqn)(\d+(?:_\d+)*)")

_HEADINGS = {
    "conjecture_deep": "Conjecture on deep networks",
    "convnets": "ConvNets",
    "kink": "Kink identity",
    "lotka_volterra": "Lotka–Volterra",
    "strong_first": "Strong teachers first",
    "svcca": "SVCCA",
    "winners_take_all": "Winners take all",
}
"""Headings of groups whose key is no number and not its own heading."""


@dataclass(frozen=True)
class ItemOnPage:
    """One item of a paper with its forms."""

    key: str
    entries: Sequence[Entry]

    @property
    def title(self) -> str:
        """That of its first form."""
        return str(self.entries[0].statement.title)


@dataclass(frozen=True)
class Group:
    """A theorem, lemma, equation or section with all items about it.

    ``chapters``: theorems of ours that name one of its statements.
    """

    key: str
    heading: str
    items: Sequence[ItemOnPage]
    chapters: Sequence[ChapterSection] = ()

    @property
    def anchor(self) -> str:
        """Of its section; the key itself is the anchor of an item."""
        return f"about-{self.key}"

    @property
    def entries(self) -> list[Entry]:
        """All forms of all its items."""
        return [entry for item in self.items for entry in item.entries]

    def of_form(self, form: Form) -> list[Entry]:
        """Those judged in one form: the signs in a cell of the map."""
        return [entry for entry in self.entries if entry.statement.form is form]

    @property
    def proved(self) -> list[Entry]:
        """Those decided in exact arithmetic: for all instances, on judged ones, or by a counterexample."""
        return [
            entry
            for entry in self.entries
            if entry.strength is StrengthKind.PROVED or proved_instances(entry.verdict)
        ]


@dataclass(frozen=True)
class PaperOnPage:
    """A paper with its groups, in reading order; ``number`` tells papers apart in the page's filter."""

    paper: Paper
    number: int
    groups: Sequence[Group] = field(default_factory=tuple)

    @property
    def anchor(self) -> str:
        """Of its section."""
        return f"paper-{self.number}"

    @property
    def proved(self) -> int:
        """How many statements are decided in exact arithmetic."""
        return sum(len(group.proved) for group in self.groups)


def papers_of(
    entries: Sequence[Entry], chapters: Mapping[str, Sequence[ChapterSection]]
) -> list[PaperOnPage]:
    """The page's order of ``entries``.

    Args:
        entries: in reading order.
        chapters: theorems of ours by the key or name of a statement that they name.
    """
    papers = groupby(entries, key=lambda entry: entry.statement.source.paper)
    return [_paper(number, list(part), chapters) for number, (_, part) in enumerate(papers, 1)]


def _paper(
    number: int, entries: Sequence[Entry], chapters: Mapping[str, Sequence[ChapterSection]]
) -> PaperOnPage:
    groups = [
        _group(key, list(part), chapters)
        for key, part in groupby(entries, key=lambda e: group_key(e.statement.key))
    ]
    return PaperOnPage(Paper.of(entries[0].statement.source), number, groups)


def _group(key: str, entries: Sequence[Entry], chapters: Mapping[str, Sequence[ChapterSection]]) -> Group:
    items = [ItemOnPage(item, list(part)) for item, part in groupby(entries, key=lambda e: e.statement.key)]
    named = [name for item in items for name in (item.key, *(e.statement.name for e in item.entries))]
    about = dict.fromkeys(chapter for name in named for chapter in chapters.get(name, ()))
    return Group(key, heading_of(key), items, tuple(about))


def group_key(key: str) -> str:
    """Paper and theorem of an item's key: ``luckmatters.theorem4`` of ``luckmatters.theorem4.basin``."""
    return ".".join(key.split(".")[:2])


def heading_of(key: str) -> str:
    """``Theorem 4`` of ``luckmatters.theorem4``, ``Theorem 2.2`` of ``mine.theorem2_2``."""
    word = key.partition(".")[2] or key
    numbered = _NUMBERED.fullmatch(word)
    if numbered:
        return f"{numbered[1].capitalize()} {numbered[2].replace('_', '.')}"
    return _HEADINGS.get(word) or word.replace("_", " ").capitalize()


SIGNS = {
    Outcome.HOLDS: "✓",
    Outcome.OBSERVED: "●",
    Outcome.REFUTED: "✗",
    Outcome.NOT_OBSERVED: "○",
    Outcome.VACUOUS: "∅",
    Outcome.INCONCLUSIVE: "?",
    Outcome.NEEDED: "!",
    Outcome.NOT_NEEDED: "−",
}
"""A sign for each outcome, so that none is told by its colour alone."""

MEANINGS = {
    Outcome.HOLDS: "holds",
    Outcome.OBSERVED: "observed on networks or drawn starts",
    Outcome.REFUTED: "refuted",
    Outcome.NOT_OBSERVED: "not observed",
    Outcome.VACUOUS: "its conditions were never met",
    Outcome.INCONCLUSIVE: "not decided",
    Outcome.NEEDED: "the hypothesis is needed",
    Outcome.NOT_NEEDED: "the hypothesis is not needed",
}
"""What the signs mean, for the legend of the map."""

COLUMNS = (
    (Form.PRINTED, "printed", "as it stands in the paper"),
    (Form.READING, "reading", "made precise by us"),
    (Form.NECESSITY, "needed?", "a hypothesis left out on purpose"),
    (Form.CORRECTED, "corrected", "with the smallest repair"),
    (Form.SHARP, "sharp", "our own, with the best constant"),
)
"""Columns of the map, with what each means; a last one tells what is proved in exact arithmetic."""
