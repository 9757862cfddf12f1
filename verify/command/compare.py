"""``luckproof compare``: a flow beside networks from the same starts, with a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verify.command.errors import FAILED, UNEXPECTED, UNRESOLVED, CommandLineError, boundary
from verify.command.generated_options import Given, from_options, naming_options, with_options
from verify.command.plain_help import PlainCommand
from verify.command.run_files import Out, Plot, check_files, plot_format
from verify.comparisons.options import TwoLayerComparison

if TYPE_CHECKING:
    from verify.comparisons.comparison import Comparison


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="compare", cls=PlainCommand)(
        with_options(compare, {"two-layer": TwoLayerComparison}, leave=("momentum", "weight_decay"))
    )


def compare(
    options: Given,
    out: Out = None,
    plot: Plot = None,
    json: Annotated[Path | None, typer.Option(help="Write what came of it (JSON).", metavar="PATH")] = None,
) -> None:
    """Compare a flow with networks: at every step, do networks that start where it does move as it says?

    Given where a network is, the mean of its next step is known exactly, at any learning rate and batch: the verdict
    allows for sampling and for nothing else. Shown beside it: how far networks and flow come apart, and how much of
    that the size of the step explains; the late rate fitted on networks, and the one predicted for them.

    Exit code 0: agree; 1: disagree; 5: unresolved (too few samples to have seen an error of --resolve); 2: bad input;
    3: the integration failed or the training diverged.

    Example: luckproof compare --d 10 --m 5 --theta0 0.3 --networks 16 --plot compare.png
    """
    with boundary():
        check_files(out, plot, json)
        asked: TwoLayerComparison = from_options(TwoLayerComparison, options, "compare has no such option")
    found = compared(asked)
    from verify.comparisons.told import told
    from verify.comparisons.windows import Agreement

    networks = f"{asked.networks} networks" + (
        f" for each of {asked.instances} draws" if asked.instances > 1 else ""
    )
    typer.echo(
        f"{asked.flow} flow and {networks}: d {asked.d}, m {asked.m}, lr {asked.lr:g}, batches of {asked.batch_size}, "
        f"{asked.steps} steps, seed {asked.seed}"
    )
    typer.echo("\n".join(told(found)))
    write(found, out, plot, json)
    codes = {Agreement.AGREE: 0, Agreement.DISAGREE: UNEXPECTED, Agreement.UNRESOLVED: UNRESOLVED}
    raise typer.Exit(codes[found.verdict])


def compared(asked: TwoLayerComparison) -> Comparison:
    """The comparison; what fails on the way is exit code 3."""
    from verify.comparisons.watched_training import FailedComparisonError

    try:
        with boundary(), naming_options(TwoLayerComparison):
            return asked.compared(progress=True)
    except FailedComparisonError as error:
        raise CommandLineError(str(error), FAILED) from error


def write(found: Comparison, out: Path | None, plot: Path | None, json: Path | None) -> None:
    """Write the files that were asked for."""
    import json as json_module

    from dynamics.files.writing import write_atomically
    from verify.comparisons.data import plain

    with boundary():
        if out is not None:
            found.save(out)
        if json is not None:
            write_atomically(json, json_module.dumps(plain(found), indent=1, allow_nan=False) + "\n")
        if plot is not None:
            from verify.command.comparison_picture import picture
            from verify.figures.style import rendered

            write_atomically(plot, rendered(lambda: picture(found), plot_format(plot)))
