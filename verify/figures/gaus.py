"""GAUS: students beside random teachers on Gaussian inputs, fully connected and convolutional, without and with BN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nets.specialization_kept import RunFolder
from verify.figures import Made, PaperFigure, Progress
from verify.figures.claims import ClaimCheck
from verify.figures.deep_study import DeepStudy
from verify.figures.drawing import ordered_colours, panels
from verify.statement import LUCK_MATTERS, Source

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def make(study: DeepStudy, device: str, progress: Progress, kept: RunFolder | None = None) -> Made:
    """Train both placements, looking at every epoch."""
    data = study.both(device, progress, kept)
    return Made(draw(study, data), data, checks(data))


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """The caption's sentences; of networks with the same seed where placements are compared."""
    start, first, last = data.isel(epoch=0), data.isel(epoch=1), data.isel(epoch=-1)
    found = []
    for placement in data.placement.values:
        here = {"placement": placement}
        growth = (last.rho_bar - start.rho_bar).sel(here)
        found.append(
            ClaimCheck.exceeding(f"ρ̄ grows in every layer, {placement} (least of them)", growth.min("layer"))
        )
        final = last.rho_bar.sel(here)
        found.append(
            ClaimCheck.exceeding(
                f"layer 0 matches best, {placement} (final ρ̄ minus the best other layer)",
                final.isel(layer=0) - final.isel(layer=slice(1, None)).max("layer"),
            )
        )
        fall = (start.mean_rank - first.mean_rank).sel(here)
        found.append(
            ClaimCheck.exceeding(
                f"the final winners' mean rank falls in the first epoch, {placement}", fall.mean("layer")
            )
        )
    without, with_bn = data.placement.values
    gain = last.rho_bar.sel(placement=with_bn) - last.rho_bar.sel(placement=without)
    found.append(ClaimCheck.exceeding("BN raises the final ρ̄ (mean over layers)", gain.mean("layer")))
    ranks = data.mean_rank.isel(epoch=slice(1, None)).mean(("epoch", "layer"))
    found.append(
        ClaimCheck.exceeding(
            "BN lowers r̄ (mean over layers and epochs)",
            ranks.sel(placement=without) - ranks.sel(placement=with_bn),
        )
    )
    return tuple(found)


def draw(study: DeepStudy, data: xr.Dataset) -> Figure:
    """ρ̄ and r̄ over epochs, a row for each placement, a line for each layer."""
    figure, axes = panels(2, 2, (3.1, 2.3), sharey="col")
    for row, placement in zip(axes, data.placement.values, strict=True):
        here = data.sel(placement=placement)
        layers_with_bands(row[0], here.epoch.values, here.rho_bar.values)
        layers_with_bands(row[1], here.epoch.values, here.mean_rank.values)
        row[0].set(ylabel="best correlation ρ̄", ylim=(0, 1.02))
        row[1].set_ylabel("mean rank r̄")
        row[0].set_title(f"{study_name(study)}, {placement}")
    axes[0, 1].set_ylim(bottom=0)
    for panel in axes[-1]:
        panel.set(xlabel="epoch", xlim=(0, data.epoch.values[-1]))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", title="band: all\nnetworks")
    return figure


def study_name(study: DeepStudy) -> str:
    kind = "ConvNet" if study.teacher.convolutional else "FC"
    return f"{kind} {'-'.join(map(str, study.widths))}, {study.factor}×"


def layers_with_bands(axes: Axes, epochs: np.ndarray, values: np.ndarray) -> None:
    """Mean over networks of ``values (epochs, networks, layers)``, with a band from the smallest to the largest."""
    colours = ordered_colours(values.shape[-1])
    for layer, colour in enumerate(colours):
        own = values[..., layer]
        axes.plot(epochs, own.mean(-1), color=colour, label=f"layer {layer}")
        axes.fill_between(epochs, own.min(-1), own.max(-1), color=colour, alpha=0.2, lw=0)


IMAGES = (1, 16, 16)
"""Inputs of the paper's ConvNets."""

FIGURES = (
    PaperFigure(
        name="luckmatters.gaus-fc",
        title="Correlation and mean rank over training, fully connected on Gaussian inputs, without and with BN",
        source=Source(LUCK_MATTERS, "Figure 7", "Figure 8 of version 4; the left half"),
        settings={
            "quick": DeepStudy(factor=2, networks=3, epochs=20, samples=20_000),
            "full": DeepStudy(),
        },
        make=make,
        keeps_runs=True,
        estimate=lambda study, device: study.estimate(device),
    ),
    PaperFigure(
        name="luckmatters.gaus-cnn",
        title="Correlation and mean rank over training, ConvNets on Gaussian inputs, without and with BN",
        source=Source(LUCK_MATTERS, "Figure 7", "Figure 8 of version 4; the right half"),
        settings={
            "quick": DeepStudy(
                (8, 8, 8, 8), 3, IMAGES, networks=3, epochs=8, samples=6_400, rates=(0.005, 0.2)
            ),
            "full": DeepStudy((64, 64, 64, 64), 10, IMAGES),
        },
        make=make,
        keeps_runs=True,
        estimate=lambda study, device: study.estimate(device),
    ),
)
