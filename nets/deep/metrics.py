"""What is measured of deep students beside their teachers: correlations, ranks, activity and loss, in chunks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nets.deep.networks import DeepNetworks
from nets.deep.node_matching import ranks

CHUNK_ELEMENTS = 1 << 22
"""Numbers in the widest temporary of an evaluation (32 MiB in float64)."""


@dataclass(frozen=True)
class LayerMatch:
    """One hidden layer: correlations ``rho (S, n, m)``, and the shares of samples on which each node is active.

    ``active (S, n)`` are the students' shares, ``teacher_active (S, m)`` the teachers'.
    """

    rho: Tensor
    active: Tensor
    teacher_active: Tensor


@dataclass(frozen=True)
class Evaluation:
    """All hidden layers, bottom up, and ``loss (S,)``: the squared error, averaged over samples and outputs."""

    layers: tuple[LayerMatch, ...]
    loss: Tensor


def evaluate(students: DeepNetworks, teacher: DeepNetworks, x: Tensor) -> Evaluation:
    """Students beside their teachers, both in evaluation mode.

    Pearson correlations of the layers' values over samples (in a ConvNet also over positions), accumulated in float64
    about the first value of each node: a node that never changes has correlation 0 exactly.

    Args:
        students, teacher: S networks each, equally deep.
        x: inputs ``(S, N, *inputs)``.
    Returns:
        What is measured, on the students' device.
    Raises:
        ValueError: depths differ, or ``x`` is no batch of inputs.
    Memory: ``CHUNK_ELEMENTS`` numbers besides S n m a layer.
    Source: Luck Matters, section 5.1, footnote 1.
    """
    x = students.expand(x)
    if students.architecture.depth != teacher.architecture.depth:
        raise ValueError(
            f"students, teacher: expected equal depths, got {students.architecture.depth} "
            f"and {teacher.architecture.depth}"
        )
    sums = [_Sums() for _ in students.architecture.widths]
    error = torch.zeros(students.count, dtype=torch.float64, device=students.device)
    for part in torch.split(x, chunk_size(students), dim=1):
        *ours, (output, _) = students.traced(part)
        *theirs, (target, _) = teacher.traced(part)
        for held, own, taught in zip(sums, ours, theirs, strict=True):
            held.add(own, taught)
        error += (output - target).double().square().sum((1, 2))
    layers = tuple(held.match() for held in sums)
    return Evaluation(layers, error / (x.shape[1] * students.architecture.outputs))


def chunk_size(networks: DeepNetworks) -> int:
    """Samples whose widest layer of values stays within ``CHUNK_ELEMENTS``."""
    architecture = networks.architecture
    widest = max(
        width * np.prod(architecture.spatial(level + 1)) for level, width in enumerate(architecture.widths)
    )
    return max(1, int(CHUNK_ELEMENTS // (networks.count * widest)))


class _Sums:
    """First and second moments of one layer's values about those of the first sample."""

    def __init__(self) -> None:
        self._count = 0
        self._origins: tuple[Tensor, Tensor] | None = None
        self._sums: list[Tensor] = []

    def add(self, ours: tuple[Tensor, Tensor], theirs: tuple[Tensor, Tensor]) -> None:
        """Take in the pre-activations and values of both sides."""
        gates = _rows(ours[0] > 0), _rows(theirs[0] > 0)
        own, taught = _rows(ours[1]), _rows(theirs[1])
        if self._origins is None:
            self._origins = own[:, :1], taught[:, :1]
        a, b = own - self._origins[0], taught - self._origins[1]
        new = [
            a.sum(1), b.sum(1), a.square().sum(1), b.square().sum(1), a.mT @ b,
            gates[0].sum(1), gates[1].sum(1),
        ]  # fmt: skip
        self._sums = [old + more for old, more in zip(self._sums, new, strict=True)] if self._sums else new
        self._count += own.shape[1]

    def match(self) -> LayerMatch:
        """The correlations and shares that the moments give."""
        count = self._count
        a, b, aa, bb, ab, active, taught = (total / count for total in self._sums)
        spread_a, spread_b = (aa - a.square()).clamp_(min=0), (bb - b.square()).clamp_(min=0)
        scale = (spread_a[..., :, None] * spread_b[..., None, :]).sqrt()
        rho = (ab - a[..., :, None] * b[..., None, :]) / torch.where(scale > 0, scale, 1.0)
        return LayerMatch(torch.where(scale > 0, rho, 0.0).clamp_(-1, 1), active, taught)


def _rows(values: Tensor) -> Tensor:
    """``(S, B, n[, h, w])`` as float64 rows ``(S, B h w, n)``: positions count as samples."""
    if values.dim() == 5:
        values = values.movedim(2, -1).flatten(1, 3)
    return values.double()


Record = dict[str, NDArray[np.generic]]


class Observer(Protocol):
    """What a study measures at every record beyond the usual."""

    @property
    def dimensions(self) -> Mapping[str, tuple[str, ...]]:
        """For every measured name, the names of its axes after that of the networks."""

    def __call__(self, students: DeepNetworks, teacher: DeepNetworks, x: Tensor, found: Evaluation) -> Record:
        """All that is measured, as NumPy arrays whose first axis counts networks.

        Args:
            students, teacher: the networks.
            x: inputs ``(S, N, *inputs)``.
            found: what :func:`evaluate` gave on them already.
        """


def record(found: Evaluation) -> Record:
    """What is kept of an evaluation, as NumPy arrays whose first axis counts networks.

    Read by :class:`nets.deep.training.records.DeepTrainingRecords`.
    """
    kept: Record = {"loss": found.loss.cpu().numpy()}
    for level, layer in enumerate(found.layers, start=1):
        kept[f"best_rho_{level}"] = layer.rho.amax(-2).cpu().numpy()
        kept[f"winner_{level}"] = layer.rho.argmax(-2).to(torch.int16).cpu().numpy()
        kept[f"ranks_{level}"] = ranks(layer.rho).to(torch.int16).cpu().numpy()
        kept[f"active_{level}"] = layer.active.cpu().numpy()
    return kept
