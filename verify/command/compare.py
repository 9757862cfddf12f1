"""``luckproof compare``: a flow beside networks from the same starts, with a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from verify.command.common_options import Json, Quiet
from verify.command.errors import FAILED, UNEXPECTED, UNRESOLVED, CommandLineError, boundary
from verify.command.generated_options import Given, from_options, naming_options, with_options
from verify.command.output import Output, output
from verify.command.plain_help import PlainCommand
from verify.command.run_files import Out, Plot, check_files, plot_format
from verify.comparisons.options import TwoLayerComparison

if TYPE_CHECKING:
    from verify.comparisons.comparison import Comparison


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="compare", cls=PlainCommand)(
        with_options(
            compare, {"two-layer": TwoLayerComparison}, leave=("momentum", "weight_decay", "products")
        )
    )


def compare(
    options: Given,
    out: Out = None,
    plot: Plot = None,
    json: Json = None,
    quiet: Quiet = False,
) -> None:
    """Compare a flow with networks: at every step, do networks that start where it does move as it says?

    Given where a network is, the mean of its next step is known exactly, at any learning rate and batch: the verdict
    allows for sampling and for nothing else. Shown beside it: how far networks and flow come apart, and how much of
    that the size of the step explains; the late rate fitted on networks, and the one predicted for them.

    Exit code 0: agree; 1: disagree; 5: unresolved (too few samples to have seen an error of --resolve); 2: bad input;
    3: the integration failed or the training diverged.

    Examples:
      luckproof compare --d 10 --m 5 --theta0 0.3 --networks 16 --plot compare.png
      luckproof compare --theta0 0.3 --json - | jq .verdict
    """
    with output(quiet, json) as voice:
        raise typer.Exit(run(voice, options, out, plot))


def run(voice: Output, options: Given, out: Path | None, plot: Path | None) -> int:
    """Make the comparison, print what came of it and write the files; the exit code of its verdict."""
    with boundary():
        check_files(voice, out, plot)
        asked: TwoLayerComparison = from_options(TwoLayerComparison, options, "compare has no such option")
    found = compared(voice, asked)
    from verify.comparisons.told import told
    from verify.comparisons.windows import Agreement

    networks = f"{asked.networks} networks" + (
        f" for each of {asked.instances} draws" if asked.instances > 1 else ""
    )
    voice.result(
        f"{asked.flow} flow and {networks}: d {asked.d}, m {asked.m}, lr {asked.lr:g}, batches of {asked.batch_size}, "
        f"{asked.steps} steps, seed {asked.seed}",
        *told(found),
    )
    write(voice, found, out, plot)
    codes = {Agreement.AGREE: 0, Agreement.DISAGREE: UNEXPECTED, Agreement.UNRESOLVED: UNRESOLVED}
    return codes[found.verdict]


def compared(voice: Output, asked: TwoLayerComparison) -> Comparison:
    """The comparison; what fails on the way is exit code 3."""
    from verify.comparisons.watched_training import FailedComparisonError

    try:
        bar = voice.bar(f"{asked.flow} flow and networks")
        with boundary(), naming_options(TwoLayerComparison), bar as progress:
            return asked.compared(progress=progress)
    except FailedComparisonError as error:
        raise CommandLineError(str(error), FAILED) from error


def write(voice: Output, found: Comparison, out: Path | None, plot: Path | None) -> None:
    """Write the files that were asked for."""
    from dynamics.files.writing import write_atomically
    from verify.comparisons.data import plain

    with boundary():
        if out is not None:
            found.save(out)
            voice.written("--out", out)
        if voice.json is not None:
            voice.write_json(plain(found))
        if plot is not None:
            from verify.command.comparison_picture import picture
            from verify.figures.style import rendered

            write_atomically(plot, rendered(lambda: picture(found), plot_format(plot)), "--plot")
            voice.written("--plot", plot)
