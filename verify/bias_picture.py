"""The picture of batch normalisation's biases: their share below zero by layer, and how they are spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from nets.batchnorm_biases import NormLayer
from verify.figures.drawing import Colour, ordered_colours
from verify.report.figures import FAILING, HOLDING, REFERENCE

COLUMNS = 4
BANDS = ((0.05, 0.95, 0.25), (0.25, 0.75, 0.55))
"""Lower and upper quantile of a bar, and how opaque it is."""


def draw(networks: Mapping[str, Sequence[NormLayer]]) -> Figure:
    """Shares of negative biases of every network on top, one panel of distributions for each below."""
    columns = min(len(networks), COLUMNS)
    rows = -(-len(networks) // columns)
    figure = Figure(figsize=(max(4.8, 3.1 * columns), 2.7 + 2.4 * rows))
    grid = figure.add_gridspec(rows + 1, columns)
    shares(figure.add_subplot(grid[0, :]), networks)
    first = None
    for place, (name, layers) in enumerate(networks.items()):
        first = panel = figure.add_subplot(grid[1 + place // columns, place % columns], sharey=first)
        spread(panel, layers)
        panel.set_title(name)
        if place % columns == 0:
            panel.set_ylabel("bias β")
    return figure


def shares(axes: Axes, networks: Mapping[str, Sequence[NormLayer]]) -> None:
    """Share of negative biases over the layers, bottom to top."""
    colours: list[Colour | str] = [*ordered_colours(len(networks))] if len(networks) > 1 else [HOLDING]
    for (name, layers), colour in zip(networks.items(), colours, strict=True):
        values = [layer.share_negative for layer in layers]
        axes.plot(np.arange(1, len(layers) + 1), values, marker="o", ms=3.5, color=colour, label=name)
    axes.axhline(0.5, color=REFERENCE, lw=0.8, ls="--")
    most = max(len(layers) for layers in networks.values())
    axes.set(ylim=(-0.03, 1.03), xlim=(0.4, most + 0.6), ylabel="share of biases below 0")
    axes.set_xlabel("BatchNorm layer, from the input")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(networks) > 1:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def spread(axes: Axes, layers: Sequence[NormLayer]) -> None:
    """Biases of each layer: bars from quantile to quantile, what is below zero in another colour, and the median."""
    for place, layer in enumerate(layers, start=1):
        for low, high, opacity in BANDS:
            bottom, top = np.quantile(layer.bias, (low, high))
            axes.bar(place, min(top, 0) - min(bottom, 0), 0.7, min(bottom, 0), color=HOLDING, alpha=opacity)
            axes.bar(place, max(top, 0) - max(bottom, 0), 0.7, max(bottom, 0), color=FAILING, alpha=opacity)
        axes.plot([place - 0.35, place + 0.35], [np.median(layer.bias)] * 2, color="#1c1f24", lw=1.2)
    axes.axhline(0, color=REFERENCE, lw=0.8)
    axes.use_sticky_edges = False  # or the longest bar would end on the frame
    axes.set(xlim=(0.4, len(layers) + 0.6), xlabel="layer (bars: 5–95 % and 25–75 %)")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
