"""Ensembles of deep networks trained on labelled images, and how often they are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import positive_int
from nets.deep.metrics import chunk_size
from nets.deep.networks import DeepNetworks
from nets.deep.training.batches import FixedSamples
from nets.deep.training.descent import SGD, Classification
from nets.deep.training.train import train_deep
from nets.images.labelled_images import ImageTask, LabelledImages

RECORDED = 64
"""Training images on which a classifier's records are made; its accuracy is measured on the test images."""


@dataclass(frozen=True)
class TaskTensors:
    """A standardised task on a device, its images in the shape that the networks take."""

    name: str
    x: Tensor
    labels: Tensor
    test_x: Tensor
    test_labels: Tensor

    @classmethod
    def of(cls, task: ImageTask, inputs: tuple[int, ...], device: str | torch.device = "cpu") -> TaskTensors:
        """The tensors of ``task`` for networks of ``inputs`` ``(channels, height, width)``, or ``(d,)``: flattened."""

        def placed(part: LabelledImages) -> tuple[Tensor, Tensor]:
            images = torch.from_numpy(part.images.reshape(len(part), *inputs))
            return images.to(device), torch.from_numpy(part.labels).to(device)

        return cls(task.name, *placed(task.train), *placed(task.test))


@checked
def train_classifiers(
    networks: DeepNetworks,
    task: TaskTensors,
    seeds: Sequence[int],
    *,
    sgd: SGD,
    epochs: int,
    batch_size: int,
    workers: int = 1,
    progress: bool | Progress = False,
) -> Trajectory:
    """Train networks in place on labels, by cross-entropy; each sees the batches in an order of its own.

    Args:
        networks: S networks with as many outputs as there are classes.
        task: images in the shape that the networks take.
        seeds: one for each network.
        sgd, epochs, batch_size, workers, progress: as for :func:`nets.train_deep`.
    Returns:
        The run, recorded at its start and end; its correlations are with the networks' own start.
    """
    positive_int("epochs", epochs)
    source = FixedSamples(
        task.x, networks.architecture.inputs, seeds, batch_size=batch_size, labels=task.labels, name=task.name
    )
    return train_deep(
        networks, networks.clone(), source, sgd=sgd, epochs=epochs, evaluation=task.x[:RECORDED],
        objective=Classification(), record_at=(0, epochs), workers=workers, progress=progress,
    )  # fmt: skip


def predictions(networks: DeepNetworks, x: Tensor) -> Tensor:
    """The class of the largest output, ``(S, B)``, in chunks of bounded memory."""
    parts = torch.split(x, chunk_size(networks))
    return torch.cat([networks.output(part).argmax(-1) for part in parts], dim=1)


def accuracy(networks: DeepNetworks, x: Tensor, labels: Tensor) -> Array:
    """Share of the images ``x (B, *inputs)`` whose largest output is that of their label, one number a network."""
    return np.asarray((predictions(networks, x) == labels).double().mean(dim=1).cpu().numpy())
