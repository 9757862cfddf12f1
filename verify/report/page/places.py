"""Where a claim stands: the paper's short title, its arXiv page by version, and the code that judges the claim."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

from verify.judging import AnyStatement, Source

ROOT = Path(__file__).parents[3]
_PAPER = re.compile(r"(?P<authors>[^:]+): (?P<title>.+) \(arXiv:(?P<number>\d{4}\.\d{4,5})\)")
_VERSION = re.compile(r"v\d+")


@dataclass(frozen=True)
class Paper:
    """A paper as the page names it; ``arxiv`` is its number there, empty where it is on no arXiv."""

    title: str
    authors: str = ""
    arxiv: str = ""

    @classmethod
    def of(cls, source: Source) -> Paper:
        """From the line that names the paper."""
        found = _PAPER.fullmatch(source.paper)
        return cls(source.paper) if found is None else cls(found["title"], found["authors"], found["number"])


def arxiv_link(source: Source) -> str:
    """The address of the version meant; of the paper, where the version is told in words; empty without a paper there.

    A number of several versions, as ``v1 and v4``, leads to the first of them.
    """
    paper = Paper.of(source)
    if not paper.arxiv:
        return ""
    version = _VERSION.search(source.version)
    return f"https://arxiv.org/abs/{paper.arxiv}{version[0] if version else ''}"


def place_of(source: Source) -> str:
    """Version, section and number, without the paper; the note is said elsewhere."""
    section = f"section {source.section}" if source.section else ""
    return ", ".join(part for part in (source.version, section, source.number) if part)


@dataclass(frozen=True)
class Code:
    """The function that judges a claim: its file under the project's root, its first line, and its text."""

    file: str
    line: int
    text: str


def code_of(statement: AnyStatement) -> Code | None:
    """The evidence function's source without its docstring, which is the claim.

    None where Python does not know it (a function typed in a console).
    """
    function = inspect.unwrap(statement.evidence)
    try:
        lines, first = inspect.getsourcelines(function)
        path = Path(inspect.getsourcefile(function) or "")
    except (OSError, TypeError):
        return None
    shown = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
    return Code(shown, first, _without_docstring(textwrap.dedent("".join(lines))).rstrip())


def _without_docstring(source: str) -> str:
    try:
        (definition,) = ast.parse(source).body
    except (SyntaxError, ValueError):  # a lambda in the middle of a call
        return source
    if (
        not isinstance(definition, ast.FunctionDef)
        or ast.get_docstring(definition) is None
        or len(definition.body) == 1
    ):
        return source
    lines = source.splitlines(keepends=True)
    told = definition.body[0]
    return "".join(lines[: told.lineno - 1] + lines[told.end_lineno :])
