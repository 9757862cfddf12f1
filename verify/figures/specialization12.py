"""Figure 12: best correlation with every teacher node over time, strongest to weakest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from nets.devices import available_cores
from nets.specialization.observables import SUCCESS
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.panels import number_label, ordered_colours, panels
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import SPECIALIZATION, Source
from verify.mathematics.studies.coverage import best_student, lead_of_the_strong
from verify.mathematics.studies.specialization_study import QUICK_SAMPLES, OneWidth

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

RECORDS = 40


def make(study: OneWidth, device: str, progress: Progress, store: RunFolder | None = None) -> FigureResult:
    """Train one over-realisation at several polarities."""
    runs = [
        run
        for *_, run in study.run(
            study.marks(RECORDS), device=device, workers=available_cores(), progress=progress, store=store
        )
    ]
    data = dataset(study, runs)
    return FigureResult(picture(study, data), data, checks(study, runs))


def dataset(study: OneWidth, runs: list[Trajectory]) -> xr.Dataset:
    """Best correlation over (polarity, epoch, network, teacher)."""
    import xarray as xr

    axes = ("polarity", "epoch", "network", "teacher")
    return xr.Dataset(
        {"best_correlation": (axes, np.stack([best_student(run) for run in runs]))},
        {"polarity": list(study.polarities), "epoch": runs[0].t, "teacher": np.arange(1, study.m + 1)},
        {"over_realisation": study.over_realisations[0]},
    )


def checks(study: OneWidth, runs: list[Trajectory]) -> tuple[ClaimCheck, ...]:
    """For each polarity, coverage of the strong minus that of the weak half, averaged over the run."""
    claim = "the strong half of the teacher nodes is covered before the weak half"
    return tuple(
        ClaimCheck.exceeding(f"{claim} (p = {number_label(p)})", lead_of_the_strong(run))
        for p, run in zip(study.polarities, runs, strict=True)
    )


def picture(study: OneWidth, data: xr.Dataset) -> Figure:
    """A panel for each polarity, a line for each teacher node from the strongest to the weakest."""
    figure, axes = panels(1, len(study.polarities), (3.0, 2.6))
    colours = ordered_colours(study.m, "turbo", last=1.0)
    for panel, polarity in zip(axes[0], study.polarities, strict=True):
        mean = data.best_correlation.sel(polarity=polarity).mean("network")
        for teacher, colour in enumerate(colours):
            panel.plot(data.epoch, mean.isel(teacher=teacher), color=colour, lw=1.2)
        panel.axhline(SUCCESS, color="#8a9099", lw=0.8, ls=":")
        panel.set(title=f"p = {number_label(polarity)}", xlabel="epoch")
    axes[0, 0].set(xlim=(0, study.epochs), ylim=(0, 1.03))
    axes[0, 0].set_ylabel(f"best correlation\n(mean over {study.networks} networks)")
    scale = ScalarMappable(Normalize(1, study.m), matplotlib.colormaps["turbo"])
    figure.colorbar(
        scale, ax=axes[0, -1], label="teacher node (1 strongest)", ticks=[1, study.m // 2, study.m]
    )
    return figure


FIGURE = PaperFigure(
    name="specialization.12",
    title="Best correlation with each teacher node over time (20 teacher nodes, 5x)",
    source=Source(SPECIALIZATION, "Figure 12", "the polarities are lost from the text; 0.5, 1 and 2 here"),
    settings={
        "quick": OneWidth(20, (0.5, 1.0, 2.0), (5.0,), networks=6, epochs=6, eval_samples=QUICK_SAMPLES),
        "full": OneWidth(20, (0.5, 1.0, 2.0), (5.0,), networks=32, epochs=100),
    },
    make=make,
    keeps_runs=True,
    spreads=True,
)
