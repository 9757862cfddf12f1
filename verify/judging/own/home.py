"""The file in which a statement of one's own stands: what belongs to it lies beside that file."""

from __future__ import annotations

import inspect
from pathlib import Path

from verify.judging.origin import is_own
from verify.judging.own.sources import package_of, sources_of
from verify.judging.statement import AnyStatement


def home_of(statement: AnyStatement) -> Path | None:
    """The file given with ``--from``; of another statement of one's own the file in which its evidence is written.

    None for the papers' statements, and for one of a notebook or a prompt.
    """
    if not is_own(statement.evidence):
        return None
    if statement.origin is not None and statement.origin.file:
        return Path(statement.origin.file)
    code = getattr(inspect.unwrap(statement.evidence), "__code__", None)
    file = Path(code.co_filename) if code is not None else Path()
    return file.resolve() if file.is_file() else None


def sources_at(statement: AnyStatement, home: Path) -> list[Path]:
    """The Python files that make up a statement of one's own.

    Of a package all of them, else ``home`` and what it imports from beside it.
    """
    given = statement.origin is not None and statement.origin.file
    package = None if given else package_of(home)
    return sources_of(home) if package is None else sorted(package.rglob("*.py"))
