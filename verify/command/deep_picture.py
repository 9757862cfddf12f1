"""The picture of a deep run: loss, correlation with the teacher, and the closure's gap, layer by layer."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dynamics.ode.trajectory import Trajectory
from verify.figures.panels import ordered_colours
from verify.figures.style import HOLDING

SMALLEST = 1e-9
"""Layers whose gap stays below this are not plotted: in the top layer the closure is exact, and the gap is rounding."""


def picture(trajectory: Trajectory) -> Figure:
    """Three panels over time: the loss of every instance, then one colour a layer and one line an instance."""
    figure = Figure(figsize=(11.0, 3.4))
    loss, resemblance, gap = figure.subplots(1, 3)
    watched = trajectory.observables
    loss.plot(trajectory.t, watched["loss"].reshape(len(trajectory.t), -1), color=HOLDING, lw=1)
    loss.set(title="loss", yscale="log")
    _layers(resemblance, trajectory, "mean_best_correlation")
    resemblance.set(title="mean best correlation by hidden layer", ylim=(None, 1.0))
    _layers(gap, trajectory, "field_gap")
    gap.set(title="relative gap of the closure in W′", yscale="log")
    for panel in (loss, resemblance, gap):
        panel.set(xlabel="t", xlim=(trajectory.t[0], trajectory.t[-1]))
    return figure


def _layers(axes: Axes, trajectory: Trajectory, name: str) -> None:
    """One observable, a colour for each layer."""
    values = trajectory.observables[name]
    drawn = [layer for layer in range(values.shape[-1]) if np.nanmax(values[..., layer]) > SMALLEST]
    for layer, colour in zip(drawn, ordered_colours(len(drawn)), strict=True):
        lines = axes.plot(trajectory.t, values[..., layer].reshape(len(trajectory.t), -1), color=colour, lw=1)
        lines[0].set_label(f"layer {layer + 1}")
    axes.legend()
