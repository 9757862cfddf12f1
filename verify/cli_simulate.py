"""``luckproof simulate``: integrate a flow from options, save the run, plot it and compare its rates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verify.cli_errors import FAILED, CommandLineError, boundary

if TYPE_CHECKING:
    from dynamics.flows import TwoLayerDynamics
    from dynamics.trajectory import Trajectory
    from verify.simulate import Rates, Simulation

PLOT_FORMATS = ("png", "svg")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="simulate")(simulate)


def _option(text: str, **settings: Any) -> Any:
    return typer.Option(help=text, **settings)


def simulate(
    flow: Annotated[str, _option("projected, two-layer or gradient.")] = "projected",
    teacher: Annotated[str, _option("orthonormal, random or separated.")] = "orthonormal",
    measure: Annotated[str, _option("isotropic or biased.")] = "isotropic",
    d: Annotated[int, typer.Option("--d", help="Input dimension.")] = 10,
    m: Annotated[int, typer.Option("--m", help="Teacher nodes.")] = 5,
    n: Annotated[int | None, typer.Option("--n", help="Student nodes (default m).")] = None,
    c: Annotated[
        int | None, typer.Option("--c", help="Outputs (default 1, or m where V is learned).")
    ] = None,
    theta0: Annotated[float | None, _option("Start at this angle from the teacher (needs n = m).")] = None,
    p_w: Annotated[float | None, typer.Option("--p-w", help="Weight of W* in the start of W.")] = None,
    p_v: Annotated[float | None, typer.Option("--p-v", help="Weight of V* in the start of V.")] = None,
    threshold: Annotated[float, _option("Teachers are active above it (biased measure).")] = 0.0,
    seed: Annotated[int, _option("Seed of teacher and start.")] = 0,
    instances: Annotated[int, _option("Independent draws, integrated as one stack.")] = 1,
    t_end: Annotated[float, _option("End of the time span.")] = 100.0,
    points: Annotated[int, _option("Output times.")] = 201,
    method: Annotated[str, _option("auto, RK45, DOP853, RKC, ROCK4, LSODA, Radau or BDF.")] = "auto",
    rtol: Annotated[float, _option("Relative tolerance.")] = 1e-8,
    atol: Annotated[float, _option("Absolute tolerance.")] = 1e-10,
    until: Annotated[float | None, _option("Stop once every sin theta is below this.")] = None,
    max_steps: Annotated[int, _option("Give up after so many steps.")] = 100_000,
    out: Annotated[Path | None, _option("Write the run (NetCDF).", metavar="PATH")] = None,
    plot: Annotated[Path | None, _option("Write a picture (.png or .svg).", metavar="PATH")] = None,
) -> None:
    """Integrate a flow, print its convergence and its late rate beside the spectral one.

    Exit code 0: done; 2: bad input; 3: the integration failed (nothing is written then).
    """
    from verify.report.writing import check_writable
    from verify.simulate import FlowName, MeasureName, Simulation, TeacherName, rates_of

    with boundary():
        for option, path in (("--out", out), ("--plot", plot)):
            if path is not None:
                check_writable(option, path)
        if plot is not None and plot.suffix.lstrip(".").lower() not in PLOT_FORMATS:
            raise ValueError(f"--plot: expected a .png or .svg file, got {plot}")
        if plot is not None and plot == out:
            raise ValueError(f"--plot: expected another file than --out, got {plot} for both")
        simulation = Simulation(
            _choice("--flow", FlowName, flow),
            _choice("--teacher", TeacherName, teacher),
            _choice("--measure", MeasureName, measure),
            *(d, m, n, c, theta0, p_w, p_v, threshold, seed, instances),
            *(t_end, points, method, rtol, atol, until, max_steps),
        )
        dynamics = simulation.build()
        trajectory = simulation.run(dynamics, progress=True)
    if not trajectory.success:
        raise CommandLineError(f"integration failed: {trajectory.message}", FAILED)
    rates = rates_of(dynamics, trajectory, rtol + atol)
    with boundary():
        if out is not None:
            trajectory.save(out)
        if plot is not None:
            _write_plot(plot, dynamics, trajectory, rates)
    typer.echo("\n".join(summary(simulation, dynamics, trajectory, rates)))


def summary(
    simulation: Simulation, flow: TwoLayerDynamics, trajectory: Trajectory, rates: Rates
) -> list[str]:
    """What the run says: sizes, how it ended, convergence and rates, one line each."""
    problem, watched = flow.problem, trajectory.observables
    lines = [
        f"{type(flow).__name__}: d {problem.d}, m {problem.m}, n {problem.n}, c {problem.c}, "
        f"{problem.measure!r}, {flow.instances} instance(s), seed {simulation.seed}",
        f"{trajectory.attributes['method']}: {trajectory.status} at t = {trajectory.t[-1]:.6g}, "
        f"{trajectory.n_steps} steps, {trajectory.nfev} evaluations",
        f"largest sin theta: {watched['sin_theta'][0].max():.4g} -> {watched['sin_theta'][-1].max():.4g}",
        f"largest loss: {watched['loss'][0].max():.4g} -> {watched['loss'][-1].max():.4g}",
    ]
    if flow.trains_V and problem.n > problem.m:
        r_set = watched["fan_out_norm"][..., problem.m :]
        lines.append(f"largest r-set fan-out: {r_set[0].max():.4g} -> {r_set[-1].max():.4g}")
    measured, spectral = f"none ({rates.no_fit})", f"none ({rates.no_spectral})"
    if rates.fit is not None:
        start, end = rates.fit.window
        measured = f"{_spread(rates.fit.rate)} on t in [{start:.4g}, {end:.4g}]"
    if rates.spectral is not None:
        spectral = _spread(rates.spectral)
    ratio = "" if rates.ratio is None else f" (measured / spectral {rates.ratio:.5g})"
    return [*lines, f"late rate, measured: {measured}", f"late rate, spectral: {spectral}{ratio}"]


def _spread(rate: Any) -> str:
    """One rate, or the median and range of several."""
    import numpy as np

    values = np.ravel(rate)
    if values.size == 1:
        return f"{values[0]:.6g}"
    return f"{np.median(values):.6g} (median; {values.min():.6g} to {values.max():.6g})"


def _choice(option: str, names: Any, value: str) -> Any:
    if value not in list(names):
        raise ValueError(f"{option}: expected one of {', '.join(names)}, got {value!r}")
    return names(value)


def _write_plot(path: Path, flow: TwoLayerDynamics, trajectory: Trajectory, rates: Rates) -> None:
    from verify.report.writing import write_atomically
    from verify.simulation_figure import render

    write_atomically(path, render(flow, trajectory, rates, path.suffix.lstrip(".").lower()))
