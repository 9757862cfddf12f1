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
    or a shell pattern (``luckmatters.lemma*``). ``form`` keeps one form only.

    Raises:
        ValueError: a pattern or form that matches nothing, with the nearest names.
    """
    chosen = {name for pattern in patterns or ("*",) for name in _matching(pattern, known)}
    if form is not None:
        if form not in list(Form):
            raise ValueError(f"form: expected one of {', '.join(Form)}, got {form!r}")
        chosen = {name for name in chosen if known[name].form == form}
        if not chosen:
            raise ValueError(f"form: no statement among {', '.join(patterns) or 'all'} has the form {form!r}")
    return tuple(found for name, found in known.items() if name in chosen)


def _matching(pattern: str, known: Mapping[str, N]) -> list[str]:
    names = [
        name
        for name in known
        if name == pattern or name.startswith(f"{pattern}.") or fnmatch.fnmatchcase(name, pattern)
    ]
    if not names:
        near = nearest(
            pattern.lower().replace(" ", ""), dict.fromkeys([*known, *(n.key for n in known.values())])
        )
        hint = f"did you mean {', '.join(near)}?" if near else "luckproof list shows them"
        raise ValueError(f"key: no statement is called {pattern!r}; {hint}")
    return names


def nearest(name: str, known: Collection[str]) -> list[str]:
    """Up to three of ``known`` that look like ``name``."""
    return difflib.get_close_matches(name, known, n=3, cutoff=0.5)
