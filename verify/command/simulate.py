"""``luckproof simulate``: a flow of ``dynamics`` from options: integrate it, save the run, plot it, tell its rates.

The options are the fields of the two simulations in ``dynamics``; here stand only the choice between them and the
files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dynamics.deep.simulation import DeepSimulation
from dynamics.two_layer.simulation import FlowName, TwoLayerSimulation
from dynamics.validation import one_of
from verify.command.errors import FAILED, CommandLineError, boundary
from verify.command.generated_options import Given, from_options, with_options

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from dynamics.ode.trajectory import Trajectory

PLOT_FORMATS = ("png", "svg")
DEEP = "deep"
"""The flow of deep networks, beside the two-layer ones by name."""


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    kinds = {"two-layer": TwoLayerSimulation, DEEP: DeepSimulation}
    app.command(name="simulate")(with_options(simulate, kinds, leave=("flow",)))


def simulate(
    options: Given,
    flow: Annotated[str, typer.Option(help=f"{', '.join(FlowName)} or {DEEP}.")] = FlowName.PROJECTED.value,
    out: Annotated[Path | None, typer.Option(help="Write the run (NetCDF).", metavar="PATH")] = None,
    plot: Annotated[Path | None, typer.Option(help="Write a picture (.png or .svg).", metavar="PATH")] = None,
) -> None:
    """Integrate a flow of dynamics: no network is trained and no statement judged.

    Prints its convergence and its late rate beside the spectral one (deep: by layer).

    Exit code 0: done; 2: bad input; 3: the integration failed (nothing is written then).
    """
    with boundary():
        _check_files(out, plot)
        one_of("--flow", flow, [*FlowName, DEEP])
    if flow == DEEP:
        simulate_deep(options, out, plot)
    else:
        simulate_two_layers(FlowName(flow), options, out, plot)


def simulate_two_layers(flow: FlowName, options: Given, out: Path | None, plot: Path | None) -> None:
    """Run a two-layer flow, write the files that were asked for and print the summary."""
    from verify.command.measured_rates import rates_of
    from verify.command.simulation_summary import two_layer_summary

    def draw() -> Figure:
        from verify.command.two_layer_picture import picture  # matplotlib only for those who want a picture

        return picture(built, trajectory, rates)

    with boundary():
        simulation = from_options(TwoLayerSimulation, options, "only the deep flow has it", flow=flow)
        built = simulation.build()
        trajectory = simulation.run(built, progress=True)
    _require_success(trajectory)
    rates = rates_of(built, trajectory, simulation.rtol + simulation.atol)
    typer.echo("\n".join(two_layer_summary(simulation, built, trajectory, rates)))
    _write(out, plot, trajectory, draw)


def simulate_deep(options: Given, out: Path | None, plot: Path | None) -> None:
    """Run the deep flow, write the files that were asked for and print the summary."""
    from verify.command.simulation_summary import deep_summary

    def draw() -> Figure:
        from verify.command.deep_picture import picture

        return picture(trajectory)

    with boundary():
        simulation = from_options(DeepSimulation, options, "the deep flow has no such option")
        built = simulation.build()
        trajectory = simulation.run(built, progress=True)
    _require_success(trajectory)
    typer.echo("\n".join(deep_summary(simulation, built, trajectory)))
    _write(out, plot, trajectory, draw)


def _check_files(out: Path | None, plot: Path | None) -> None:
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


def _require_success(trajectory: Trajectory) -> None:
    if not trajectory.success:
        raise CommandLineError(f"integration failed: {trajectory.message}", FAILED)


def _write(out: Path | None, plot: Path | None, trajectory: Trajectory, draw: Callable[[], Figure]) -> None:
    """Write the files that were asked for; ``draw`` is called only for a picture."""
    from dynamics.files.writing import write_atomically

    with boundary():
        if out is not None:
            trajectory.save(out)
        if plot is not None:
            from verify.figures.style import rendered

            write_atomically(plot, rendered(draw, _format(plot)))
