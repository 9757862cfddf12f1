"""Figure 8: best correlation against sqrt(E beta_kk) of every student node, layer by layer, as training goes on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from dynamics.arrays import Array
from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from nets.deep.metrics import Evaluation, Record
from nets.deep.modulation import mean_modulations
from nets.deep.networks import DeepNetworks
from nets.deep.teachers import balanced_teacher
from nets.deep.training.cost_estimate import Estimate
from nets.deep.training.descent import SGD
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.panels import number_label, ordered_colours, padded, panels
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import SPECIALIZATION, Source
from verify.mathematics.studies.coverage import rank_correlation
from verify.mathematics.studies.deep_cases import (
    Case,
    estimate_cases,
    train_cases,
    way_covered,
)
from verify.mathematics.studies.deep_study import Arm, DeepStudy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class BalancedStudy(DeepStudy):
    """Students beside the second paper's balanced teachers, recorded after the epochs ``looks`` and at both ends.

    The learning rate is halved at epoch ``halved_at``.
    """

    looks: tuple[int, ...] = (1, 10)
    halved_at: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        inside = [look for look in self.looks if 0 < look < self.epochs]
        if sorted(set(inside)) != list(self.looks):
            raise ValueError(f"looks: expected rising epochs between 0 and {self.epochs}, got {self.looks!r}")
        self.sgd(self.arms[0])

    @property
    def records(self) -> tuple[int, ...]:
        """Epochs of the records."""
        return (0, *self.looks, self.epochs)

    def sgd(self, arm: Arm) -> SGD:
        """Plain SGD whose rate is halved once."""
        rate = super().sgd(arm).lr
        return SGD(rate, drops=((self.halved_at, rate / 2),))

    def teachers(self, device: str) -> DeepNetworks:
        """Every node active on half of the inputs, every output of mean 0 and variance 1."""
        return balanced_teacher(
            self.teacher, self.seeds, input_std=self.input_std, device=device, dtype=self.dtype
        )

    @property
    def observer(self) -> FanOuts:
        """What is measured of every node at a record."""
        return FanOuts()


@dataclass(frozen=True)
class FanOuts:
    """Of every student node, layer after layer: best correlation with a teacher node, and sqrt(E beta_kk)."""

    @property
    def dimensions(self) -> dict[str, tuple[str, ...]]:
        """Both over the student nodes of all hidden layers."""
        return {"best_correlation": ("student_node",), "fan_out": ("student_node",)}

    def __call__(self, students: DeepNetworks, teacher: DeepNetworks, x: Tensor, found: Evaluation) -> Record:
        """Both quantities on the evaluation inputs; the factors of beta are taken in chunks."""
        best = [match.rho.amax(-1).cpu().numpy() for match in found.layers]
        fan_out = [slope.fan_out.cpu().numpy() for slope in mean_modulations(students, teacher, x)]
        return {
            "best_correlation": np.concatenate(best, axis=-1),
            "fan_out": np.concatenate(fan_out, axis=-1),
        }


def make(
    study: BalancedStudy, device: str, progress: Progress, store: RunFolder | None = None
) -> FigureResult:
    """Train the students, measuring every node at every record."""
    (run,) = train_cases([Case(study, study.arms[0])], device, progress, store)
    data = dataset(run)
    return FigureResult(picture(study, data), data, checks(data))


def dataset(run: Trajectory) -> xr.Dataset:
    """Both quantities over (layer, epoch, network, student), NaN beyond a layer's width; rho_bar and loss."""
    import xarray as xr

    depth = run.observables["rho_bar"].shape[-1]
    columns: dict[str, tuple[tuple[str, ...], Array]] = {}
    for name in ("best_correlation", "fan_out"):
        layers = [run.at(name, student_layer=level) for level in range(1, depth + 1)]
        width = max(values.shape[-1] for values in layers)
        columns[name] = (("layer", "epoch", "network", "student"), padded(layers, width))
    columns["rho_bar"] = (("epoch", "network", "layer"), run.observables["rho_bar"])
    columns["loss"] = (("epoch", "network"), run.observables["loss"])
    return xr.Dataset(columns, {"epoch": run.t})


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """Rank correlation of both quantities at the end, layer by layer; and which layer leads at the record before."""
    found = []
    for layer, name in enumerate(
        ("the lowest layer", *(f"layer {n}" for n in range(1, data.sizes["layer"])))
    ):
        claim = f"high correlation goes with high fan-out in {name} (rank correlation at the end)"
        found.append(ClaimCheck.exceeding(claim, agreement(data.isel(layer=layer, epoch=-1))))
    way = way_covered(data.rho_bar.values, epochs=0)[-2]
    look = number_label(float(data.epoch[-2]))
    claim = (
        f"the lowest layer learns first (share of the way to ρ̄ = 1 after {look} epochs, minus the best other)"
    )
    found.append(ClaimCheck.exceeding(claim, way[:, 0] - way[:, 1:].max(axis=-1)))
    return tuple(found)


def agreement(points: xr.Dataset) -> Array:
    """Spearman's rank correlation of both quantities within each network, (networks,)."""
    present = ~np.isnan(points.fan_out.values[0])
    return rank_correlation(points.best_correlation.values[:, present], points.fan_out.values[:, present])


def picture(study: BalancedStudy, data: xr.Dataset) -> Figure:
    """Records by rows, layers by columns, a colour for each network."""
    figure, axes = panels(data.sizes["epoch"], data.sizes["layer"], (2.3, 1.9), sharey="col")
    colours = ordered_colours(data.sizes["network"], "turbo", last=1.0)
    for row, layer in product(range(data.sizes["epoch"]), range(data.sizes["layer"])):
        panel, part = axes[row, layer], data.isel(epoch=row, layer=layer)
        for network, colour in enumerate(colours):
            one = part.isel(network=network)
            panel.scatter(
                one.best_correlation, one.fan_out, s=5, color=colour, alpha=0.5, lw=0, rasterized=True
            )
        if row == 0:
            panel.set_title(f"layer {layer}, {study.factor}×{study.widths[layer]} nodes")
    for row, epoch in enumerate(data.epoch.values):
        axes[row, 0].set_ylabel("at the start" if epoch == 0 else f"epoch {number_label(epoch)}")
    axes[0, 0].set(xlim=(0, 1.03))
    for panel in axes[0]:
        panel.set_ylim(0, None)
    figure.supxlabel("best correlation with a teacher node", fontsize=9)
    figure.supylabel("$\\sqrt{\\mathrm{E}\\,\\beta_{kk}}$", fontsize=9)
    return figure


def estimate(study: BalancedStudy, device: str) -> Estimate:
    """Time and memory of the training."""
    return estimate_cases([Case(study, study.arms[0])], device)


FIGURE = PaperFigure(
    name="specialization.8",
    title="Student nodes of deep networks: best correlation against fan-out, layer by layer",
    source=Source(
        SPECIALIZATION,
        "Figure 8",
        "input, outputs and schedule of the authors' program; the text has lost them",
    ),
    settings={
        # a fifth of the teacher's widths, a hundredth of the samples
        "quick": BalancedStudy(
            (10, 15, 20, 25),
            networks=6,
            epochs=16,
            samples=12_800,
            rates=(0.2,),
            looks=(1, 4),
            halved_at=4,
        ),
        "full": BalancedStudy(networks=5, epochs=100, samples=200_000, rates=(0.2,)),
    },
    note="""\
The paper saw students that match a teacher node have large fan-outs, in the lowest layer first, where the points make
an L after some ten epochs. So it is here: the L is sharp in the lowest layer and a trend in the others.""",
    make=make,
    keeps_runs=True,
    estimate=estimate,
)
