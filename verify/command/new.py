"""``luckproof new``: a commented file to start from, which runs at once."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from verify.command.common_options import Quiet, out_file
from verify.command.errors import boundary
from verify.command.plain_help import PlainCommand

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Kind(StrEnum):
    """What can be started."""

    STATEMENT = "statement"
    FLOW = "flow"
    MEASURE = "measure"


RUN = {
    Kind.STATEMENT: "luckproof verify --from {path}",
    Kind.FLOW: "python {path}",
    Kind.MEASURE: "python {path}",
}
"""The command that runs what was written."""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="new", cls=PlainCommand)(new)


def new(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="statement, flow or measure.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of the file, NAME.py, and of what is in it.")],
    out: Annotated[Path | None, out_file("Python; NAME.py where left out")] = None,
    quiet: Quiet = False,
) -> None:
    """Write a commented file with a statement, a flow or an input measure to start from; it runs at once.

    Nothing is overwritten.

    Example:
      luckproof new statement mytheorem && luckproof verify --from mytheorem.py
    """
    from dynamics.files.places import check_writable
    from dynamics.files.writing import write_atomically

    with boundary():
        check_name(name)
        path = Path(f"{name}.py") if out is None else out
        argument = "NAME" if out is None else "--out"
        if path.suffix != ".py":
            raise ValueError(f"{argument}: expected a file that ends in .py, got {path}")
        if os.path.lexists(path):
            raise ValueError(f"{argument}: {path} is there already, and nothing is overwritten")
        check_writable(argument, path)
        write_atomically(path, content(kind, name))
    typer.echo(path if quiet else f"{path} is written; run it: {RUN[kind].format(path=path)}")


def content(kind: Kind, name: str) -> str:
    """The text of the file."""
    template = (Path(__file__).parent / "templates" / f"{kind}.txt").read_text(encoding="utf-8")
    in_capitals = "".join(part.capitalize() for part in name.split("_"))
    return re.sub(r"\bCLASS\b", in_capitals, re.sub(r"\bNAME\b", name, template))


def check_name(name: str) -> None:
    """Refuse what is no name of a module, and that of a module which is there: the file would hide it, or it the file.

    Raises ValueError.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or not name.strip("_"):
        raise ValueError(
            f"NAME: expected small letters, digits and underscores, a letter first, and no word of Python, got {name!r}"
        )
    if importlib.util.find_spec(name) is not None:
        raise ValueError(f"NAME: expected a name that no module has, got {name!r}")
