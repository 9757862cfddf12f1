"""One fault in one place: what stands there, what is put there, and the tests that must notice."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The checkout that these tests belong to."""

LISTS = Path(__file__).parent


class StaleMutantError(ValueError):
    """The code has moved on: the mutant cannot be applied to it any more."""


@dataclass(frozen=True)
class Mutant:
    """A single fault.

    Attributes:
        name: what is wrong with it, in words.
        room: the list that it stands in.
        file: relative to the checkout.
        old: text that stands there exactly once.
        new: what is put in its place.
        tests: arguments for pytest, the few tests that ought to fail.
        excuse: why none can: the fault is equivalent, or what it would take to see it; empty where one must fail.
    """

    name: str
    room: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    excuse: str = ""

    def changed(self, text: str) -> str:
        """The content of the file with the fault in it.

        Raises:
            StaleMutantError: the old text does not stand there exactly once, or the result is no Python.
        """
        count = text.count(self.old)
        if count != 1:
            raise StaleMutantError(f"{self.name}: expected its text once in {self.file}, found {count} times")
        changed = text.replace(self.old, self.new)
        try:
            ast.parse(changed)
        except SyntaxError as error:
            raise StaleMutantError(f"{self.name}: {self.file} is no Python any more: {error}") from error
        return changed


def known_mutants() -> list[Mutant]:
    """All mutants, list by list; a ``[[mutant]]`` of a list has the fields of the class but ``room``."""
    return [
        Mutant(room=path.stem, **{**entry, "tests": tuple(entry["tests"])})
        for path in sorted(LISTS.glob("*.toml"))
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]
    ]
