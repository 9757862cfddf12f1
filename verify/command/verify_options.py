"""What commands about statements are told: which statements, and for ``verify`` what goes together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.judging import Form

if TYPE_CHECKING:
    from verify.judging import AnyStatement


def completed(incomplete: str) -> list[str]:
    """Keys and names that begin with what is typed, for the shell."""
    from verify.judging import registry

    known = registry.select_entries()
    names = dict.fromkeys([*(entry.key for entry in known), *(entry.name for entry in known)])
    return [name for name in names if name.startswith(incomplete)]


Keys = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEYS]...",
        help="Statements: a full name, a key (all its forms; without its paper where one paper has it), a paper or a "
        "pattern. All, when left out; with --from all of that file.",
        autocompletion=completed,
    ),
]
From = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="Statements of one's own: those that this Python file defines (luckproof new statement writes one). May "
        "be given several times.",
    ),
]
FormOption = Annotated[Form | None, typer.Option("--form", help="Only this form.")]


def check_outputs(report: Path | None, json: Path | None, title: str | None = None) -> None:
    """Refuse files that cannot be written before anything is judged."""
    from dynamics.files.places import check_writable, same_place

    if title is not None and (report is None or not title.strip()):
        raise ValueError("--title: is the title of a page, so it needs words and --report")
    for option, path in (("--report", report), ("--json", json)):
        if path is not None:
            check_writable(option, path)
    if report is not None and json is not None and same_place(report, json):
        raise ValueError(f"--json: expected another file than --report, got {json} for both")


def check_one_instance(
    keys: Sequence[str] | None,
    chosen: tuple[AnyStatement, ...],
    instance: str | None,
    alter: str | None,
    with_files: bool,
) -> tuple[AnyStatement, ...]:
    """The statements to judge: one alone for ``--instance``, which has no files; raises ValueError otherwise."""
    from verify.judging import registry

    if instance is None:
        if alter is not None:
            raise ValueError("--alter: alters the claim on one instance, so it needs --instance")
        return chosen
    if with_files:
        raise ValueError(
            "--instance: evaluates one instance, so --report and --json do not apply, nor does --resume"
        )
    return (registry.only(" ".join(keys or "*"), chosen),)
