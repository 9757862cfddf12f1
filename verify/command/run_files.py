"""The files of a run, ``--out`` and ``--plot``: refused before it starts where they cannot be written, then written."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.common_options import out_file
from verify.command.errors import FAILED, CommandLineError, boundary
from verify.command.output import Output

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dynamics.ode.trajectory import Trajectory

PLOT_FORMATS = ("png", "svg")

Out = Annotated[Path | None, out_file("NetCDF")]
Plot = Annotated[Path | None, typer.Option(help="Write a picture (.png or .svg).", metavar="FILE")]


def check_files(
    voice: Output, out: Path | None = None, plot: Path | None = None, report: Path | None = None
) -> None:
    """Refuse files that cannot be written before anything runs, and remember those that will be replaced.

    Raises ValueError, naming the option.
    """
    from dynamics.files.places import check_writable, same_place

    files = {"--out": out, "--plot": plot, "--report": report, "--json": voice.json_file}
    given = [(option, path) for option, path in files.items() if path is not None]
    for option, path in given:
        check_writable(option, path)
    if plot is not None and plot_format(plot) not in PLOT_FORMATS:
        raise ValueError(f"--plot: expected a .png or .svg file, got {plot}")
    for (first, one), (option, other) in itertools.combinations(given, 2):
        if same_place(one, other):
            raise ValueError(f"{option}: expected another file than {first}, got {other} for both")
    for _, path in given:
        voice.will_write(path)


def plot_format(plot: Path) -> str:
    """The format that the name of a picture asks for."""
    return plot.suffix.lstrip(".").lower()


def require_success(trajectory: Trajectory, what: str) -> None:
    """End the command with exit code 3 where a run did not come to its end."""
    if not trajectory.success:
        raise CommandLineError(f"{what} failed: {trajectory.message}", FAILED)


def write_files(
    voice: Output, out: Path | None, plot: Path | None, trajectory: Trajectory, draw: Callable[[], Figure]
) -> None:
    """Write the files that were asked for; ``draw`` is called only for a picture."""
    from dynamics.files.writing import write_atomically

    with boundary():
        if out is not None:
            trajectory.save(out)
            voice.written("--out", out)
        if plot is not None:
            from verify.figures.style import rendered

            write_atomically(plot, rendered(draw, plot_format(plot)), "--plot")
            voice.written("--plot", plot)
