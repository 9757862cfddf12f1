"""The appendix's curves: loss, and mean and median rank of the final winners, layer by layer over epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dynamics.ode.progress import Progress
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.correlation_panels import layers_with_bands, study_name
from verify.figures.panels import panels
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import LUCK_MATTERS, Source
from verify.mathematics.studies.deep_study import DeepStudy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def make(study: DeepStudy, device: str, progress: Progress, store: RunFolder | None = None) -> FigureResult:
    """Train every arm of GAUS, recording every epoch; runs in the store are shared with the figures of GAUS."""
    data = study.all_arms(device, progress, store)
    return FigureResult(picture(study, data), data, checks(data))


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """Falls of the loss (in decades) and of the ranks of the final winners (averaged over layers), arm by arm."""
    loss = np.log10(data.loss)
    ranks = data[["mean_rank", "median_rank"]].mean("layer")
    found = []
    for arm in data.arm.values:
        here = {"arm": arm}
        fall = loss.isel(epoch=0) - loss.isel(epoch=-1)
        found.append(ClaimCheck.exceeding(f"the loss falls, {arm} (decades)", fall.sel(here)))
        early = (ranks.isel(epoch=0) - ranks.isel(epoch=1)).sel(here)
        for name, label in (("mean_rank", "mean"), ("median_rank", "median")):
            found.append(
                ClaimCheck.exceeding(f"the {label} rank falls in the first epoch, {arm}", early[name])
            )
        gap = (ranks.mean_rank - ranks.median_rank).isel(epoch=slice(1, None)).mean("epoch").sel(here)
        found.append(
            ClaimCheck.exceeding(
                f"after it a few late winners set the mean: it is above the median, {arm}", gap
            )
        )
    return tuple(found)


def picture(study: DeepStudy, data: xr.Dataset) -> Figure:
    """Loss, mean rank and median rank over epochs: arms by rows."""
    figure, axes = panels(data.sizes["arm"], 3, (2.7, 2.0), sharey="col")
    epochs = data.epoch.values
    for row, arm in zip(axes, data.arm.values, strict=True):
        here = data.sel(arm=arm)
        loss = here.loss.values
        row[0].plot(epochs, loss.mean(-1), color="#3a3f47")
        row[0].fill_between(epochs, loss.min(-1), loss.max(-1), color="#3a3f47", alpha=0.2, lw=0)
        row[0].set(yscale="log", ylabel="evaluation loss")
        layers_with_bands(row[1], epochs, here.mean_rank.values)
        layers_with_bands(row[2], epochs, here.median_rank.values)
        row[1].set_ylabel("mean rank")
        row[2].set_ylabel("median rank")
        row[0].set_title(str(arm))
    for panel in axes[0, 1:]:
        panel.set_ylim(bottom=0)
    for panel in axes[-1]:
        panel.set(xlabel=f"epoch of {study.samples:,} samples", xlim=(0, epochs[-1]))
    handles, labels = axes[0, 1].get_legend_handles_labels()
    figure.suptitle(study_name(study), fontsize=10)
    figure.legend(handles, labels, loc="outside right center", title="band: all\nnetworks")
    return figure


FIGURE = PaperFigure(
    name="luckmatters.loss-rank",
    title="Loss, mean and median rank of the final winners over training, without and with BN",
    source=Source(
        LUCK_MATTERS, "Figures 17 to 21", "19 to 23 of version 4, appendix; Gaussian, fully connected"
    ),
    settings={
        "quick": DeepStudy((10, 15, 20, 25), 5, networks=5, epochs=20, samples=12_800, bn_rates=(0.05,)),
        "full": DeepStudy(),
    },
    make=make,
    keeps_runs=True,
    estimate=lambda study, device: study.estimate(device),
)
