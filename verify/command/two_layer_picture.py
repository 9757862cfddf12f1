"""The picture of a two-layer run: angles, loss and, where V is learned, fan-outs of the u-set and of the r-set."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dynamics.ode.results.pictures import MOST_LINES, SMALLEST, bands, smallest_shown
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from verify.command.measured_rates import Rates
from verify.figures.style import FAILING, HOLDING, REFERENCE


def picture(flow: TwoLayerDynamics, trajectory: Trajectory, rates: Rates) -> Figure:
    """Two or three panels over time, one line for every node and instance, or bands where these are many."""
    panels = 3 if flow.trains_V else 2
    figure = Figure(figsize=(4.0 * panels, 3.4))
    axes = figure.subplots(1, panels)
    watched = trajectory.observables
    smallest = smallest_shown(trajectory)
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
        bands(axes, t, series, colour, label)
        return
    lines = axes.plot(t, series, color=colour, lw=1, alpha=max(0.25, min(0.9, 12 / series.shape[1])))
    if label:
        lines[0].set_label(label)


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
