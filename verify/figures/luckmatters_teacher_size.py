"""Small and large teachers: correlation over epochs, without and with batch normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dynamics.ode.progress import Progress
from nets.deep.training.cost_estimate import Estimate
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.correlation_panels import correlation_grid
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import LUCK_MATTERS, Source
from verify.mathematics.studies.deep_cases import Case, estimate_cases, observable, train_cases, way_covered
from verify.mathematics.studies.deep_study import Arm, DeepStudy, arm_coordinates

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

SIZES = ("small", "large")


@dataclass(frozen=True)
class TwoTeachers(DeepStudy):
    """Students of large teachers, of ``widths``, and of small ones, of ``small_widths``; both equally deep."""

    small_widths: tuple[int, ...] = (10, 15, 20, 25)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.small_widths) != len(self.widths):
            raise ValueError(
                f"small_widths: expected {len(self.widths)} layers as in widths, got {self.small_widths!r}"
            )

    @property
    def cases(self) -> list[Case]:
        """Every size of teacher with every arm."""
        studies = (self.plain(widths=self.small_widths), self.plain())
        return [Case(study, arm) for study in studies for arm in self.arms]


def make(study: TwoTeachers, device: str, progress: Progress, store: RunFolder | None = None) -> FigureResult:
    """Train students of both sizes in every arm, recording every epoch."""
    runs = train_cases(study.cases, device, progress, store)
    shape = len(SIZES), len(study.arms)
    data = dataset(study.arms, observable(runs, "rho_bar", shape), observable(runs, "loss", shape))
    return FigureResult(picture(study, data), data, checks(data))


def dataset(arms: Sequence[Arm], rho_bar: np.ndarray, loss: np.ndarray) -> xr.Dataset:
    """Correlation over (teacher, arm, epoch, network, layer), loss over all but the layer."""
    import xarray as xr

    axes = ("teacher", "arm", "epoch", "network", "layer")
    columns = {
        "rho_bar": (axes, rho_bar),
        "way_covered": (axes, way_covered(rho_bar, epochs=2)),
        "loss": (axes[:-1], loss),
    }
    coordinates = {
        "teacher": list(SIZES),
        **arm_coordinates(arms),
        "epoch": np.arange(rho_bar.shape[2]),
    }
    return xr.Dataset(columns, coordinates)


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """Speed is the share of the way to ρ̄ = 1 that is covered, averaged over layers and epochs."""
    speed = data.way_covered.isel(epoch=slice(1, None)).mean(("epoch", "layer"))
    small, large = speed.sel(teacher="small"), speed.sel(teacher="large")
    found = [
        ClaimCheck.exceeding(
            f"ρ̄ converges faster with a small teacher, {arm} (share of the way, small minus large)",
            small.sel(arm=arm) - large.sel(arm=arm),
        )
        for arm in data.arm.values
    ]
    without = int(np.argmin(data.bn.values))
    for arm in data.arm.values[data.bn.values]:
        hurt, missed = (size.isel(arm=without) - size.sel(arm=arm) for size in (small, large))
        same_rate = bool(data.rate.sel(arm=arm) == data.rate.isel(arm=without))
        found += [
            ClaimCheck.exceeding(
                f"BN slows the students of a small teacher, {arm} (share of the way, without minus with)", hurt,
                expected="observed" if same_rate else "not observed",
            ),
            ClaimCheck.exceeding(
                f"BN speeds those of a large teacher, {arm} (share of the way, with minus without)", -missed,
                expected="not observed" if same_rate else "observed",
            ),
        ]  # fmt: skip
    return tuple(found)


def picture(study: TwoTeachers, data: xr.Dataset) -> Figure:
    """Correlation over epochs: arms by rows, teachers by columns."""
    widths = {"small": study.small_widths, "large": study.widths}
    titles = [f"{size}: {'-'.join(map(str, widths[size]))}" for size in data.teacher.values]
    return correlation_grid(data.rho_bar, titles, f"epoch ({study.samples:,} samples)")


def estimate(study: TwoTeachers, device: str) -> Estimate:
    """Time and memory of all trainings."""
    return estimate_cases(study.cases, device)


FIGURE = PaperFigure(
    name="luckmatters.teacher-size",
    title="Correlation over training beside small and large teachers, without and with BN",
    source=Source(LUCK_MATTERS, "Figure 9a", "Figures 10a and 24 of version 4"),
    settings={
        # the paper's teachers; students half as wide, an epoch an eighth as long, a fifth of the epochs
        "quick": TwoTeachers(factor=5, networks=4, epochs=8, samples=12_000),
        "full": TwoTeachers(epochs=40),
    },
    note="""\
The paper saw small teachers matched much faster, BatchNorm hurting beside them and helping beside large ones. The
first is plain. The second depends on the learning rate: at the authors' 0.05 BatchNorm slows the students of large
teachers, at 0.4, a rate that it makes usable, it speeds them up; beside small teachers neither rate makes a difference
that four of them resolve.""",
    make=make,
    keeps_runs=True,
    estimate=estimate,
)
