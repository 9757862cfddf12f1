"""Figure 11: how every student node correlates with every teacher node over time, three networks."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from nets.devices import available_cores
from nets.specialization.observables import SUCCESS
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.panels import ordered_colours, panels
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import SPECIALIZATION, Source
from verify.mathematics.studies.coverage import first_covered, rank_correlation
from verify.mathematics.studies.specialization_study import QUICK_SAMPLES, OneSetting

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

SHOWN = 3
"""Networks in the picture, one a row; the check is over all of them."""

RECORDS = 60


def make(study: OneSetting, device: str, progress: Progress, store: RunFolder | None = None) -> FigureResult:
    """Train one setting, recording all correlations."""
    runs = study.run(
        study.marks(RECORDS), device=device, workers=available_cores(), progress=progress, store=store
    )
    ((_, _, run),) = runs
    data = dataset(run)
    return FigureResult(picture(study, data), data, checks(run))


def dataset(run: Trajectory) -> xr.Dataset:
    """Correlations over (epoch, network, teacher, student) and fan-out norms."""
    import xarray as xr

    return xr.Dataset(
        {
            "correlation": (("epoch", "network", "teacher", "student"), run.observables["correlation"]),
            "fan_out_norm": (("epoch", "network", "student"), run.observables["fan_out_norm"]),
            "first_covered": (("network", "teacher"), first_covered(run)),
        },
        {"epoch": run.t, "teacher": np.arange(1, run.observables["correlation"].shape[2] + 1)},
    )


def shifted(correlation: NDArray[np.float64], lead: float = 0.1) -> NDArray[np.bool_]:
    """Which student nodes change their teacher node on the way, (networks, n).

    Those that end specialised, and at some record correlated more with a stronger teacher node than with their own, by
    ``lead``. ``correlation``: (records, networks, m, n).
    """
    final = correlation[-1].argmax(axis=1)[None, :, None, :]
    own = np.take_along_axis(correlation, final, axis=2)
    stronger = np.arange(correlation.shape[2])[:, None] < final
    ahead = ((correlation > own + lead) & stronger).any(axis=(0, 2))
    return np.asarray(ahead & (correlation[-1].max(axis=1) > SUCCESS))


def checks(run: Trajectory) -> tuple[ClaimCheck, ...]:
    """Order of coverage within each network, and the number of its nodes that change their teacher node."""
    found = first_covered(run)
    order = rank_correlation(found, np.broadcast_to(np.arange(found.shape[1]), found.shape))
    moved = shifted(run.observables["correlation"]).sum(axis=1)
    return (
        ClaimCheck.exceeding("stronger teacher nodes are covered earlier (rank correlation)", order),
        ClaimCheck.exceeding("nodes chase a stronger teacher first, then shift (nodes a network)", moved),
    )


def picture(study: OneSetting, data: xr.Dataset) -> Figure:
    """Networks by rows, teacher nodes by columns, a line for each student node."""
    rows, columns = min(SHOWN, study.networks), study.m
    figure, axes = panels(rows, columns, (2.0, 1.6))
    students = data.sizes["student"]
    colours = ordered_colours(students, "turbo", last=1.0)
    for row, column in product(range(rows), range(columns)):
        panel = axes[row, column]
        lines = data.correlation.isel(network=row, teacher=column)
        for student, colour in enumerate(colours):
            panel.plot(data.epoch, lines.isel(student=student), color=colour, lw=1, alpha=0.85)
        panel.axhline(SUCCESS, color="#8a9099", lw=0.8, ls=":")
        if row == 0:
            panel.set_title(f"teacher {column + 1}")
        if column == 0:
            panel.set_ylabel(f"network {row + 1}")
    axes[0, 0].set(xlim=(0, study.epochs), ylim=(None, 1.05))
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel("correlation of each student node", fontsize=9)
    return figure


FIGURE = PaperFigure(
    name="specialization.11",
    title="Student nodes and the teacher nodes they correlate with over time (5 teacher nodes)",
    source=Source(
        SPECIALIZATION, "Figure 11", "polarity and student width are lost from the text; p = 1.5 and 2x here"
    ),
    settings={
        "quick": OneSetting(5, (1.5,), (2.0,), networks=12, epochs=8, eval_samples=QUICK_SAMPLES),
        "full": OneSetting(5, (1.5,), (2.0,), networks=32, epochs=30),
    },
    make=make,
    keeps_runs=True,
    spreads=True,
)
