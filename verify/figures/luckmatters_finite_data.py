"""Fixed sets of samples against fresh ones: correlation of ConvNets over epochs, without and with BN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dynamics.ode.progress import Progress
from nets.deep.training.batches import BatchSource, FixedSamples
from nets.deep.training.cost_estimate import Estimate
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.correlation_panels import correlation_grid
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import LUCK_MATTERS, Source
from verify.mathematics.studies.deep_cases import Case, estimate_cases, observable, train_cases
from verify.mathematics.studies.deep_study import Arm, DeepStudy, arm_coordinates

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

KINDS = ("fixed", "fresh")


@dataclass(frozen=True)
class FixedStudy(DeepStudy):
    """A :class:`DeepStudy` whose ``samples`` inputs are drawn once for each network and seen again every epoch."""

    def source(self) -> BatchSource:
        return FixedSamples.gaussian(
            self.inputs, self.seeds, samples=self.samples, std=self.input_std, batch_size=self.batch_size,
            dtype=self.dtype,
        )  # fmt: skip


def cases(study: DeepStudy) -> list[Case]:
    """Every kind of data with every arm."""
    return [Case(kind, arm) for kind in (study.plain(FixedStudy), study) for arm in study.arms]


def make(study: DeepStudy, device: str, progress: Progress, store: RunFolder | None = None) -> FigureResult:
    """Train on both kinds of data; recorded after every epoch on inputs of neither."""
    runs = train_cases(cases(study), device, progress, store)
    shape = len(KINDS), len(study.arms)
    data = dataset(
        study.arms, {name: observable(runs, name, shape) for name in ("rho_bar", "loss", "train_loss")}
    )
    return FigureResult(picture(study, data), data, checks(data))


def dataset(arms: Sequence[Arm], measured: dict[str, np.ndarray]) -> xr.Dataset:
    """Correlation over (data, arm, epoch, network, layer), losses over all but the layer."""
    import xarray as xr

    axes = ("data", "arm", "epoch", "network", "layer")
    columns = {name: (axes[: values.ndim], values) for name, values in measured.items()}
    coordinates = {
        "data": list(KINDS),
        **arm_coordinates(arms),
        "epoch": np.arange(measured["rho_bar"].shape[2]),
    }
    return xr.Dataset(columns, coordinates)


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """Fresh minus fixed, averaged over layers; a pair of networks has one teacher and one start."""
    lead = (data.rho_bar.sel(data="fresh") - data.rho_bar.sel(data="fixed")).mean("layer")
    middle = data.sizes["epoch"] // 2
    found = []
    for arm in data.arm.values:
        own = lead.sel(arm=arm)
        found += [
            ClaimCheck.exceeding(
                f"ρ̄ ends lower on fixed data, {arm} (fresh minus fixed)", own.isel(epoch=-1)
            ),
            ClaimCheck.exceeding(
                f"ρ̄ stalls on fixed data, {arm} (growth in the second half of the run, fresh minus fixed)",
                own.isel(epoch=-1) - own.isel(epoch=middle),
            ),
        ]
    return tuple(found)


def picture(study: DeepStudy, data: xr.Dataset) -> Figure:
    """Correlation over epochs: arms by rows, kinds of data by columns."""
    titles = {"fixed": f"{study.samples:,} fixed samples", "fresh": f"{study.samples:,} fresh an epoch"}
    return correlation_grid(data.rho_bar, [titles[kind] for kind in data.data.values], "epoch")


def estimate(study: DeepStudy, device: str) -> Estimate:
    """Time and memory of all trainings."""
    return estimate_cases(cases(study), device)


FIGURE = PaperFigure(
    name="luckmatters.finite-data",
    title="Correlation over training of ConvNets on fixed and on fresh Gaussian inputs, without and with BN",
    source=Source(
        LUCK_MATTERS, "Figure 9b", "Figures 10b and 25 of version 4; the set is the authors' epoch"
    ),
    settings={
        # An eighth of the channels on smaller images, students twice as wide, and so few samples that they are learnt
        # by heart within two minutes.
        "quick": DeepStudy(
            (8, 8, 8, 8),
            2,
            (1, 12, 12),
            networks=6,
            epochs=24,
            samples=512,
            batch_size=16,
            eval_samples=256,
            rates=(0.02,),
            bn_rates=(0.05,),
        ),
        "full": DeepStudy((64, 64, 64, 64), 10, (1, 16, 16), epochs=20, rates=(0.001,), bn_rates=(0.05,)),
    },
    note="""\
The paper saw ρ̄ stall on a fixed data set within a few epochs. So it does here with BatchNorm, on 512 images;
without it small ConvNets hardly learn in this time on either kind of data, and nothing can be told.""",
    make=make,
    keeps_runs=True,
    estimate=estimate,
)
