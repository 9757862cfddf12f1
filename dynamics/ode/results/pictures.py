"""Pictures of trajectories: what was watched over time, alone or a theory under the runs that it is to predict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dynamics.arrays import Array
from dynamics.ode.results.meanings import label_of
from dynamics.ode.results.shown_figure import shown_figure
from dynamics.ode.results.trajectory_data import TrajectoryData
from dynamics.validation import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

THEORY, RUNS = "#20242b", "#2c6fbb"
DOTS = 25
"""Times at which runs are drawn as dots."""

MOST_LINES = 60
"""Series up to which each is a line of its own."""

SMALLEST = 1e-18
"""Values at or below this are left out of a logarithmic axis: they are rounding, which may be negative in a loss."""


def smallest_shown(run: TrajectoryData) -> float:
    """:data:`SMALLEST`; 0 for a run in deviations, whose small values are as good as its large ones."""
    return 0.0 if run.attributes.get("in_deviations") else SMALLEST


def plot(run: TrajectoryData, names: Sequence[str] | None = None) -> Figure:
    """One panel for each observable over time; see ``Trajectory.plot``."""
    figure, panels, chosen = _panels(_asked(run, names), rows=1)
    for axes, name in zip(panels[0], chosen, strict=True):
        series, smallest = _series(run, name), smallest_shown(run)
        logarithmic = _falls(series, smallest)
        _draw(axes, run.t, _seen(series, smallest, logarithmic), logarithmic=logarithmic)
        axes.set(title=label_of(name, run.arrays), xlabel=f"t ({run.time_counts})")
    return figure


def plot_against(theory: TrajectoryData, runs: TrajectoryData, names: Sequence[str] | None = None) -> Figure:
    """Theory as lines under the runs' dots, deviations below; see ``Trajectory.plot_against``."""
    shared = [name for name in _asked(theory, names) if name in runs.observables]
    if not shared:
        raise ValueError(
            f"runs: expected observables {', '.join(_asked(theory, names))}, got {', '.join(runs.observables)}"
        )
    inside = np.flatnonzero((runs.t >= theory.t[0]) & (runs.t <= theory.t[-1]))
    if not inside.size:
        raise ValueError(
            f"runs: expected times within those of the theory, {theory.t[0]:g} to {theory.t[-1]:g},"
            f" got {runs.t[0]:g} to {runs.t[-1]:g}"
        )
    dots = inside[np.unique(np.linspace(0, len(inside) - 1, DOTS).astype(np.intp))]
    figure, panels, chosen = _panels(shared, rows=2)
    for above, below, name in zip(*panels, chosen, strict=True):
        line, found = _series(theory, name), _series(runs, name)
        if _nodes(theory, name) != _nodes(runs, name) or found.shape[1] % line.shape[1]:
            raise ValueError(
                f"runs: expected {name} of runs from the theory's {line.shape[1]} series, or copies of them,"
                f" got {found.shape[1]}"
            )
        logarithmic = _falls(line, smallest_shown(theory))
        shown_line = _seen(line, smallest_shown(theory), logarithmic)
        _draw(above, theory.t, shown_line, logarithmic=logarithmic, label="theory", colour=THEORY)
        seen = _seen(found[dots], smallest_shown(runs), logarithmic)
        marks = above.plot(runs.t[dots], seen, ".", color=RUNS, ms=4, alpha=0.5)
        count = found.shape[1] // max(1, _nodes(runs, name))
        marks[0].set_label(f"{count} run{'s' if count > 1 else ''}")
        above.set(title=label_of(name, theory.arrays))
        above.legend()
        _deviation(below, runs.t[dots], found[dots], _at(theory, line, runs.t[dots]), _nodes(runs, name))
        below.set(xlabel=f"t ({runs.time_counts})")
    panels[1][0].set_ylabel("runs − theory, mean")
    return figure


def _deviation(axes: Axes, t: Array, found: Array, line: Array, nodes: int) -> None:
    """Mean over runs and nodes of runs less theory, with the standard error over the runs."""
    copies = found.shape[1] // line.shape[1]
    gap = found - np.repeat(line.reshape(len(t), -1, nodes), copies, axis=1).reshape(found.shape)
    by_run = gap.reshape(len(t), -1, nodes).mean(axis=2)
    error = np.zeros(len(t))
    if by_run.shape[1] > 1:
        error = by_run.std(axis=1, ddof=1) / np.sqrt(by_run.shape[1])
    axes.axhline(0.0, color=THEORY, lw=1.2)
    axes.errorbar(
        t, by_run.mean(axis=1), yerr=error, fmt=".", color=RUNS, ms=4, lw=0.9, label="± standard error"
    )
    if by_run.shape[1] > 1:
        axes.legend()
    axes.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))


def _asked(run: TrajectoryData, names: Sequence[str] | None) -> list[str]:
    """The observables to draw: those named, or the usual ones that there are, or all."""
    if names is None:
        usual = [name for name in ("sin_theta", "loss") if name in run.observables]
        names = usual or list(run.observables)
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f"names: expected a list of observables, got {shown(names)}")
    if not names or not all(isinstance(name, str) and name in run.observables for name in names):
        known = ", ".join(run.observables) or "none, as none were recorded"
        raise ValueError(f"names: expected observables among {known}, got {shown(list(names))}")
    return list(names)


def _panels(names: list[str], rows: int) -> tuple[Figure, list[list[Axes]], list[str]]:
    figure = shown_figure(figsize=(4.2 * len(names), 3.4 if rows == 1 else 5.0), layout="constrained")
    grid = figure.subplots(
        rows, len(names), squeeze=False, sharex="col", height_ratios=[1] if rows == 1 else [2, 1]
    )
    return figure, [list(row) for row in grid], names


def _nodes(run: TrajectoryData, name: str) -> int:
    """Numbers that an observable has for each instance."""
    array, axes = run.observables[name], run.axes()[name]
    return int(np.prod(array.shape[1 + len(axes.ensemble) :], dtype=int))


def _series(run: TrajectoryData, name: str) -> Array:
    array = np.asarray(run.observables[name], dtype=np.float64)
    return array.reshape(len(run.t), -1)


def _at(theory: TrajectoryData, line: Array, t: Array) -> Array:
    """The theory's series at other times, between its own on straight lines."""
    return np.stack([np.interp(t, theory.t, series) for series in line.T], axis=1)


def _falls(series: Array, smallest: float) -> bool:
    """Whether a logarithmic axis tells more: no value below zero but for rounding, and two decades of them."""
    seen = series[np.isfinite(series) & (series > smallest)]
    below = np.nanmin(series, initial=0.0)
    return bool(seen.size and below > -1e-12 and seen.max() > 100 * seen.min())


def _seen(series: Array, smallest: float, logarithmic: bool) -> Array:
    return np.where(series > smallest, series, np.nan) if logarithmic else series


def _draw(
    axes: Axes, t: Array, series: Array, *, logarithmic: bool, label: str = "", colour: str = RUNS
) -> None:
    """A line for each series, or bands where they are many."""
    if logarithmic:
        axes.set_yscale("log")
    if series.shape[1] <= MOST_LINES:
        lines = axes.plot(t, series, color=colour, lw=1.2, alpha=max(0.3, min(1.0, 12 / series.shape[1])))
        lines[0].set_label(label)
        return
    bands(axes, t, series, colour, label)


def bands(axes: Axes, t: Array, series: Array, colour: str, label: str) -> None:
    """Median, the middle nine tenths and the extremes of many series."""
    seen = np.isfinite(series).any(axis=1)
    t, series = t[seen], series[seen]
    lowest, low, middle, high, highest = np.nanpercentile(series, (0, 5, 50, 95, 100), axis=1)
    axes.fill_between(t, lowest, highest, color=colour, alpha=0.15, lw=0, label=f"{label} all".strip())
    axes.fill_between(t, low, high, color=colour, alpha=0.3, lw=0, label=f"{label} 5 to 95 %".strip())
    axes.plot(t, middle, color=colour, lw=1.2, label=f"{label} median of {series.shape[1]}".strip())
    axes.legend()
