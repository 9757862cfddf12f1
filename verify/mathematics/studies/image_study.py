"""What the studies on images share: which images, the seeds of teachers and students, and training of the teachers."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

import torch

from dynamics.ode.progress import Progress
from dynamics.validation import number, positive_int
from nets.deep.architecture import Architecture, Normalisation
from nets.deep.networks import DeepNetworks
from nets.deep.teachers import random_start
from nets.deep.training.descent import SGD
from nets.endings import DivergedTrainingError
from nets.images.cifar10 import load_cifar10
from nets.images.classifiers import TaskTensors, train_classifiers
from nets.images.digits import load_digits
from nets.images.labelled_images import ImageTask, LabelledImages
from nets.streams import network_seeds
from verify.mathematics.mean_over_seeds import enough_networks

TEACHER: Normalisation = "before"
"""Where a teacher's normalisation sits: convolution, BatchNorm, ReLU, as in VGG."""


@dataclass(frozen=True)
class ImageStudy:
    """``networks`` teachers on scikit-learn's digits, or on CIFAR-10 where ``cifar10`` names its folder.

    ``images``: only the first so many training images are used (0: all). Teachers are trained by cross-entropy with
    momentum 0.9; their learning rate falls to 0 over the second half. Raises ValueError or TypeError, naming the
    field.
    """

    networks: int = 5
    seed: int = 0
    cifar10: str = ""
    images: int = 0
    batch_size: int = 32
    teacher_rate: float = 0.05
    teacher_epochs: int = 20

    def __post_init__(self) -> None:
        enough_networks(self.networks)
        for name in ("batch_size", "teacher_epochs"):
            positive_int(name, getattr(self, name))
        if self.images and self.images < self.batch_size:
            raise ValueError(
                f"images: expected 0 for all, or at least one batch of {self.batch_size}, got {self.images}"
            )
        number("teacher_rate", self.teacher_rate, positive=True)
        network_seeds(self.seed, 1)

    def task(self) -> ImageTask:
        """The standardised images; raises ValueError or OSError where the folder does not hold them intact."""
        return _task(self.cifar10, self.images)

    def seeds(self) -> tuple[list[int], list[int]]:
        """One seed for each teacher, and one for each student."""
        seeds = network_seeds(self.seed, 2 * self.networks)
        return seeds[::2], seeds[1::2]

    def sgd(self, weight_decay: float) -> SGD:
        """The teachers' step at one weight decay."""
        return SGD(self.teacher_rate, momentum=0.9, weight_decay=weight_decay, decay_from=0.5)

    def teachers(
        self,
        architecture: Architecture,
        task: TaskTensors,
        weight_decay: float,
        *,
        workers: int,
        progress: Progress,
    ) -> DeepNetworks:
        """Networks trained on the labels from torch's start; raises DivergedTrainingError where one diverges."""
        seeds, _ = self.seeds()
        teachers = random_start(architecture, seeds, device=task.x.device, dtype=torch.float32)
        run = train_classifiers(
            teachers, task, seeds, sgd=self.sgd(weight_decay), epochs=self.teacher_epochs,
            batch_size=self.batch_size, workers=workers, progress=progress,
        )  # fmt: skip
        if not run.success:
            raise DivergedTrainingError(f"a teacher, {run.message}")
        return teachers


def vgg_like(task: ImageTask, widths: tuple[int, ...]) -> Architecture:
    """Valid 3 x 3 convolutions with batch normalisation before the ReLU, and a linear top."""
    return Architecture(task.train.images.shape[1:], widths, task.classes, normalisation=TEACHER)


def fully_connected(task: ImageTask, widths: tuple[int, ...]) -> Architecture:
    """A fully connected network on the flattened images, normalised in the same place."""
    return Architecture((task.train.images[0].size,), widths, task.classes, normalisation=TEACHER)


@functools.cache
def _task(cifar10: str, images: int) -> ImageTask:
    try:
        task = load_cifar10(cifar10) if cifar10 else load_digits()
    except ValueError as error:  # the folder is the option's
        raise ValueError(f"--cifar10{str(error).removeprefix('folder')}") from error
    if images > len(task.train):
        raise ValueError(f"images: expected at most {len(task.train)}, got {images}")
    if images:
        train = task.train
        task = replace(task, train=LabelledImages(train.images[:images], train.labels[:images]))
    return task.standardised()
