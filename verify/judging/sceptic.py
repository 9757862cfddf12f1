"""A sceptic's script: a few lines of NumPy or mpmath that show what a statement shows, without this project.

Those of the papers' statements are in ``sceptic_scripts/`` here; one of one's own is in a folder of that name beside
the file of the statement. A script is called after its statement, ``NAME.py``.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from dynamics.files.places import check_readable
from verify.judging.origin import is_own, told
from verify.judging.own.home import home_of
from verify.judging.statement import AnyStatement

FOLDER = "sceptic_scripts"

_WRITTEN = {"numpy": "NumPy", "scipy": "SciPy"}


def script_of(statement: AnyStatement) -> str | None:
    """The text of the statement's script, None where it has none.

    A script prints both sides of the claim on one instance, a counterexample say, and says which is larger.

    Raises:
        ValueError: what stands there is no file, or is not text in UTF-8.
    """
    file = script_file(statement)
    if file is None or not file.exists():
        return None
    try:
        return check_readable("script", told(file)).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"script: {told(file)}: expected text in UTF-8, {error.reason} at byte {error.start}"
        ) from error


def needed_by(script: str) -> tuple[str, ...]:
    """The packages beyond Python's own library that a script imports, as people write them."""
    try:
        nodes = list(ast.walk(ast.parse(script)))
    except (SyntaxError, ValueError):
        return ()
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    packages = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    return tuple(sorted(_WRITTEN.get(name, name) for name in packages))


def script_file(statement: AnyStatement) -> Path | None:
    """Where the statement's script is, or would be; None for a statement of a notebook, which has no place."""
    home = home_of(statement) if is_own(statement.evidence) else Path(__file__)
    return None if home is None else home.parent / FOLDER / f"{statement.name}.py"
