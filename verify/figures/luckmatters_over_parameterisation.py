"""Students of one to fifty times the teacher's width: correlation over epochs, fully connected and ConvNets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D

from dynamics.arrays import Array
from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from nets.deep.architecture import Normalisation
from nets.deep.training.cost_estimate import Estimate
from nets.specialization.run_folder import RunFolder
from verify.figures.claims import ClaimCheck
from verify.figures.correlation_panels import epoch_axis
from verify.figures.panels import number_label, ordered_colours, panels
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import LUCK_MATTERS, Source
from verify.mathematics.studies.deep_cases import (
    Case,
    estimate_cases,
    observable,
    train_cases,
    way_covered,
)
from verify.mathematics.studies.deep_study import Arm, DeepStudy

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

BEST = 10
"""The factor up to which the paper sees a gain."""

KINDS: dict[str, Normalisation] = {"fc": "none", "cnn": "after"}
"""Fully connected students without batch normalisation, ConvNets with it."""

NAMES = {"fc": "FC", "cnn": "ConvNet"}


@dataclass(frozen=True)
class WidthStudy(DeepStudy):
    """Fully connected students ``factors`` times as wide as their teachers, and ConvNets ``cnn_factors`` times.

    Fields that begin with ``cnn_`` are the ConvNets' own; ``cnn_pixels`` is the side of their inputs.
    """

    factors: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    cnn_factors: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    cnn_widths: tuple[int, ...] = (10, 15, 20, 25)
    cnn_pixels: int = 16
    cnn_epochs: int = 10
    cnn_samples: int = 100_000
    cnn_batch_size: int = 64
    cnn_eval_samples: int = 1024

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("factors", "cnn_factors"):
            values = getattr(self, name)
            if len(values) < 2 or list(values) != sorted(set(values)):
                raise ValueError(f"{name}: expected two or more rising numbers, got {values!r}")
        for case in self.cases("fc") + self.cases("cnn"):
            case.study.students(case.arm.placement)

    def arm(self, kind: str) -> Arm:
        """Normalisation of one kind of network, with the first of its learning rates."""
        placement = KINDS[kind]
        return Arm(placement, (self.rates if placement == "none" else self.bn_rates)[0])

    def cases(self, kind: str) -> list[Case]:
        """The trainings of one kind of network, ``fc`` or ``cnn``: one for every factor."""
        if kind == "fc":
            return [Case(self.plain(factor=factor), self.arm(kind)) for factor in self.factors]
        convolutional = self.plain(
            widths=self.cnn_widths, inputs=(1, self.cnn_pixels, self.cnn_pixels), epochs=self.cnn_epochs,
            samples=self.cnn_samples, batch_size=self.cnn_batch_size, eval_samples=self.cnn_eval_samples,
        )  # fmt: skip
        return [Case(convolutional.plain(factor=factor), self.arm(kind)) for factor in self.cnn_factors]


def make(study: WidthStudy, device: str, progress: Progress, store: RunFolder | None = None) -> FigureResult:
    """Train students of every width, recording every epoch."""
    runs = train_cases(study.cases("fc") + study.cases("cnn"), device, progress, store)
    count = len(study.factors)
    data = dataset(study, {"fc": runs[:count], "cnn": runs[count:]})
    return FigureResult(picture(study, data), data, checks(data))


def dataset(study: WidthStudy, runs: dict[str, list[Trajectory]]) -> xr.Dataset:
    """For each kind, correlation over (factor, epoch, network, layer) and loss; axes end in the kind's name."""
    import xarray as xr

    columns: dict[str, tuple[tuple[str, ...], Array]] = {}
    coordinates: dict[str, object] = {}
    for kind, own in runs.items():
        axes = (f"factor_{kind}", f"epoch_{kind}", "network", "layer")
        rho_bar = observable(own, "rho_bar", (len(own),))
        columns[f"rho_bar_{kind}"] = (axes, rho_bar)
        columns[f"way_covered_{kind}"] = (axes, way_covered(rho_bar, epochs=1))
        columns[f"loss_{kind}"] = (axes[:-1], observable(own, "loss", (len(own),)))
        coordinates[axes[0]] = [case.study.factor for case in study.cases(kind)]
        coordinates[axes[1]] = own[0].t
    return xr.Dataset(columns, coordinates)


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """For each kind; networks of one seed have one teacher, so that widths are compared in pairs."""
    return tuple(check for kind in KINDS for check in _checks_of(data, kind))


def _checks_of(data: xr.Dataset, kind: str) -> list[ClaimCheck]:
    """What version 4 says of one kind of network."""
    name = NAMES[kind]
    rho_bar, way = (
        data[f"{quantity}_{kind}"].rename({f"factor_{kind}": "factor", f"epoch_{kind}": "epoch"})
        for quantity in ("rho_bar", "way_covered")
    )
    factors = rho_bar.factor.values
    least, best, most = factors[0], factors[factors <= BEST][-1], factors[-1]
    final = rho_bar.isel(epoch=-1).mean("layer")
    found = []
    if best > least:
        found.append(
            ClaimCheck.exceeding(
                f"{name}: over-parameterisation raises the final ρ̄ ({best}× minus {least}×)",
                final.sel(factor=best) - final.sel(factor=least),
            )
        )
        spread = abs(rho_bar - rho_bar.median("network")).isel(epoch=slice(1, None)).mean(("epoch", "layer"))
        found.append(
            ClaimCheck.exceeding(
                f"{name}: and steadies it (distance from the median teacher, {least}× minus {best}×)",
                spread.sel(factor=least) - spread.sel(factor=best),
            )
        )
    if most > best:
        speed = way.isel(epoch=slice(1, None)).mean(("epoch", "layer"))
        found.append(
            ClaimCheck.exceeding(
                f"{name}: beyond {best}× it slows ρ̄ (share of the way, {best}× minus {most}×)",
                speed.sel(factor=best) - speed.sel(factor=most),
            )
        )
    return found


def picture(study: WidthStudy, data: xr.Dataset) -> Figure:
    """Kinds by rows, layers by columns, a line for each factor: mean over teachers, with one standard deviation."""
    depth = data.sizes["layer"]
    figure, axes = panels(len(KINDS), depth, (2.3, 2.2), sharex="row")
    widths = {"fc": study.widths, "cnn": study.cnn_widths}
    every = sorted({*study.factors, *study.cnn_factors})
    colours = dict(zip(every, ordered_colours(len(every)), strict=True))
    for row, kind in zip(axes, KINDS, strict=True):
        values, epochs = data[f"rho_bar_{kind}"], data[f"epoch_{kind}"].values
        for factor in data[f"factor_{kind}"].values:
            own = values.sel({f"factor_{kind}": factor})
            mean, deviation = own.mean("network"), own.std("network", ddof=1)
            for layer, panel in enumerate(row):
                middle, reach = mean.isel(layer=layer).values, deviation.isel(layer=layer).values
                panel.plot(epochs, middle, color=colours[factor])
                panel.fill_between(
                    epochs, middle - reach, middle + reach, color=colours[factor], alpha=0.15, lw=0
                )
        epoch_axis(row[0], epochs[-1])
        row[0].set_ylabel(f"{NAMES[kind]} {study.arm(kind).label}\nbest correlation $\\bar\\rho$")
        for layer, panel in enumerate(row):
            panel.set_title(f"layer {layer} ({widths[kind][layer]} teacher nodes)")
    axes[0, 0].set_ylim(0, 1.02)
    figure.supxlabel("epoch", fontsize=9)
    lines = [
        Line2D([], [], color=colours[factor], label=number_label(factor, times=True)) for factor in every
    ]
    figure.legend(
        handles=lines, loc="outside right center", title="mean ± std;\nstudent nodes /\nteacher nodes"
    )
    return figure


def estimate(study: WidthStudy, device: str) -> Estimate:
    """Time and memory of all trainings."""
    return estimate_cases(study.cases("fc") + study.cases("cnn"), device)


FIGURE = PaperFigure(
    name="luckmatters.over-parameterisation",
    title="Correlation over training for students of one to fifty times the teacher's width",
    source=Source(LUCK_MATTERS, "Figure 12 of version 4"),
    settings={
        # the paper's teachers where fully connected, ConvNets with fewer channels on smaller images, the widest
        # students left out
        "quick": WidthStudy(
            widths=(10, 15, 20, 25), factors=(1, 2, 5, 10, 20), networks=6, epochs=8, samples=9_600, eval_samples=512,
            cnn_factors=(1, 2, 5, 10), cnn_widths=(4, 6, 8, 10), cnn_pixels=10, cnn_epochs=8, cnn_samples=1_024,
            cnn_batch_size=16, cnn_eval_samples=128,
        ),
        "full": WidthStudy(widths=(10, 15, 20, 25), networks=32, epochs=40),
    },
    note="""\
The paper saw ρ̄ grow higher and more stably up to 10×, and 20× and 50× slower again. Higher and slower it is; that the
spread over teachers shrinks is not resolved with as few teachers as the quick budget has.""",
    make=make,
    keeps_runs=True,
    estimate=estimate,
)  # fmt: skip
