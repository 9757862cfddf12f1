"""What commands about statements are told: which statements, and for ``verify`` what goes together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.errors import BAD_INPUT, CommandLineError
from verify.command.output import Output
from verify.command.run_files import check_files
from verify.judging import Form

if TYPE_CHECKING:
    from verify.judging import AnyStatement, Context


def completed(incomplete: str) -> list[str]:
    """Keys and names that begin with what is typed, for the shell."""
    from verify.judging import registry

    known = registry.select_entries()
    names = dict.fromkeys([*(entry.key for entry in known), *(entry.name for entry in known)])
    return [name for name in names if name.startswith(incomplete)]


Keys = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEYS",
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


def judged_here(chosen: Sequence[AnyStatement]) -> tuple[AnyStatement, ...]:
    """Those of the statements that can be judged: all, where python-flint is installed.

    Where it is not, those that need it are left out, which a line on stderr says; raises :class:`CommandLineError`,
    with what to install, where none is left.
    """
    from verify.judging.enclosing.balls import balls_available

    needing = [s.name for s in chosen if s.needs_balls]
    if not needing or balls_available():
        return tuple(chosen)
    verb = "needs" if len(needing) == 1 else "need"
    line = (
        f"{', '.join(needing)} {verb} python-flint, which is not installed: pip install 'luckproof[certify]'"
    )
    if len(needing) == len(chosen):
        raise CommandLineError(line, BAD_INPUT)
    typer.echo(f"luckproof: not judged: {line}", err=True)
    return tuple(s for s in chosen if not s.needs_balls)


def check_outputs(voice: Output, report: Path | None, title: str | None = None) -> None:
    """Refuse files that cannot be written before anything is judged."""
    if title is not None and (report is None or not title.strip()):
        raise ValueError("--title: is the title of a page, so it needs words and --report")
    check_files(voice, report=report)


def check_record(record: bool, chosen: Sequence[AnyStatement], context: Context) -> None:
    """Refuse to record what is no attack, or has no place of one's own, before anything is judged.

    A record beside a file that cannot be read is refused without ``--record`` too: reports would show it.
    """
    from verify.judging.trials.own_record import check_recordable
    from verify.judging.trials.recorded_attacks import attack_on_record

    if record and not context.attack:
        raise ValueError("--record: keeps what came of an attack, so it needs --attack N")
    if record:
        check_recordable("--record", chosen)
    for statement in chosen:
        attack_on_record(statement)


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
            "--instance: evaluates one instance, so --report and --json do not apply, nor do --resume and --record"
        )
    return (registry.only(" ".join(keys or "*"), chosen),)
