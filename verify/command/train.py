"""``luckproof train``: networks from the options of a simulation, trained; the same files as ``simulate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from nets.two_layer.training_options import TwoLayerTraining
from verify.command.common_options import Quiet
from verify.command.errors import boundary
from verify.command.generated_options import Given, from_options, naming_options, with_options
from verify.command.output import Output, output
from verify.command.plain_help import PlainCommand
from verify.command.run_files import Out, Plot, check_files, require_success, write_files

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="train", cls=PlainCommand)(
        with_options(train, {"two-layer": TwoLayerTraining}, leave=())
    )


def train(options: Given, out: Out = None, plot: Plot = None, quiet: Quiet = False) -> None:
    """Train two-layer networks: those whose gradient flow simulate integrates, from the same starts.

    The same options and seed give the same teachers and starts as simulate, and the files hold the same observables.

    Exit code 0: done; 2: bad input; 3: the training diverged (nothing is written then).

    Example:
      luckproof train --d 10 --m 5 --theta0 0.3 --networks 16 --out nets.nc
    """
    with output(quiet) as voice:
        run(voice, options, out, plot)


def run(voice: Output, options: Given, out: Path | None, plot: Path | None) -> None:
    """Train what the options describe, print the summary and write the files that were asked for."""
    with boundary():
        check_files(voice, out, plot)
        training: TwoLayerTraining = from_options(TwoLayerTraining, options, "train has no such option")
        with naming_options(TwoLayerTraining):
            students = training.build()
            count = training.networks * training.instances
            with voice.bar(f"{count} network{'s' * (count > 1)}") as bar:
                trajectory = training.run(students, progress=bar)
    require_success(trajectory, "training")

    from verify.command.measured_rates import rates_of
    from verify.command.training_summary import training_summary

    flow = training.flow_on(students.problem)
    rates = rates_of(flow, trajectory, 0.0)

    def draw() -> Figure:
        from verify.command.two_layer_picture import picture

        return picture(flow, trajectory, rates)

    voice.result(*training_summary(training, flow, trajectory, rates))
    write_files(voice, out, plot, trajectory, draw)
