"""The picture of a two-layer run: angles, loss and, where V is learned, fan-outs of the u-set and of the r-set."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.flows import TwoLayerDynamics
from verify.command.measured_rates import Rates
from verify.figures.style import FAILING, HOLDING, REFERENCE

SMALLEST = 1e-18
"""Values at or below this are left out of a logarithmic axis: they are rounding, which may be negative in a loss.

Not of a run in deviations, whose small values are as good as its large ones."""


MOST_LINES = 60
"""Nodes times instances up to which each is a line of its own; beyond, bands tell more."""


def picture(flow: TwoLayerDynamics, trajectory: Trajectory, rates: Rates) -> Figure:
    """Two or three panels over time, one line for every node and instance, or bands where these are many."""
    panels = 3 if flow.trains_V else 2
    figure = Figure(figsize=(4.0 * panels, 3.4))
    axes = figure.subplots(1, panels)
    watched = trajectory.observables
    smallest = 0.0 if trajectory.attributes.get("in_deviations") else SMALLEST
    _lines(axes[0], trajectory.t, watched["sin_theta"], HOLDING, smallest=smallest)
    _rate_line(axes[0], trajectory, rates)
    axes[0].set(title="sin θ of each student to its teacher", yscale="log")
    _lines(axes[1], trajectory.t, watched["loss"][..., None], HOLDING, smallest=smallest)
    axes[1].set(title="loss", yscale="log")
    if flow.trains_V:
        u_set = flow.problem.m
        norms = watched["fan_out_norm"]
        if flow.problem.n > u_set:
            _lines(axes[2], trajectory.t, norms[..., u_set:], FAILING, "r-set")
        _lines(axes[2], trajectory.t, norms[..., :u_set], HOLDING, "u-set")
        axes[2].set(title="fan-out norm", ylim=(0, None))
        axes[2].legend()
    for panel in axes:
        panel.set(xlabel="t", xlim=(trajectory.t[0], trajectory.t[-1]))
    return figure


def _lines(
    axes: Axes,
    t: NDArray[np.float64],
    values: NDArray[np.float64],
    colour: str,
    label: str = "",
    smallest: float = SMALLEST,
) -> None:
    series = values.reshape(len(t), -1)
    if not label:
        series = np.where(series > smallest, series, np.nan)
    if series.shape[1] > MOST_LINES:
        _bands(axes, t, series, colour, label)
        return
    lines = axes.plot(t, series, color=colour, lw=1, alpha=max(0.25, min(0.9, 12 / series.shape[1])))
    if label:
        lines[0].set_label(label)


def _bands(axes: Axes, t: NDArray[np.float64], series: NDArray[np.float64], colour: str, label: str) -> None:
    """Median, the middle nine tenths and the extremes of many series."""
    seen = np.isfinite(series).any(axis=1)
    t, series = t[seen], series[seen]
    lowest, low, middle, high, highest = np.nanpercentile(series, (0, 5, 50, 95, 100), axis=1)
    axes.fill_between(t, lowest, highest, color=colour, alpha=0.15, lw=0, label=f"{label} all".strip())
    axes.fill_between(t, low, high, color=colour, alpha=0.3, lw=0, label=f"{label} 5 to 95 %".strip())
    axes.plot(t, middle, color=colour, lw=1.2, label=f"{label} median of {series.shape[1]}".strip())
    axes.legend()


def _rate_line(axes: Axes, trajectory: Trajectory, rates: Rates) -> None:
    """A line that falls at the spectral rate, beside the decay in the window where the rate was measured."""
    if rates.fit is None or rates.spectral is None:
        return
    inside = (trajectory.t >= rates.fit.window[0]) & (trajectory.t <= rates.fit.window[1])
    t = trajectory.t[inside]
    level = np.log(trajectory.observables["sin_theta"][inside].reshape(len(t), -1).max(axis=1))
    rate = float(np.median(rates.spectral))
    line = np.exp(level.mean() - rate * (t - t.mean()))
    axes.plot(t, 2 * line, color=REFERENCE, ls="--", lw=1.4, label=f"spectral rate {rate:.4g}")
    axes.legend()
