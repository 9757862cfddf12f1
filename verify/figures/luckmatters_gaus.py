"""GAUS, the first paper's Gaussian task: deep students beside random teachers, without and with BatchNorm."""

from __future__ import annotations

from collections.abc import Iterator
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
    """Train every arm, recording every epoch."""
    data = study.all_arms(device, progress, store)
    at_one_rate = "observed" if study.teacher.convolutional else "not observed"
    return FigureResult(picture(study, data), data, checks(data, at_one_rate))


def checks(data: xr.Dataset, at_one_rate: str = "observed") -> tuple[ClaimCheck, ...]:
    """The caption's sentences: every arm by itself, then each with BN against the first without, in pairs of networks.

    ``at_one_rate``: the outcome expected of "BN raises the final ρ̄" where both arms have the same learning rate.
    """
    found = [check for arm in data.arm.values for check in _own_checks(data.sel(arm=arm), str(arm))]
    without = data.isel(arm=int(np.argmin(data.bn.values)))
    for arm in data.arm.values[data.bn.values]:
        with_bn = data.sel(arm=arm)
        gain = (with_bn.rho_bar - without.rho_bar).isel(epoch=-1).mean("layer")
        fall = (without.mean_rank - with_bn.mean_rank).isel(epoch=slice(1, None)).mean(("epoch", "layer"))
        versus = f"{arm} against {without.arm.item()}"
        expected = at_one_rate if with_bn.rate == without.rate else "observed"
        found.append(
            ClaimCheck.exceeding(
                f"BN raises the final ρ̄ (mean over layers), {versus}", gain, expected=expected
            )
        )
        found.append(ClaimCheck.exceeding(f"BN lowers r̄ (mean over layers and epochs), {versus}", fall))
    return tuple(found)


def _own_checks(data: xr.Dataset, arm: str) -> Iterator[ClaimCheck]:
    """What the caption says of one arm."""
    start, first, last = (data.isel(epoch=epoch) for epoch in (0, 1, -1))
    growth = (last.rho_bar - start.rho_bar).min("layer")
    yield ClaimCheck.exceeding(f"ρ̄ grows, {arm} (in the layer where it grows least)", growth)
    lead = last.rho_bar.isel(layer=0) - last.rho_bar.isel(layer=slice(1, None)).max("layer")
    yield ClaimCheck.exceeding(f"layer 0 matches best, {arm} (lead of its final ρ̄ over the next best)", lead)
    fall = (start.mean_rank - first.mean_rank).mean("layer")
    yield ClaimCheck.exceeding(f"r̄ falls in the first epoch, {arm} (mean over layers)", fall)


def picture(study: DeepStudy, data: xr.Dataset) -> Figure:
    """ρ̄ and r̄ over epochs: arms by rows, a line for each layer."""
    figure, axes = panels(data.sizes["arm"], 2, (3.1, 2.0), sharey="col")
    for row, arm in zip(axes, data.arm.values, strict=True):
        here = data.sel(arm=arm)
        layers_with_bands(row[0], here.epoch.values, here.rho_bar.values)
        layers_with_bands(row[1], here.epoch.values, here.mean_rank.values)
        row[0].set(ylabel="best correlation ρ̄", ylim=(0, 1.02))
        row[1].set_ylabel("mean rank r̄")
        row[0].set_title(str(arm))
    axes[0, 1].set_ylim(bottom=0)
    for panel in axes[-1]:
        panel.set(xlabel=f"epoch of {study.samples:,} samples", xlim=(0, data.epoch.values[-1]))
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.suptitle(study_name(study), fontsize=10)
    figure.legend(handles, labels, loc="outside right center", title="band: all\nnetworks")
    return figure


IMAGES = (1, 16, 16)
"""Shape of one input of the paper's ConvNets."""

FIGURES = (
    PaperFigure(
        name="luckmatters.gaus-fc",
        title="Correlation and mean rank over training, fully connected on Gaussian inputs, without and with BN",
        source=Source(LUCK_MATTERS, "Figure 7", "Figure 8 of version 4; the left half"),
        settings={
            "quick": DeepStudy(factor=2, networks=3, epochs=20, samples=20_000),
            "full": DeepStudy(),
        },
        note="""\
The paper saw ρ̄ grow towards 1 in the lowest layers, r̄ fall at once, and BatchNorm help. ρ̄ and r̄ do so here. BatchNorm
helps at a learning rate that it makes usable (0.4; 1 diverges); at the authors' 0.05 it ends lower than without.
At the paper's sizes (10× students, 100,000 samples an epoch, BN at 0.4) one network was trained for 40 of the 100
epochs on a CPU: ρ̄ of the lowest layer passes 0.99 in epoch 12 and ends at 0.9987, the layers above end at 0.75, 0.66
and 0.75, still rising by 0.002 an epoch; the mean rank of the final winners is below 0.03 in every layer after one
epoch.""",
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
                (8, 8, 8, 8),
                3,
                IMAGES,
                networks=5,
                epochs=5,
                samples=6_400,
                rates=(0.005,),
                bn_rates=(0.005, 0.2),
            ),
            "full": DeepStudy((64, 64, 64, 64), 10, IMAGES, rates=(0.001,), bn_rates=(0.001, 0.05)),
        },
        note="""\
The paper saw BatchNorm help ConvNets most. So it does here at a learning rate of its own; at the one that suits
the students without it, neither learns much in this time.""",
        make=make,
        keeps_runs=True,
        estimate=lambda study, device: study.estimate(device),
    ),
)
