"""A study of deep students beside random teachers on Gaussian inputs, without and with batch normalisation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from dynamics.settings import number, positive_int
from dynamics.trajectory import Trajectory
from nets.architecture import Architecture, Normalisation
from nets.checkpoints import CheckpointError
from nets.data import network_seeds
from nets.deep_data import FreshGaussian, gaussian_inputs
from nets.deep_descent import SGD
from nets.deep_teachers import random_start, separated_teacher
from nets.deep_training import train_deep
from nets.estimate import Estimate, estimate_training
from nets.specialization_kept import KeptRunError, RunFolder
from verify.figures import DivergedTrainingError, Progress
from verify.specialization.study import cores

if TYPE_CHECKING:
    import xarray as xr

PLACEMENTS: tuple[Normalisation, ...] = ("none", "after")
"""Without and with batch normalisation, which the first paper puts after the ReLU."""

LABELS = {"none": "without BN", "after": "with BN"}

MEASURES = ("rho_bar", "mean_rank", "median_rank")


@dataclass(frozen=True)
class DeepStudy:
    """GAUS of the first paper: teachers of ``widths``, students ``factor`` times as wide, fresh Gaussian inputs.

    ``inputs``: ``(d,)``, or ``(channels, height, width)`` for ConvNets. ``rates``: learning rates without and with
    batch normalisation, of torch's MSELoss as in the authors' program (0.05); the project's loss takes them times
    2 / outputs. An epoch is ``samples`` inputs. Networks of one seed share teacher, start and inputs in both
    placements, so that these are compared in pairs. ``bits``: 32 or 64.
    """

    widths: tuple[int, ...] = (50, 75, 100, 125)
    factor: int = 10
    inputs: tuple[int, ...] = (20,)
    outputs: int = 100
    networks: int = 5
    epochs: int = 100
    samples: int = 100_000
    batch_size: int = 64
    rates: tuple[float, ...] = (0.05, 0.05)
    input_std: float = 10.0
    eval_samples: int = 1024
    bits: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        if positive_int("networks", self.networks) < 3:
            raise ValueError(f"networks: expected at least 3 (for an interval), got {self.networks}")
        positive_int("epochs", self.epochs)
        if positive_int("eval_samples", self.eval_samples) < 2:
            raise ValueError("eval_samples: expected at least 2 (a correlation needs a variance), got 1")
        if len(self.rates) != len(PLACEMENTS):
            raise ValueError(f"rates: expected two, without and with batch normalisation, got {self.rates!r}")
        for rate in self.rates:
            number("rates", rate, positive=True)
        if self.bits not in (32, 64):
            raise ValueError(f"bits: expected 32 or 64, got {self.bits}")
        if len(self.widths) < 2:
            raise ValueError(f"widths: expected at least two hidden layers to compare, got {self.widths!r}")
        self.students("after")
        self.source()

    @property
    def dtype(self) -> torch.dtype:
        return torch.float32 if self.bits == 32 else torch.float64

    @property
    def teacher(self) -> Architecture:
        return Architecture(self.inputs, self.widths, self.outputs)

    def students(self, placement: Normalisation) -> Architecture:
        """The authors normalise without a trained scale where fully connected, with one in ConvNets."""
        wide = self.teacher.over_parameterised(self.factor, placement)
        return Architecture(
            wide.inputs, wide.widths, wide.outputs, placement, affine=self.teacher.convolutional
        )

    def sgd(self, placement: Normalisation) -> SGD:
        """Plain SGD on the project's loss."""
        return SGD(2 * self.rates[PLACEMENTS.index(placement)] / self.outputs)

    def source(self) -> FreshGaussian:
        return FreshGaussian(self.inputs, tuple(self.seeds), self.batch_size, self.samples, self.input_std)

    @property
    def seeds(self) -> list[int]:
        return network_seeds(self.seed, self.networks)

    def run(
        self,
        placement: Normalisation,
        device: str,
        progress: Callable[[float], None],
        kept: RunFolder | None = None,
    ) -> Trajectory:
        """Train and measure every epoch, from where the run in ``kept`` is, if there is one.

        Raises DivergedTrainingError where a network diverges and KeptRunError where the file is of another run.
        """
        place = {"device": device, "dtype": self.dtype}
        teacher = separated_teacher(self.teacher, self.seeds, **place)  # type: ignore[arg-type]
        students = random_start(self.students(placement), self.seeds, **place)  # type: ignore[arg-type]
        x = gaussian_inputs(
            self.inputs, self.seeds, self.eval_samples, self.input_std, device=device, dtype=self.dtype
        )
        try:
            run = train_deep(
                students, teacher, self.source(), sgd=self.sgd(placement), epochs=self.epochs,
                evaluation=x, checkpoint=self.file(placement, device, kept), workers=cores(), progress=progress,
            )  # fmt: skip
        except CheckpointError as error:
            raise KeptRunError(f"runs: {error}") from error
        if not run.success:
            raise DivergedTrainingError(run.message)
        return run

    def file(self, placement: Normalisation, device: str, kept: RunFolder | None) -> Path | None:
        """The checkpoint of one placement: sizes in words, everything that decides the numbers as a hash."""
        if kept is None:
            return None
        key = json.dumps([asdict(self), placement, device])
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        kind = "cnn" if self.teacher.convolutional else "fc"
        widths = "-".join(map(str, self.widths))
        return kept.folder / f"{kind}-{widths}-x{self.factor}-{placement}-{digest}.safetensors"

    def both(self, device: str, progress: Progress, kept: RunFolder | None = None) -> xr.Dataset:
        """The study's runs as one data set over (placement, epoch, network, layer)."""
        runs = []
        for index, placement in enumerate(PLACEMENTS):

            def advance(fraction: float, done: int = index) -> None:
                progress((done + fraction) / len(PLACEMENTS))

            runs.append(self.run(placement, device, advance, kept))
        return dataset(runs)

    def estimate(self, device: str) -> Estimate:
        """Time and memory of :meth:`both`."""
        source = self.source()
        once = estimate_training(
            self.students("after"), self.teacher, networks=self.networks, epochs=self.epochs, steps=source.steps,
            batch_size=self.batch_size, evaluation_samples=self.eval_samples, records=self.epochs + 1,
            device=device, dtype=self.dtype,
        )  # fmt: skip
        return once + once


def dataset(runs: list[Trajectory]) -> xr.Dataset:
    """Matches, ranks and losses of both placements."""
    import xarray as xr

    axes = ("placement", "epoch", "network", "layer")
    columns = {name: (axes, np.stack([run.observables[name] for run in runs])) for name in MEASURES}
    losses = {
        name: (axes[:3], np.stack([run.observables[name] for run in runs])) for name in ("loss", "train_loss")
    }
    layers = np.arange(columns["rho_bar"][1].shape[-1])
    coordinates = {"placement": [LABELS[name] for name in PLACEMENTS], "epoch": runs[0].t, "layer": layers}
    return xr.Dataset({**columns, **losses}, coordinates)
