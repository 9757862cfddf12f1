"""The picture of batch normalisation's biases: their share below zero and their spread, layer by layer."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nets.checkpoints.batchnorm_biases import NormLayer
from verify.figures.panels import Colour, ordered_colours
from verify.figures.style import FAILING, HOLDING, REFERENCE

COLUMNS = 4
CAPTION = "layer (bars: 25–75 % and 5–95 % of the biases)"
BANDS = ((0.05, 0.95, 0.25), (0.25, 0.75, 0.55))
"""Lower and upper quantile of each bar, and its opacity."""


def picture(networks: Mapping[str, Sequence[NormLayer]]) -> Figure:
    """On top the shares of negative biases of all networks, below a panel with the spread for each network."""
    columns = min(len(networks), COLUMNS)
    rows = -(-len(networks) // columns)
    figure = Figure(figsize=(max(4.8, 3.1 * columns), 3.0 + 2.4 * rows))
    grid = figure.add_gridspec(rows + 1, columns)
    top = figure.add_subplot(grid[0, :])
    shares(top, networks)
    first = None
    for place, (name, layers) in enumerate(networks.items()):
        first = panel = figure.add_subplot(grid[1 + place // columns, place % columns], sharey=first)
        spread(panel, layers)
        panel.set_title("\n".join(textwrap.wrap(name, 28)))
        if place % columns == 0:
            panel.set_ylabel("bias β")
    if first is not None:
        first.set_ylim(*limits([layer for layers in networks.values() for layer in layers]))
    figure.supxlabel(CAPTION, fontsize=9)
    if len(networks) > 1:
        figure.legend(*top.get_legend_handles_labels(), loc="outside upper left", ncols=columns)
    return figure


def shares(axes: Axes, networks: Mapping[str, Sequence[NormLayer]]) -> None:
    """Share of negative biases over the layers, from the input on, a line for each network."""
    colours: list[Colour | str] = [*ordered_colours(len(networks))] if len(networks) > 1 else [HOLDING]
    for (name, layers), colour in zip(networks.items(), colours, strict=True):
        values = [layer.share_negative for layer in layers]
        axes.plot(np.arange(1, len(layers) + 1), values, marker="o", ms=3.5, color=colour, label=name)
    frame_shares(axes, max(len(layers) for layers in networks.values()))


def frame_shares(axes: Axes, layers: int) -> None:
    """Limits and labels for shares over so many layers, with a line at one half."""
    axes.axhline(0.5, color=REFERENCE, lw=0.8, ls="--")
    axes.set(ylim=(-0.03, 1.03), xlim=(0.4, layers + 0.6), ylabel="share of biases below 0")
    axes.set_xlabel("BatchNorm layer, from the input")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def spread(axes: Axes, layers: Sequence[NormLayer]) -> None:
    """Biases of each layer: bars between quantiles, in another colour below zero, and a line at the median."""
    for place, layer in enumerate(layers, start=1):
        for low, high, opacity in BANDS:
            bottom, top = np.quantile(layer.bias, (low, high))
            axes.bar(place, min(top, 0) - min(bottom, 0), 0.7, min(bottom, 0), color=HOLDING, alpha=opacity)
            axes.bar(place, max(top, 0) - max(bottom, 0), 0.7, max(bottom, 0), color=FAILING, alpha=opacity)
        axes.plot([place - 0.35, place + 0.35], [np.median(layer.bias)] * 2, color="#1c1f24", lw=1.2)
    axes.axhline(0, color=REFERENCE, lw=0.8)
    axes.set(xlim=(0.4, len(layers) + 0.6), ylim=limits(layers))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def limits(layers: Sequence[NormLayer]) -> tuple[float, float]:
    """A vertical range that leaves room around zero and the widest bar of every layer."""
    ends = [0.0, *(end for layer in layers for end in np.quantile(layer.bias, BANDS[0][:2]))]
    room = 0.06 * (max(ends) - min(ends)) or 1.0
    return min(ends) - room, max(ends) + room
