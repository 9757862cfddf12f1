"""Correlations of deep students as a grid of panels: a row for each arm of a study, a line for each layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from verify.figures.panels import ordered_colours, panels
from verify.mathematics.studies.deep_study import DeepStudy

if TYPE_CHECKING:
    import xarray as xr


def correlation_grid(rho_bar: xr.DataArray, titles: Sequence[str], xlabel: str) -> Figure:
    """``rho_bar`` over (column, arm, epoch, network, layer) as panels: arms by rows, the first axis by columns."""
    columns = rho_bar.dims[0]
    figure, axes = panels(rho_bar.sizes["arm"], len(titles), (3.0, 2.2))
    for row, arm in zip(axes, rho_bar.arm.values, strict=True):
        for column, (panel, title) in enumerate(zip(row, titles, strict=True)):
            here = rho_bar.sel(arm=arm).isel({columns: column})
            layers_with_bands(panel, here.epoch.values, here.values)
            panel.set_title(f"{title}\n{arm}")
    correlation_axis(axes[0, 0], float(rho_bar.max()))
    epoch_axis(axes[0, 0], float(rho_bar.epoch[-1]))
    figure.supxlabel(xlabel, fontsize=9)
    figure.supylabel("best correlation $\\bar\\rho$", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", title="band: all\nnetworks")
    return figure


def correlation_axis(axes: Axes, most: float) -> None:
    """Limit the axis to 1, or to just above the largest value where that is far from a full match."""
    axes.set_ylim(0, 1.02 if most > 0.85 else 1.08 * most)


def epoch_axis(axes: Axes, last: float) -> None:
    """Limit the axis to the epochs of the run, with ticks at whole ones."""
    axes.set_xlim(0, last)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def study_name(study: DeepStudy) -> str:
    """Kind, widths, factor and number of networks of a study, for a title."""
    kind = "ConvNet" if study.teacher.convolutional else "FC"
    return f"{kind} {'-'.join(map(str, study.widths))}, students {study.factor}×, {study.networks} networks"


def layers_with_bands(axes: Axes, epochs: np.ndarray, values: np.ndarray) -> None:
    """Mean over networks of ``values (epochs, networks, layers)``, in a band from the smallest to the largest."""
    colours = ordered_colours(values.shape[-1])
    for layer, colour in enumerate(colours):
        own = values[..., layer]
        axes.plot(epochs, own.mean(-1), color=colour, label=f"layer {layer}")
        axes.fill_between(epochs, own.min(-1), own.max(-1), color=colour, alpha=0.2, lw=0)
