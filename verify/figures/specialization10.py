"""Figure 10: evaluation loss over epochs, for each polarity and over-realisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.ode.progress import Progress
from nets.devices import available_cores
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.panels import extremes, number_label, ordered_colours, panels
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import SPECIALIZATION, Source
from verify.mathematics.studies.specialization_study import QUICK_SAMPLES, SpecializationStudy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

LOSS_FLOOR = 1e-28
"""Smaller losses count as this: they are the rounding of outputs of order one, squared."""

RECORDS = 40


def make(
    study: SpecializationStudy, device: str, progress: Progress, store: RunFolder | None = None
) -> FigureResult:
    """Train every setting, recording the loss on fresh samples at each record."""
    runs = [
        run
        for *_, run in study.run(
            study.marks(RECORDS), device=device, workers=available_cores(), progress=progress, store=store
        )
    ]
    data = dataset(study, [run.observables["loss"] for run in runs], runs[0].t)
    return FigureResult(picture(study, data), data, checks(data))


def dataset(study: SpecializationStudy, losses: list[np.ndarray], epochs: np.ndarray) -> xr.Dataset:
    """Mean squared error on evaluation samples, over (polarity, over_realisation, epoch, network)."""
    import xarray as xr

    shape = len(study.polarities), len(study.over_realisations), len(epochs), study.networks
    axes = ("polarity", "over_realisation", "epoch", "network")
    coordinates = {
        "polarity": list(study.polarities),
        "over_realisation": list(study.over_realisations),
        "epoch": epochs,
    }
    return xr.Dataset({"loss": (axes, np.reshape(losses, shape))}, coordinates)


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """Decades of the final loss between the narrowest and the widest student of one seed."""
    if data.sizes["over_realisation"] < 2:
        return ()
    final = np.log10(np.maximum(data.loss.isel(epoch=-1), LOSS_FLOOR))
    narrowest, widest = extremes(data.over_realisation)
    gain = final.isel(over_realisation=narrowest) - final.isel(over_realisation=widest)
    least, most = extremes(data.polarity)
    polarity = number_label(float(data.polarity.max()))
    found = [
        ClaimCheck.exceeding(
            f"at p = {polarity} over-realisation lowers the loss (decades)", gain.isel(polarity=most)
        )
    ]
    if data.sizes["polarity"] > 1:
        growth = gain.isel(polarity=most) - gain.isel(polarity=least)
        found.append(ClaimCheck.exceeding("and more so the higher the polarity (decades)", growth))
    return tuple(found)


def picture(study: SpecializationStudy, data: xr.Dataset) -> Figure:
    """A panel for each polarity: median and quartiles over networks, a colour for each over-realisation."""
    columns = min(len(study.polarities), 3)
    rows = -(-len(study.polarities) // columns)
    figure, axes = panels(rows, columns, (3.0, 2.5))
    colours = ordered_colours(len(study.over_realisations))
    places: list[Any] = list(axes.flat)
    for panel, polarity in zip(places, study.polarities, strict=False):
        for over, colour in zip(study.over_realisations, colours, strict=True):
            loss = np.maximum(data.loss.sel(polarity=polarity, over_realisation=over).values, LOSS_FLOOR)
            low, middle, high = np.quantile(loss, (0.25, 0.5, 0.75), axis=-1)
            panel.plot(data.epoch, middle, color=colour, label=number_label(over, times=True))
            panel.fill_between(data.epoch, low, high, color=colour, alpha=0.15, lw=0)
        panel.set_title(f"p = {number_label(polarity)}")
    for panel in places[len(study.polarities) :]:
        panel.set_axis_off()
    axes[0, 0].set(yscale="log", xlim=(0, study.epochs))
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel("evaluation loss", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", title="student\nnodes / m")
    return figure


FIGURE = PaperFigure(
    name="specialization.10",
    title="Evaluation loss over epochs: median and quartiles over networks (20 teacher nodes)",
    source=Source(SPECIALIZATION, "Figure 10", "the caption names no width; that of Figure 9 is taken"),
    settings={
        "quick": SpecializationStudy(
            20, (0.0, 1.0, 2.0), (1.0, 2.0, 5.0), networks=6, epochs=10, eval_samples=QUICK_SAMPLES
        ),
        "full": SpecializationStudy(
            20, (0.0, 0.5, 1.0, 1.5, 2.0, 2.5), (1.0, 2.0, 5.0, 10.0), networks=32, epochs=100
        ),
    },
    make=make,
    keeps_runs=True,
    spreads=True,
)
