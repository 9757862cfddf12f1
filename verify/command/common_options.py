"""The options that mean the same in every command that has them, each written once.

``--device`` where networks are trained, ``--jobs`` how many processes, ``--json`` the result for programs, ``--out``
the result itself, ``--quiet`` neither progress nor remarks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from nets.two_layer.training_options import DEVICE_WORDS
from verify.command.errors import BAD_INPUT, CommandLineError

Choices = Callable[[], Sequence[str]] | Sequence[str]
"""Words that complete a beginning, or what gives them."""

DEVICES = ("auto", "cpu", "cuda")
"""Devices that a shell completes; ``cuda:N`` is typed."""

ONE_A_CORE = 0
"""The number of processes that means one for every core."""

OUT_WORDS = "Write the result to this file"
FOLDER_WORDS = "Folder of the results; made if missing."


def among(choices: Choices) -> Callable[[str], list[str]]:
    """What completes the beginning of one of the ``choices`` in a shell."""

    def completed(incomplete: str) -> list[str]:
        known = choices() if callable(choices) else choices
        return [choice for choice in known if choice.startswith(incomplete)]

    return completed


def out_file(kind: str) -> typer.models.OptionInfo:
    """``--out`` of a command whose result is one file of this kind."""
    option: typer.models.OptionInfo = typer.Option("--out", metavar="FILE", help=f"{OUT_WORDS} ({kind}).")
    return option


Device = Annotated[
    str, typer.Option("--device", metavar="NAME", help=DEVICE_WORDS, autocompletion=among(DEVICES))
]
Jobs = Annotated[
    int, typer.Option("--jobs", metavar="N", help="Processes of this machine; 0: one for every core.")
]
Json = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the result as JSON; - is standard output, which then holds nothing else.",
    ),
]
OutFolder = typer.Option("--out", metavar="DIR", help=FOLDER_WORDS)
Quiet = Annotated[
    bool, typer.Option("--quiet", help="No progress and no remarks: results and names of files alone.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--scheduler", metavar="tcp://HOST:PORT", help="Use the workers of this Dask scheduler instead."
    ),
]


def checked_device(name: str) -> str:
    """The device that ``--device`` names; see :func:`nets.devices.resolve_device`."""
    from nets.devices import resolve_device

    try:
        return resolve_device(name)
    except ValueError as error:
        raise ValueError(f"--{error}") from error


def checked_jobs(jobs: int) -> int | None:
    """The number that ``--jobs`` asks for; None for one for every core."""
    if jobs < 0:
        raise CommandLineError(f"--jobs: expected a number of processes >= 0, got {jobs}", BAD_INPUT)
    return None if jobs == ONE_A_CORE else jobs
