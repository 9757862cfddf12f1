"""Figure 7: best correlation against fan-out norm of every student node, over polarity and over-realisation."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from dynamics.arrays import Array
from dynamics.ode.progress import Progress
from nets.devices import available_cores
from nets.specialization.observables import SUCCESS
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.panels import number_label, ordered_colours, padded, panels
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import SPECIALIZATION, Source
from verify.mathematics.studies.coverage import rank_correlation, specialisation_and_fan_out
from verify.mathematics.studies.specialization_study import QUICK_SAMPLES, SpecializationStudy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def make(
    study: SpecializationStudy, device: str, progress: Progress, store: RunFolder | None = None
) -> FigureResult:
    """Train every setting to its end, and plot one point for every student node."""
    runs = [
        specialisation_and_fan_out(run)
        for _, _, run in study.run(
            study.marks(2), device=device, workers=available_cores(), progress=progress, store=store
        )
    ]
    data = dataset(study, runs)
    return FigureResult(picture(study, data), data, checks(study, runs))


def dataset(study: SpecializationStudy, runs: list[tuple[Array, Array]]) -> xr.Dataset:
    """Correlation and norm over (polarity, over_realisation, network, student); NaN beyond a student's width."""
    import xarray as xr

    axes = ("polarity", "over_realisation", "network", "student")
    shape = len(study.polarities), len(study.over_realisations), study.networks
    width = max(norm.shape[-1] for _, norm in runs)
    columns = {
        name: (axes, padded([run[index] for run in runs], width).reshape(*shape, width))
        for index, name in enumerate(("best_correlation", "fan_out_norm"))
    }
    coordinates = {"polarity": list(study.polarities), "over_realisation": list(study.over_realisations)}
    return xr.Dataset(columns, coordinates)


def checks(study: SpecializationStudy, runs: list[tuple[Array, Array]]) -> tuple[ClaimCheck, ...]:
    """Rank correlation of the two axes within each network, averaged over the settings where both vary."""
    ranks = np.array([rank_correlation(*run) for run in runs])
    claim = "low correlation goes with low fan-out (mean rank correlation within a network > 0)"
    return (ClaimCheck.exceeding(claim, ranks.mean(axis=0)),)


def picture(study: SpecializationStudy, data: xr.Dataset) -> Figure:
    """Polarities by rows, over-realisations by columns, a colour for each network."""
    rows, columns = len(study.polarities), len(study.over_realisations)
    figure, axes = panels(rows, columns, sharey="row")
    colours = ordered_colours(study.networks, "turbo", last=1.0)
    for row, column in product(range(rows), range(columns)):
        panel = axes[row, column]
        part = data.isel(polarity=row, over_realisation=column)
        for network, colour in enumerate(colours):
            one = part.isel(network=network)
            panel.scatter(one.best_correlation, one.fan_out_norm, s=7, color=colour, alpha=0.55, lw=0)
        panel.axvline(SUCCESS, color="#8a9099", lw=0.8, ls=":")
        polarity, over = study.polarities[row], study.over_realisations[column]
        panel.set_title(f"p = {number_label(polarity)}, {number_label(over, times=True)}")
    axes[0, 0].set(xlim=(0, 1.03))
    for panel in axes[:, 0]:
        panel.set_ylim(0, None)
    figure.supxlabel("best correlation with a teacher node", fontsize=9)
    figure.supylabel("fan-out norm $\\|v_k\\|$", fontsize=9)
    return figure


FIGURE = PaperFigure(
    name="specialization.7",
    title="Student nodes: best correlation against fan-out norm (10 teacher nodes)",
    source=Source(SPECIALIZATION, "Figure 7", "correlations on fresh samples instead of the training set"),
    settings={
        "quick": SpecializationStudy(
            10, (0.0, 1.0, 2.0), (1.0, 2.0, 5.0, 10.0), networks=4, epochs=10, eval_samples=QUICK_SAMPLES
        ),
        "full": SpecializationStudy(10, (0.0, 1.0, 2.0), (1.0, 2.0, 5.0, 10.0), networks=32, epochs=100),
    },
    make=make,
    keeps_runs=True,
    spreads=True,
)
