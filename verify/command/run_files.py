"""The files of a run, ``--out`` and ``--plot``: refused before it starts where they cannot be written, then written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.errors import FAILED, CommandLineError, boundary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dynamics.ode.trajectory import Trajectory

PLOT_FORMATS = ("png", "svg")

Out = Annotated[Path | None, typer.Option(help="Write the run (NetCDF).", metavar="PATH")]
Plot = Annotated[Path | None, typer.Option(help="Write a picture (.png or .svg).", metavar="PATH")]


def check_files(out: Path | None, plot: Path | None) -> None:
    """Refuse files that cannot be written before anything is integrated."""
    from dynamics.files.places import check_writable, same_place

    for option, path in (("--out", out), ("--plot", plot)):
        if path is not None:
            check_writable(option, path)
    if plot is not None and _format(plot) not in PLOT_FORMATS:
        raise ValueError(f"--plot: expected a .png or .svg file, got {plot}")
    if plot is not None and out is not None and same_place(plot, out):
        raise ValueError(f"--plot: expected another file than --out, got {plot} for both")


def _format(plot: Path) -> str:
    return plot.suffix.lstrip(".").lower()


def require_success(trajectory: Trajectory, what: str) -> None:
    if not trajectory.success:
        raise CommandLineError(f"{what} failed: {trajectory.message}", FAILED)


def write_files(
    out: Path | None, plot: Path | None, trajectory: Trajectory, draw: Callable[[], Figure]
) -> None:
    """Write the files that were asked for; ``draw`` is called only for a picture."""
    from dynamics.files.writing import write_atomically

    with boundary():
        if out is not None:
            trajectory.save(out)
        if plot is not None:
            from verify.figures.style import rendered

            write_atomically(plot, rendered(draw, _format(plot)))
