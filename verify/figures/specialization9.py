"""Figure 9: share of teacher nodes recovered, over polarity, for each over-realisation, early and late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from dynamics.ode.progress import Progress
from nets.devices import available_cores
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.panels import extremes, mean_and_band, number_label, ordered_colours
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import SPECIALIZATION, Source
from verify.mathematics.studies.coverage import coverage, coverage_of_halves
from verify.mathematics.studies.specialization_study import QUICK_SAMPLES, SpecializationStudy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


def make(
    study: SpecializationStudy, device: str, progress: Progress, store: RunFolder | None = None
) -> FigureResult:
    """Train every setting, recording it early and at its end."""
    runs = [
        run
        for *_, run in study.run(
            study.marks(2), device=device, workers=available_cores(), progress=progress, store=store
        )
    ]
    names = ("success", "success_strong_half", "success_weak_half")
    measured = {name: [] for name in names}  # type: dict[str, list[np.ndarray]]
    for run in runs:
        for name, value in zip(names, (coverage(run), *coverage_of_halves(run)), strict=True):
            measured[name].append(value[1:])
    data = dataset(study, measured, runs[0].t[1:])
    return FigureResult(picture(study, data), data, checks(data))


def dataset(
    study: SpecializationStudy, measured: dict[str, list[np.ndarray]], epochs: np.ndarray
) -> xr.Dataset:
    """Share of nodes covered, over (polarity, over_realisation, epoch, network)."""
    import xarray as xr

    shape = len(study.polarities), len(study.over_realisations), len(epochs), study.networks
    axes = ("polarity", "over_realisation", "epoch", "network")
    columns = {name: (axes, np.reshape(values, shape)) for name, values in measured.items()}
    coordinates = {
        "polarity": list(study.polarities),
        "over_realisation": list(study.over_realisations),
        "epoch": epochs,
    }
    return xr.Dataset(columns, coordinates)


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """Averages over the settings within each network; runs of one seed are compared in pairs."""
    strong_first = (data.success_strong_half - data.success_weak_half).isel(epoch=0)
    found = [
        ClaimCheck.exceeding(
            "the strong half of the teacher nodes is recovered before the weak half",
            strong_first.mean(("polarity", "over_realisation")),
        )
    ]
    if data.sizes["over_realisation"] > 1:
        narrowest, widest = extremes(data.over_realisation)
        for index, epoch in enumerate(data.epoch.values):
            gain = (
                data.success.isel(over_realisation=widest) - data.success.isel(over_realisation=narrowest)
            ).isel(epoch=index)
            found.append(
                ClaimCheck.exceeding(
                    f"more over-realisation recovers more nodes (epoch {epoch:g})", gain.mean("polarity")
                )
            )
    return tuple(found)


def picture(study: SpecializationStudy, data: xr.Dataset) -> Figure:
    """A colour for each over-realisation, dotted early and solid late."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 3.6))
    axes = figure.subplots()
    for over, colour in zip(
        study.over_realisations, ordered_colours(len(study.over_realisations)), strict=True
    ):
        for index, style in ((0, ":"), (1, "-")):
            values = data.success.sel(over_realisation=over).isel(epoch=index).values
            label = f"{number_label(over, times=True)}" if style == "-" else None
            mean_and_band(axes, study.polarities, values, colour, ls=style, marker="o", ms=3.5, label=label)
    early, late = (f"{epoch:g}" for epoch in data.epoch.values)
    styles = [
        Line2D([], [], color="#3a3f47", ls=":", label=f"after {early} epochs"),
        Line2D([], [], color="#3a3f47", ls="-", label=f"after {late} epochs"),
    ]
    students = axes.get_legend_handles_labels()[0]
    axes.set(
        xlabel="teacher polarity p",
        ylabel="share of teacher nodes recovered",
        ylim=(0, 1.03),
        xticks=study.polarities,
    )
    axes.set_title(f"{study.m} teacher nodes, {study.networks} networks, band: one standard error")
    # Outside the axes: no corner is free of lines at every budget.
    figure.legend(handles=[*students, *styles], loc="outside right center", title="student nodes / m")
    return figure


FIGURE = PaperFigure(
    name="specialization.9",
    title="Success rate of recovery over polarity and over-realisation (20 teacher nodes)",
    source=Source(SPECIALIZATION, "Figure 9"),
    settings={
        "quick": SpecializationStudy(
            20, (0.5, 1.0, 1.5, 2.0, 2.5), (1.0, 2.0, 5.0), networks=4, epochs=10, eval_samples=QUICK_SAMPLES
        ),
        "full": SpecializationStudy(
            20, (0.5, 1.0, 1.5, 2.0, 2.5), (1.0, 2.0, 5.0, 10.0), networks=32, epochs=100
        ),
    },
    make=make,
    keeps_runs=True,
    spreads=True,
)
