"""Maps of H* and beta* before and after training, students in the order of the teacher nodes that they match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.ode.progress import Progress
from dynamics.validation import number, positive_int
from nets.deep.architecture import Architecture
from nets.deep.metrics import evaluate
from nets.deep.modulation import mean_modulations
from nets.deep.networks import DeepNetworks
from nets.deep.node_matching import winners
from nets.deep.teachers import random_start, separated_teacher
from nets.deep.training.batches import FreshGaussian, gaussian_inputs
from nets.deep.training.descent import SGD
from nets.deep.training.train import train_deep
from nets.endings import DivergedTrainingError
from nets.streams import network_seeds
from verify.figures.claims import ClaimCheck
from verify.figures.paper_figure import FigureResult, PaperFigure
from verify.judging import LUCK_MATTERS, Source
from verify.mathematics.mean_over_seeds import enough_networks

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure


MAPS = ("beta", "H")
STAGES = ("before", "after")


@dataclass(frozen=True)
class ModulationStudy:
    """Deep students beside random teachers on Gaussian inputs, ``networks`` of them.

    Students are ``over_realisation`` times as wide as ``teacher_widths`` (the hidden layers, bottom up). Inputs have
    standard deviation ``std``; an epoch is ``samples`` fresh ones in batches of ``batch_size``. ``lr`` is that of half
    the squared error summed over outputs. ``batch_norm``: 1 for one after every ReLU, else 0. ``eval_samples``: inputs
    for correlations and maps. Raises ValueError or TypeError on sizes that cannot be had and on fewer than 3 networks.
    """

    teacher_widths: tuple[int, ...] = (10, 15, 20, 25)
    over_realisation: int = 5
    networks: int = 5
    epochs: int = 20
    samples: int = 20_000
    batch_size: int = 64
    lr: float = 1e-3
    batch_norm: int = 0
    inputs: int = 20
    outputs: int = 100
    std: float = 10.0
    eval_samples: int = 1024
    seed: int = 0

    def __post_init__(self) -> None:
        enough_networks(self.networks)
        for name in ("over_realisation", "epochs", "samples", "batch_size", "inputs", "outputs"):
            positive_int(name, getattr(self, name))
        for width in self.teacher_widths:
            if positive_int("teacher_widths", width) < 2:
                raise ValueError(f"teacher_widths: expected two or more nodes a layer, got {width}")
        if self.eval_samples < 32:
            raise ValueError(f"eval_samples: expected at least 32, got {self.eval_samples}")
        if self.batch_norm not in (0, 1):
            raise ValueError(f"batch_norm: expected 0 or 1, got {self.batch_norm}")
        for name in ("lr", "std"):
            number(name, getattr(self, name), positive=True)


@dataclass(frozen=True)
class Maps:
    """The maps of one layer, ``values[map, stage]`` of shape (networks, m, m).

    Row k is the student that wins teacher node k in the end.
    """

    values: Array

    @property
    def dominance(self) -> Array:
        """Share of a teacher node's squared entries that lies on its own student, (map, stage, network).

        Averaged over the teacher nodes, so that a strong node counts no more than a weak one; nodes without any entry
        (never active) are left out. Without structure it is 1/m.
        """
        energy = self.values**2
        total, own = energy.sum(axis=-2), np.diagonal(energy, axis1=-2, axis2=-1)
        heard = total > 0
        share = np.divide(own, total, out=np.zeros_like(total), where=heard)
        return np.asarray(share.sum(axis=-1) / heard.sum(axis=-1))


def make(study: ModulationStudy, device: str, progress: Progress) -> FigureResult:
    """Train, and map the students that win a teacher node in the end, before and after."""
    seeds = tuple(network_seeds(study.seed, study.networks))
    taught = Architecture((study.inputs,), study.teacher_widths, study.outputs)
    wide = taught.over_parameterised(study.over_realisation, "after" if study.batch_norm else "none")
    teacher = separated_teacher(taught, seeds, dtype=torch.float32).to(device)
    students = random_start(wide, seeds, dtype=torch.float32).to(device)
    start = students.clone()
    source = FreshGaussian(
        (study.inputs,), seeds, batch_size=study.batch_size, samples=study.samples, std=study.std
    )
    x = gaussian_inputs((study.inputs,), seeds, study.eval_samples, study.std, dtype=torch.float32).to(device)
    run = train_deep(
        students, teacher, source, sgd=SGD(study.lr), epochs=study.epochs, evaluation=x,
        record_at=[0, study.epochs], progress=progress,
    )  # fmt: skip
    if not run.success:
        raise DivergedTrainingError(run.message)
    layers = matched_maps(start, students, teacher, x)
    rho_bar = np.asarray(run.observables["rho_bar"])[[0, -1]]
    data = dataset(study, layers, rho_bar)
    return FigureResult(picture(data, layers), data, checks(data))


def matched_maps(
    start: DeepNetworks, students: DeepNetworks, teacher: DeepNetworks, x: torch.Tensor
) -> list[Maps]:
    """The maps of every hidden layer, bottom up, of the students that win a teacher node after training."""
    chosen = [winners(layer.rho) for layer in evaluate(students, teacher, x).layers]
    stages = [mean_modulations(networks, teacher, x) for networks in (start, students)]
    found = []
    for index, winner in enumerate(chosen):
        values = [
            [_rows(getattr(layers[index], f"{name}_star"), winner) for layers in stages] for name in MAPS
        ]
        found.append(Maps(np.array(values)))
    return found


def _rows(matrix: torch.Tensor, nodes: torch.Tensor) -> Array:
    """Rows ``nodes (S, m)`` of ``matrix (S, n, m)``."""
    place = nodes[..., None].expand(-1, -1, matrix.shape[-1])
    return np.asarray(matrix.gather(-2, place).cpu().numpy(), dtype=np.float64)


def dataset(study: ModulationStudy, layers: list[Maps], rho_bar: Array) -> xr.Dataset:
    """Dominance over (layer, map, stage, network), mean best correlation, and the maps themselves."""
    import xarray as xr

    axes = ("map", "stage", "network")
    columns = {
        "dominance": (("layer", *axes), np.stack([layer.dominance for layer in layers])),
        "chance": (("layer",), 1 / np.array(study.teacher_widths)),
        "rho_bar": (("stage", "network", "layer"), rho_bar),
    }
    for index, layer in enumerate(layers, 1):
        columns[f"maps_{index}"] = ((*axes, f"student_{index}", f"teacher_{index}"), layer.values)
    return xr.Dataset(columns, {"map": list(MAPS), "stage": list(STAGES)})


def checks(data: xr.Dataset) -> tuple[ClaimCheck, ...]:
    """Gains in dominance, averaged over the layers of a network, then for each layer by itself."""
    share = data.dominance
    gain = share.sel(stage="after") - share.sel(stage="before")
    sharper = share.sel(stage="after", map="H") - share.sel(stage="after", map="beta")
    found = [
        ClaimCheck.exceeding(
            f"{symbol} of matched students has identity structure after training: gain in the share of a teacher "
            "node's energy on its own student",
            gain.sel(map=name).mean("layer"),
        )
        for name, symbol in (("beta", "beta*"), ("H", "H*"))
    ]
    found.append(
        ClaimCheck.exceeding(
            "the structure is sharper in H* than in beta*: share of H* less that of beta*",
            sharper.mean("layer"),
        )
    )
    alone = (
        ClaimCheck.exceeding(f"the same in layer {layer + 1} alone", sharper.isel(layer=layer).values)
        for layer in range(data.sizes["layer"])
    )
    return (*found, *alone)


def picture(data: xr.Dataset, layers: list[Maps]) -> Figure:
    """The first network's maps, a row for each layer; every teacher node's row is scaled by its largest entry."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 1.75 * len(layers) + 0.5))
    axes = figure.subplots(len(layers), 4, squeeze=False)
    image = None
    for row, (panels, layer) in enumerate(zip(axes, layers, strict=True)):
        for column, panel in enumerate(panels):
            kind, stage = divmod(column, 2)
            values = layer.values[kind, stage, 0].T
            scale = np.abs(values).max(axis=1, keepdims=True)
            image = panel.imshow(values / np.where(scale > 0, scale, 1), cmap="RdBu_r", vmin=-1, vmax=1)
            share = float(data.dominance[row, kind, stage, 0])
            last = "\nmatched students" if row == len(layers) - 1 else ""
            panel.set_xlabel(f"own student: {share:.0%}{last}")
            panel.set(xticks=[], yticks=[])
            if row == 0:
                panel.set_title(f"{('β*', 'H*')[kind]} {STAGES[stage]} training")
        panels[0].set_ylabel(f"layer {row + 1}\nteacher node")
    if image is not None:
        bar = figure.colorbar(image, ax=axes, shrink=0.4, aspect=30)
        bar.set_label("entry over the teacher node's largest")
    return figure


FIGURE = PaperFigure(
    name="luckmatters.modulation-maps",
    title="H* and beta* of matched students and teachers, before and after training",
    source=Source(LUCK_MATTERS, "Figure 10 (v4: 11)"),
    settings={
        "quick": ModulationStudy(),
        "full": ModulationStudy(
            (50, 75, 100, 125), 10, networks=5, epochs=50, samples=100_000, batch_norm=1, eval_samples=4096
        ),
    },
    make=make,
)
