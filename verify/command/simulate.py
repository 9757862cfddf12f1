"""``luckproof simulate``: a flow of ``dynamics`` from options: integrate it, save the run, plot it, tell its rates.

The options are the fields of the two simulations in ``dynamics``; here stand only the choice between them and the
files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynamics.deep.simulation import DeepSimulation
from dynamics.two_layer.problem_options import FlowName
from dynamics.two_layer.simulation import TwoLayerSimulation
from dynamics.validation import one_of
from verify.command.common_options import Quiet, among
from verify.command.errors import boundary
from verify.command.generated_options import Given, from_options, naming_options, with_options
from verify.command.output import Output, output
from verify.command.plain_help import PlainCommand
from verify.command.run_files import Out, Plot, check_files, require_success, write_files

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEEP = "deep"
"""The flow of deep networks, beside the two-layer ones by name."""

FLOWS = (*(flow.value for flow in FlowName), DEEP)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    kinds = {"two-layer": TwoLayerSimulation, DEEP: DeepSimulation}
    app.command(name="simulate", cls=PlainCommand)(with_options(simulate, kinds, leave=("flow",)))


def simulate(
    options: Given,
    flow: Annotated[
        str, typer.Option(metavar="NAME", help=f"The flow: {', '.join(FLOWS)}.", autocompletion=among(FLOWS))
    ] = FlowName.PROJECTED.value,
    out: Out = None,
    plot: Plot = None,
    quiet: Quiet = False,
) -> None:
    """Integrate a flow of dynamics: no network is trained and no statement judged.

    Prints its convergence and its late rate beside the spectral one (deep: by layer).

    Exit code 0: done; 2: bad input; 3: the integration failed (nothing is written then).

    Examples:
      luckproof simulate --d 10 --m 5 --theta0 0.3 --t-end 200 --out run.nc
      luckproof simulate --flow deep --widths 10-8-8-5 --t-end 50 --plot deep.png
    """
    with output(quiet) as voice:
        with boundary():
            check_files(voice, out, plot)
            one_of("--flow", flow, FLOWS)
        if flow == DEEP:
            simulate_deep(voice, options, out, plot)
        else:
            simulate_two_layers(voice, FlowName(flow), options, out, plot)


def simulate_two_layers(
    voice: Output, flow: FlowName, options: Given, out: Path | None, plot: Path | None
) -> None:
    """Run a two-layer flow, write the files that were asked for and print the summary."""
    from verify.command.measured_rates import rates_of
    from verify.command.simulation_summary import two_layer_summary

    def draw() -> Figure:
        from verify.command.two_layer_picture import picture  # matplotlib only for those who want a picture

        return picture(built, trajectory, rates)

    with boundary():
        simulation = from_options(TwoLayerSimulation, options, "only the deep flow has it", flow=flow)
        with naming_options(type(simulation)):
            built = simulation.build()
            with voice.bar(f"{flow} flow") as bar:
                trajectory = simulation.run(built, progress=bar)
    require_success(trajectory, "integration")
    rates = rates_of(built, trajectory, simulation.rtol + simulation.atol)
    voice.result(*two_layer_summary(simulation, built, trajectory, rates))
    write_files(voice, out, plot, trajectory, draw)


def simulate_deep(voice: Output, options: Given, out: Path | None, plot: Path | None) -> None:
    """Run the deep flow, write the files that were asked for and print the summary."""
    from verify.command.simulation_summary import deep_summary

    def draw() -> Figure:
        from verify.command.deep_picture import picture

        return picture(trajectory)

    with boundary():
        simulation = from_options(DeepSimulation, options, "the deep flow has no such option")
        with naming_options(type(simulation)):
            built = simulation.build()
            with voice.bar("deep flow") as bar:
                trajectory = simulation.run(built, progress=bar)
    require_success(trajectory, "integration")
    voice.result(*deep_summary(simulation, built, trajectory))
    write_files(voice, out, plot, trajectory, draw)
