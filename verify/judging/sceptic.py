"""A sceptic's script for every refutation: a few lines of NumPy or mpmath that import nothing of this project."""

from __future__ import annotations

from importlib import resources

from verify.judging.statement import AnyStatement

FOLDER = "sceptic_scripts"


def script_of(statement: AnyStatement) -> str | None:
    """The text of the statement's script, None where it has none.

    A script prints both sides of the claim on one counterexample and says which is larger; it needs NumPy or mpmath.
    """
    file = resources.files("verify.judging") / FOLDER / f"{statement.name}.py"
    return file.read_text(encoding="utf-8") if file.is_file() else None
