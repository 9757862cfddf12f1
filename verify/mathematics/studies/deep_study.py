"""A study of deep students beside random teachers on Gaussian inputs, without and with batch normalisation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import number, positive_int
from nets.checkpoints.tensor_files import CheckpointError
from nets.deep.architecture import Architecture, Normalisation
from nets.deep.metrics import Observer
from nets.deep.networks import DeepNetworks
from nets.deep.teachers import random_start, separated_teacher
from nets.deep.training.batches import BatchSource, FreshGaussian, gaussian_inputs
from nets.deep.training.cost_estimate import Estimate, estimate_training
from nets.deep.training.descent import SGD
from nets.deep.training.train import train_deep
from nets.devices import available_cores
from nets.endings import DivergedTrainingError
from nets.products import require_products
from nets.specialization.run_folder import RunFileError, RunFolder
from nets.streams import network_seeds
from verify.mathematics.mean_over_seeds import enough_networks

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Arm:
    """One side of a comparison: where batch normalisation sits, and the learning rate (of torch's MSELoss)."""

    placement: Normalisation
    rate: float

    @property
    def label(self) -> str:
        """The arm in words."""
        return f"{'without' if self.placement == 'none' else 'with'} BN, rate {self.rate:g}"


MEASURES = ("rho_bar", "mean_rank", "median_rank")


@dataclass(frozen=True)
class DeepStudy:
    """GAUS, the first paper's Gaussian task: teachers of ``widths``, students ``factor`` times as wide, fresh inputs.

    ``inputs``: ``(d,)``, or ``(channels, height, width)`` for ConvNets. ``rates``, ``bn_rates``: learning rates
    without and with batch normalisation after the ReLU, of torch's MSELoss as in the authors' program (0.05); times 2
    / outputs they are those of our loss. An epoch is ``samples`` inputs. Networks of one seed share teacher, start and
    inputs in all arms, so that arms are compared in pairs. ``bits``: of the floating-point numbers, 32 or 64;
    ``products``: with 64, of the matrix products, as for :func:`nets.train_deep`. Raises ValueError or TypeError,
    naming the field.
    """

    widths: tuple[int, ...] = (50, 75, 100, 125)
    factor: int = 10
    inputs: tuple[int, ...] = (20,)
    outputs: int = 100
    networks: int = 5
    epochs: int = 100
    samples: int = 100_000
    batch_size: int = 64
    rates: tuple[float, ...] = (0.05,)
    bn_rates: tuple[float, ...] = (0.05, 0.4)
    input_std: float = 10.0
    eval_samples: int = 1024
    bits: int = 32
    products: str = "own"
    seed: int = 0

    def __post_init__(self) -> None:
        enough_networks(self.networks)
        positive_int("epochs", self.epochs)
        if positive_int("eval_samples", self.eval_samples) < 2:
            raise ValueError("eval_samples: expected at least 2 (a correlation needs a variance), got 1")
        for name in ("rates", "bn_rates"):
            rates = [number(name, rate, positive=True) for rate in getattr(self, name)]
            if not rates or len(set(rates)) < len(rates):
                raise ValueError(
                    f"{name}: expected one or more different numbers, got {getattr(self, name)!r}"
                )
        if self.bits not in (32, 64):
            raise ValueError(f"bits: expected 32 or 64, got {self.bits}")
        require_products(self.products, self.dtype)
        if len(self.widths) < 2:
            raise ValueError(f"widths: expected at least two hidden layers to compare, got {self.widths!r}")
        self.students("after")
        self.fresh()

    @property
    def dtype(self) -> torch.dtype:
        """Number format of all networks."""
        return torch.float32 if self.bits == 32 else torch.float64

    @property
    def teacher(self) -> Architecture:
        """The teachers' architecture."""
        return Architecture(self.inputs, self.widths, self.outputs)

    def students(self, placement: Normalisation) -> Architecture:
        """The students' architecture; as the authors', normalised with a trained scale in ConvNets only."""
        wide = self.teacher.over_parameterised(self.factor, placement)
        return Architecture(
            wide.inputs, wide.widths, wide.outputs, placement, affine=self.teacher.convolutional
        )

    @property
    def arms(self) -> tuple[Arm, ...]:
        """What is compared, first without normalisation."""
        return (
            *(Arm("none", rate) for rate in self.rates),
            *(Arm("after", rate) for rate in self.bn_rates),
        )

    def sgd(self, arm: Arm) -> SGD:
        """Plain SGD on the project's loss."""
        return SGD(2 * arm.rate / self.outputs)

    def fresh(self) -> FreshGaussian:
        """Fresh Gaussian inputs."""
        return FreshGaussian(self.inputs, tuple(self.seeds), self.batch_size, self.samples, self.input_std)

    def source(self) -> BatchSource:
        """Where the batches come from: fresh inputs, unless a subclass says otherwise."""
        return self.fresh()

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.samples // self.batch_size

    @property
    def records(self) -> tuple[int, ...] | None:
        """Epochs after which to record; None: after every one."""
        return None

    @property
    def observer(self) -> Observer | None:
        """What is measured at a record beyond the usual; nothing unless a subclass says so."""
        return None

    def teachers(self, device: str) -> DeepNetworks:
        """One teacher for each seed."""
        return separated_teacher(self.teacher, self.seeds, device=device, dtype=self.dtype)

    def plain(self, kind: type[DeepStudy] | None = None, **changes: Any) -> DeepStudy:
        """A study with the fields of :class:`DeepStudy` (or of ``kind``) alone, some of them changed."""
        common = {field.name: getattr(self, field.name) for field in fields(DeepStudy)}
        return (kind or DeepStudy)(**{**common, **changes})

    @property
    def seeds(self) -> list[int]:
        """One seed for each network."""
        return network_seeds(self.seed, self.networks)

    def run(
        self,
        arm: Arm,
        device: str,
        progress: Progress,
        store: RunFolder | None = None,
        workers: int | None = None,
    ) -> Trajectory:
        """Train one arm and measure it; a run that is in ``store`` goes on from where it is.

        Args:
            arm: normalisation and learning rate.
            device: where.
            progress: told the fraction done.
            store: folder of checkpoints, or None.
            workers: threads; one a core where None.
        Raises:
            DivergedTrainingError: a network stopped being finite. RunFileError: the checkpoint is of another run.
        """
        students = random_start(self.students(arm.placement), self.seeds, device=device, dtype=self.dtype)
        x = gaussian_inputs(
            self.inputs, self.seeds, self.eval_samples, self.input_std, device=device, dtype=self.dtype
        )
        try:
            run = train_deep(
                students, self.teachers(device), self.source(), sgd=self.sgd(arm), epochs=self.epochs,
                evaluation=x, checkpoint=self.file(arm, device, store),
                record_at=self.records, observe=self.observer, products=require_products(self.products, self.dtype),
                workers=workers or available_cores(), progress=progress,
            )  # fmt: skip
        except CheckpointError as error:
            raise RunFileError(f"runs: {error}") from error
        if not run.success:
            raise DivergedTrainingError(run.message)
        return run

    def file(self, arm: Arm, device: str, store: RunFolder | None) -> Path | None:
        """The checkpoint of one arm: the name says its sizes and ends in a hash of all that decides the numbers."""
        if store is None:
            return None
        left_out = {"rates", "bn_rates", *(("products",) if self.products == "own" else ())}
        shared = {name: value for name, value in asdict(self).items() if name not in left_out}
        key = json.dumps([type(self).__name__, shared, asdict(arm), device])
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        kind = "cnn" if self.teacher.convolutional else "fc"
        words = "-".join([kind, *map(str, self.widths), f"x{self.factor}", arm.placement, f"{arm.rate:g}"])
        return store.folder / f"{words}-{digest}.safetensors"

    def all_arms(self, device: str, progress: Progress, store: RunFolder | None = None) -> xr.Dataset:
        """The runs of all arms as one data set over (arm, epoch, network, layer)."""
        runs = []
        for index, arm in enumerate(self.arms):

            def advance(fraction: float, done: int = index) -> None:
                progress((done + fraction) / len(self.arms))

            runs.append(self.run(arm, device, advance, store))
        return dataset(self.arms, runs)

    def estimate(self, device: str) -> Estimate:
        """Time and memory of :meth:`all_arms`."""
        return self.estimate_run("after", device).repeated(len(self.arms))

    def estimate_run(self, placement: Normalisation, device: str) -> Estimate:
        """Time and memory of :meth:`run`."""
        records = self.epochs + 1 if self.records is None else len(self.records)
        return estimate_training(
            self.students(placement), self.teacher, networks=self.networks, epochs=self.epochs, steps=self.steps,
            batch_size=self.batch_size, evaluation_samples=self.eval_samples, records=records,
            device=device, dtype=self.dtype,
        )  # fmt: skip


def dataset(arms: Sequence[Arm], runs: Sequence[Trajectory]) -> xr.Dataset:
    """Correlations, ranks and losses of all arms; coordinates ``bn`` and ``rate`` say what an arm is."""
    import xarray as xr

    axes = ("arm", "epoch", "network", "layer")
    columns = {name: (axes, np.stack([run.observables[name] for run in runs])) for name in MEASURES}
    losses = {
        name: (axes[:3], np.stack([run.observables[name] for run in runs])) for name in ("loss", "train_loss")
    }
    coordinates = {
        **arm_coordinates(arms),
        "epoch": runs[0].t,
        "layer": np.arange(columns["rho_bar"][1].shape[-1]),
    }
    return xr.Dataset({**columns, **losses}, coordinates)


def arm_coordinates(arms: Sequence[Arm]) -> dict[str, Any]:
    """The axis of arms: their labels, and whether and at what rate each is normalised."""
    return {
        "arm": [arm.label for arm in arms],
        "bn": ("arm", [arm.placement != "none" for arm in arms]),
        "rate": ("arm", [arm.rate for arm in arms]),
    }
