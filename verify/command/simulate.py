"""``luckproof simulate``: integrate a flow from options, save the run, plot it and compare its rates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from verify.command.errors import FAILED, CommandLineError, boundary

if TYPE_CHECKING:
    from dynamics.ode.trajectory import Trajectory
    from dynamics.two_layer.flows import TwoLayerDynamics
    from verify.command.two_layer_simulation import Rates, Simulation

PLOT_FORMATS = ("png", "svg")


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command(name="simulate")(simulate)


def _option(text: str, **settings: Any) -> Any:
    return typer.Option(help=text, **settings)


def simulate(
    flow: Annotated[str, _option("projected, two-layer, gradient or deep.")] = "projected",
    teacher: Annotated[
        str | None, _option("orthonormal (default), random or separated; deep: separated.")
    ] = None,
    measure: Annotated[str | None, _option("isotropic (default) or biased; deep: normal samples.")] = None,
    d: Annotated[int | None, typer.Option("--d", help="Input dimension (default 10).")] = None,
    m: Annotated[int | None, typer.Option("--m", help="Teacher nodes (default 5).")] = None,
    n: Annotated[int | None, typer.Option("--n", help="Student nodes (default m).")] = None,
    c: Annotated[
        int | None, typer.Option("--c", help="Outputs (default 1, or m where V is learned).")
    ] = None,
    widths: Annotated[
        str | None, _option("Deep: inputs, teacher's hidden layers, outputs (default 10-8-8-5).")
    ] = None,
    factor: Annotated[int | None, _option("Deep: students this much wider (default 2).")] = None,
    modulation: Annotated[str | None, _option("Deep: per-sample (default) or separated.")] = None,
    samples: Annotated[int | None, _option("Deep: number of inputs (default 1000).")] = None,
    theta0: Annotated[float | None, _option("Start at this angle from the teacher (needs n = m).")] = None,
    p_w: Annotated[float | None, typer.Option("--p-w", help="Weight of W* in the start of W.")] = None,
    p_v: Annotated[float | None, typer.Option("--p-v", help="Weight of V* in the start of V.")] = None,
    threshold: Annotated[float | None, _option("Teachers are active above it (biased measure).")] = None,
    seed: Annotated[int, _option("Seed of teacher and start.")] = 0,
    instances: Annotated[int, _option("Independent draws, integrated as one stack.")] = 1,
    t_end: Annotated[float, _option("End of the time span.")] = 100.0,
    points: Annotated[int, _option("Output times.")] = 201,
    method: Annotated[
        str, _option("auto, RK45, DOP853, RKC, ROCK4, LSODA, Radau, BDF or (deep) HeunDescent.")
    ] = "auto",
    rtol: Annotated[float, _option("Relative tolerance.")] = 1e-8,
    atol: Annotated[float, _option("Absolute tolerance.")] = 1e-10,
    until: Annotated[float | None, _option("Stop once every sin theta is below this.")] = None,
    max_steps: Annotated[int, _option("Give up after so many steps.")] = 100_000,
    out: Annotated[Path | None, _option("Write the run (NetCDF).", metavar="PATH")] = None,
    plot: Annotated[Path | None, _option("Write a picture (.png or .svg).", metavar="PATH")] = None,
) -> None:
    """Integrate a flow, print its convergence and its late rate beside the spectral one (deep: by layer).

    Exit code 0: done; 2: bad input; 3: the integration failed (nothing is written then).
    """
    common = {
        "seed": seed, "instances": instances, "t_end": t_end, "points": points,
        "method": method, "rtol": rtol, "atol": atol, "max_steps": max_steps,
    }  # fmt: skip
    shallow = {
        "teacher": teacher, "measure": measure, "d": d, "m": m, "n": n, "c": c, "theta0": theta0,
        "p_W": p_w, "p_V": p_v, "threshold": threshold, "until": until,
    }  # fmt: skip
    deep = {"widths": widths, "factor": factor, "modulation": modulation, "samples": samples}
    with boundary():
        _check_files(out, plot)
    if flow == "deep":
        simulate_deep(deep, shallow, common, out, plot)
    else:
        simulate_two_layers(flow, shallow, deep, common, out, plot)


Given = dict[str, Any]
"""Options by name; None where not given."""


def simulate_two_layers(
    flow: str, shallow: Given, deep: Given, common: Given, out: Path | None, plot: Path | None
) -> None:
    """Run one of the two-layer flows, write what was asked for and print the summary."""
    from verify.command.simulation_picture import render
    from verify.command.two_layer_simulation import FlowName, MeasureName, Simulation, TeacherName, rates_of

    with boundary():
        name = FlowName(_choice("--flow", [*FlowName, "deep"], flow))
        given = _only("only the deep flow has it", deep, shallow)
        for option, names in (("teacher", TeacherName), ("measure", MeasureName)):
            if option in given:
                given[option] = names(_choice(f"--{option}", names, given[option]))
        simulation = Simulation(flow=name, **given, **common)
        dynamics = simulation.build()
        trajectory = simulation.run(dynamics, progress=True)
    _require_success(trajectory)
    rates = rates_of(dynamics, trajectory, simulation.rtol + simulation.atol)
    _write(out, plot, trajectory, lambda form: render(dynamics, trajectory, rates, form))
    typer.echo("\n".join(summary(simulation, dynamics, trajectory, rates)))


def simulate_deep(deep: Given, shallow: Given, common: Given, out: Path | None, plot: Path | None) -> None:
    """Run the deep flow, write what was asked for and print the summary."""
    from verify.command.deep_simulation import DeepSimulation, ModulationName, summary
    from verify.command.deep_simulation_picture import render

    start = {"p_W": shallow["p_W"]}
    others = {name: value for name, value in shallow.items() if name not in start}
    with boundary():
        given = _only("the deep flow has no such option", others, {**deep, **start})
        if "widths" in given:
            given["widths"] = _widths(given["widths"])
        if "modulation" in given:
            given["modulation"] = ModulationName(_choice("--modulation", ModulationName, given["modulation"]))
        simulation = DeepSimulation(**given, **common)
        dynamics = simulation.build()
        trajectory = simulation.run(dynamics, progress=True)
    _require_success(trajectory)
    _write(out, plot, trajectory, lambda form: render(trajectory, form))
    typer.echo("\n".join(summary(simulation, dynamics, trajectory)))


def _only(why: str, foreign: Given, own: Given) -> Given:
    """Those of ``own`` that were given; raises ValueError where one of ``foreign`` was."""
    for name, value in foreign.items():
        if value is not None:
            raise ValueError(f"--{name.lower().replace('_', '-')}: {why}")
    return {name: value for name, value in own.items() if value is not None}


def _widths(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split("-"))
    except ValueError:
        raise ValueError(f"--widths: expected whole numbers such as 10-8-8-5, got {text!r}") from None


def _check_files(out: Path | None, plot: Path | None) -> None:
    from verify.report.writing import check_writable

    for option, path in (("--out", out), ("--plot", plot)):
        if path is not None:
            check_writable(option, path)
    if plot is not None and _format(plot) not in PLOT_FORMATS:
        raise ValueError(f"--plot: expected a .png or .svg file, got {plot}")
    if plot is not None and plot == out:
        raise ValueError(f"--plot: expected another file than --out, got {plot} for both")


def _format(plot: Path) -> str:
    return plot.suffix.lstrip(".").lower()


def _require_success(trajectory: Trajectory) -> None:
    if not trajectory.success:
        raise CommandLineError(f"integration failed: {trajectory.message}", FAILED)


def _write(
    out: Path | None, plot: Path | None, trajectory: Trajectory, render: Callable[[str], bytes]
) -> None:
    """The files that were asked for; ``render`` draws in a format."""
    from verify.report.writing import write_atomically

    with boundary():
        if out is not None:
            trajectory.save(out)
        if plot is not None:
            write_atomically(plot, render(_format(plot)))


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


def _choice(option: str, names: Any, value: str) -> str:
    if value not in list(names):
        raise ValueError(f"{option}: expected one of {', '.join(names)}, got {value!r}")
    return value
