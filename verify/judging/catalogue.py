"""What there is, without importing it: names and titles of statements (and figures) from a file made beforehand.

Importing the statements brings torch, SciPy and matplotlib, which takes seconds; a list or the refusal of a mistyped
name should take none. A catalogue is trusted only while the headers in the source files are those it was made from;
else it is left aside, and the caller imports. ``python -m verify.command.catalogues`` writes it again.
"""

from __future__ import annotations

import difflib
import fnmatch
import functools
import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from dynamics.validation import shown
from verify.judging.vocabulary import Form, Outcome

PAPERS = ("luckmatters", "specialization")
"""The paper packages in the order of the report."""

_VERIFY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Catalogue:
    """A file of entries, and the sources it speaks of.

    ``header``: what in a source file defines an entry; an edit elsewhere leaves the catalogue as it is.
    """

    file: Path
    folders: tuple[Path, ...]
    header: re.Pattern[str]

    def digest(self) -> str:
        """A hash of the headers in the sources. Cost: reading them, some milliseconds."""
        found = hashlib.sha256()
        for path in sorted(path for folder in self.folders for path in folder.glob("*.py")):
            headers = self.header.findall(path.read_text(encoding="utf-8"))
            found.update(json.dumps([path.name, *headers]).encode())
        return found.hexdigest()

    def entries(self) -> Sequence[Mapping[str, str]] | None:
        """The entries, in reading order; None where the file is missing or older than the headers."""
        if not self.file.exists():
            return None
        content = json.loads(self.file.read_text(encoding="utf-8"))
        return content["entries"] if content["digest"] == self.digest() else None

    def content(self, entries: Iterable[Mapping[str, str]]) -> str:
        """The text of the file for these entries."""
        return json.dumps({"digest": self.digest(), "entries": list(entries)}, indent=1) + "\n"


STATEMENTS = Catalogue(
    file=Path(__file__).with_name("catalogue.json"),
    folders=tuple(_VERIFY / paper for paper in PAPERS),
    header=re.compile(r'\bItem\(.*?\n\)|\.claim\(.*?""".*?"""|\bStatement\(.*?\n\)', re.DOTALL),
)


class Named(Protocol):
    """What a statement is found by."""

    @property
    def name(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def form(self) -> Form: ...


class Titled(Named, Protocol):
    """What a list shows of a statement."""

    @property
    def expected(self) -> Outcome: ...
    @property
    def title(self) -> str: ...


N = TypeVar("N", bound=Named)


@dataclass(frozen=True)
class StatementEntry:
    """A statement as lists show it."""

    name: str
    key: str
    form: Form
    expected: Outcome
    title: str

    @classmethod
    def of(cls, entry: Mapping[str, str]) -> StatementEntry:
        """The entry from its record in the file."""
        return cls(
            entry["name"], entry["key"], Form(entry["form"]), Outcome(entry["expected"]), entry["title"]
        )

    @classmethod
    def shown(cls, statement: Titled) -> StatementEntry:
        """The entry of a statement."""
        return cls(statement.name, statement.key, statement.form, statement.expected, statement.title)

    def record(self) -> dict[str, str]:
        """The record in the file."""
        return {
            "name": self.name,
            "key": self.key,
            "form": str(self.form),
            "expected": str(self.expected),
            "title": self.title,
        }


@functools.cache
def catalogued() -> Mapping[str, StatementEntry] | None:
    """Every statement by name, in reading order; None where the catalogue is out of date."""
    entries = STATEMENTS.entries()
    return None if entries is None else {entry["name"]: StatementEntry.of(entry) for entry in entries}


def names_of(patterns: Sequence[str], form: str | None, known: Mapping[str, N]) -> tuple[N, ...]:
    """Those of ``known`` that ``patterns`` name, in its order; all of them for no pattern.

    A pattern is a full name (``luckmatters.theorem4.sharp``), a key (all its forms), a paper, any other dotted prefix,
    or a shell pattern (``luckmatters.lemma*``); without its paper (``lemma7``) where only one paper has it. ``form``
    keeps one form only.

    Raises:
        ValueError: a pattern or form that matches nothing, with the nearest names, or a key of several papers.
    """
    chosen = {name for pattern in patterns or ("*",) for name in _matching(pattern, known)}
    if form is not None:
        if form not in list(Form):
            raise ValueError(f"form: expected one of {', '.join(Form)}, got {shown(form)}")
        chosen = {name for name in chosen if known[name].form == form}
        if not chosen:
            raise ValueError(f"form: no statement among {', '.join(patterns) or 'all'} has the form {form!r}")
    return tuple(found for name, found in known.items() if name in chosen)


def _matching(pattern: str, known: Mapping[str, N]) -> list[str]:
    """The names that one pattern means: as it stands, or within the one paper in which it means something."""
    within = {paper: _names(f"{paper}.{pattern}", known) for paper in _papers(known)}
    found = {paper: names for paper, names in within.items() if names}
    names = _names(pattern, known)
    if names:
        return names
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        both = " or ".join(f"{paper}.{pattern}" for paper in found)
        raise ValueError(f"key: {shown(pattern)} is a statement of several papers; name {both}")
    near = _near(pattern, known)
    hint = f"did you mean {', '.join(near)}?" if near else "luckproof list shows them"
    raise ValueError(f"key: no statement is called {shown(pattern)}; {hint}")


def _names(pattern: str, known: Mapping[str, N]) -> list[str]:
    return [
        name
        for name in known
        if name == pattern or name.startswith(f"{pattern}.") or fnmatch.fnmatchcase(name, pattern)
    ]


def _papers(known: Mapping[str, N]) -> list[str]:
    return list(dict.fromkeys(name.partition(".")[0] for name in known))


def _near(pattern: str, known: Mapping[str, N]) -> list[str]:
    """Keys and names that hold the pattern as a part, else those that look like it, with their paper or without."""
    wanted = pattern.lower().replace(" ", "")
    names = list(dict.fromkeys([*(entry.key for entry in known.values()), *known]))
    holding = [name for name in names if wanted and f".{wanted}." in f".{name}."]
    if holding:
        return [name for name in holding if not _continues(name, holding)][:NEAREST]
    shortened: dict[str, list[str]] = {}
    for name in names:
        shortened.setdefault(name.partition(".")[2], []).append(name)
    whole = nearest(wanted, names)
    return whole or [name for short in nearest(wanted, shortened) for name in shortened[short]][:NEAREST]


def _continues(name: str, others: Collection[str]) -> bool:
    return any(name.startswith(f"{other}.") for other in others)


NEAREST = 3
"""Names that a message suggests at most."""

NEAR = 0.75
"""Likeness, of 1, from which a name is suggested: a letter or two of a word."""


def nearest(name: str, known: Collection[str]) -> list[str]:
    """Up to three of ``known`` that look like ``name``."""
    return difflib.get_close_matches(name, known, n=NEAREST, cutoff=NEAR)
