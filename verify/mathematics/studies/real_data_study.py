"""Students beside teachers that were trained on images: full or pruned, with and without batch normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from hashlib import sha256
from itertools import product
from operator import add
from pathlib import Path

import torch

from dynamics.arrays import Array
from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import number, positive_int
from nets.checkpoints.tensor_files import CheckpointError
from nets.deep.architecture import Architecture, Normalisation
from nets.deep.networks import DeepNetworks
from nets.deep.structured_pruning import pruned
from nets.deep.teachers import random_start
from nets.deep.training.batches import FixedSamples
from nets.deep.training.cost_estimate import Estimate, estimate_training
from nets.deep.training.descent import SGD
from nets.deep.training.train import train_deep
from nets.endings import DivergedTrainingError
from nets.images.classifiers import TaskTensors, accuracy, train_classifiers
from nets.specialization.run_folder import RunFileError
from verify.mathematics.studies.image_study import TEACHER, ImageStudy, fully_connected, vgg_like

KINDS = ("ConvNet", "fully connected")
TEACHERS = ("full", "pruned")
NORMALISATIONS: tuple[Normalisation, ...] = (TEACHER, "none")
"""Of the students: batch normalisation where the teacher has it, or none."""

Case = tuple[str, str, Normalisation, int]
"""Kind of network, kind of teacher, the student's normalisation, and its factor."""


@dataclass(frozen=True)
class RealData(ImageStudy):
    """Students ``factors`` times as wide as teachers that learnt from images: ConvNets and fully connected ones.

    Teachers have ``conv`` channels or ``dense`` nodes. They are also pruned to the share ``keep`` of each hidden layer
    and trained on for ``tuned_epochs``. Students see the training images and minimise half the squared distance to the
    teacher's outputs (before the softmax), by plain SGD whose rate falls to 0 over the second half. Raises ValueError
    or TypeError, naming the field.
    """

    networks: int = 8
    conv: tuple[int, ...] = (16, 16, 16)
    dense: tuple[int, ...] = (32, 32, 32)
    weight_decay: float = 0.005
    keep: float = 0.5
    tuned_epochs: int = 5
    factors: tuple[int, ...] = (1, 4)
    epochs: int = 15
    rate: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("tuned_epochs", "epochs"):
            positive_int(name, getattr(self, name))
        for name in ("conv", "dense", "factors"):
            for value in getattr(self, name):
                positive_int(name, value)
        if len(self.conv) != len(self.dense):
            raise ValueError(
                f"conv, dense: expected equally many hidden layers, got {self.conv} and {self.dense}"
            )
        if sorted(set(self.factors)) != list(self.factors):
            raise ValueError(f"factors: expected different whole numbers in order, got {self.factors!r}")
        if not 0 < number("keep", self.keep) <= 1:
            raise ValueError(f"keep: expected a share in (0, 1], got {self.keep!r}")
        number("weight_decay", self.weight_decay, least=0)
        number("rate", self.rate, positive=True)

    def check(self) -> None:
        """Raise ValueError where the images are missing or too small for the networks."""
        for kind in KINDS:
            self.architecture(kind)

    def architecture(self, kind: str) -> Architecture:
        """The architecture of a full teacher of one kind."""
        images = self.task()
        return vgg_like(images, self.conv) if kind == "ConvNet" else fully_connected(images, self.dense)

    def kept_widths(self, kind: str) -> tuple[int, ...]:
        """Hidden widths of a pruned teacher."""
        widths = self.conv if kind == "ConvNet" else self.dense
        return tuple(max(1, round(self.keep * width)) for width in widths)

    def estimate(self, device: str) -> Estimate:
        """Time and memory of the students; the teachers' is small beside it."""
        images = self.task()
        found = []
        for kind, teacher, factor in product(KINDS, TEACHERS, self.factors):
            full = self.architecture(kind)
            taught = full if teacher == "full" else _of_widths(full, self.kept_widths(kind))
            one = estimate_training(
                taught.over_parameterised(factor), taught, networks=self.networks, epochs=self.epochs,
                steps=len(images.train) // self.batch_size, batch_size=self.batch_size,
                evaluation_samples=len(images.test), records=self.epochs + 1, device=device, dtype=torch.float32,
            )  # fmt: skip
            found.append(one.repeated(len(NORMALISATIONS)))
        return reduce(add, found)

    def cases(self) -> Iterator[Case]:
        """Every student's case, in the order of the data set's axes."""
        yield from product(KINDS, TEACHERS, NORMALISATIONS, self.factors)


@dataclass(frozen=True)
class Outcome:
    """One case: the run beside the teacher, and the accuracy of both on the test images, one number a network."""

    run: Trajectory
    accuracy: Array
    teacher_accuracy: Array


def run_study(
    study: RealData,
    device: str,
    *,
    workers: int,
    progress: Progress,
    folder: Path | None = None,
) -> dict[Case, Outcome]:
    """Train all teachers, then all students.

    Args:
        study: sizes, rates and images.
        device: where.
        workers: threads.
        progress: told the fraction done.
        folder: keeps a checkpoint of every student, from which a stopped study goes on.
    Raises:
        DivergedTrainingError: a network stopped being finite. RunFileError: a checkpoint is of another run.
    """
    work = _Work(study, progress)
    outcomes = {}
    for kind in KINDS:
        images = study.task()
        task = TaskTensors.of(images, study.architecture(kind).inputs, device)
        teachers = _teachers(study, kind, task, workers, work)
        scores = {name: accuracy(nets, task.test_x, task.test_labels) for name, nets in teachers.items()}
        for case in study.cases():
            if case[0] == kind:
                students, run = _student(study, case, teachers[case[1]], task, workers, work, folder)
                right = accuracy(students, task.test_x, task.test_labels)
                outcomes[case] = Outcome(run, right, scores[case[1]])
    return outcomes


def _teachers(
    study: RealData, kind: str, task: TaskTensors, workers: int, work: _Work
) -> dict[str, DeepNetworks]:
    """The full and the pruned teachers of one kind."""
    architecture = study.architecture(kind)
    full = study.teachers(
        architecture, task, study.weight_decay, workers=workers,
        progress=work.part(architecture, study.teacher_epochs),
    )  # fmt: skip
    small = pruned(full, study.kept_widths(kind), task.x)
    seeds, _ = study.seeds()
    run = train_classifiers(
        small, task, seeds, sgd=study.sgd(study.weight_decay), epochs=study.tuned_epochs,
        batch_size=study.batch_size, workers=workers,
        progress=work.part(small.architecture, study.tuned_epochs),
    )  # fmt: skip
    if not run.success:
        raise DivergedTrainingError(f"a pruned teacher, {run.message}")
    return {"full": full, "pruned": small}


def _student(
    study: RealData,
    case: Case,
    teacher: DeepNetworks,
    task: TaskTensors,
    workers: int,
    work: _Work,
    folder: Path | None,
) -> tuple[DeepNetworks, Trajectory]:
    """The students of one case, trained, and their run."""
    _, _, normalisation, factor = case
    _, seeds = study.seeds()
    architecture = teacher.architecture.over_parameterised(factor, normalisation)
    students = random_start(architecture, seeds, device=task.x.device, dtype=torch.float32)
    source = FixedSamples(task.x, architecture.inputs, seeds, batch_size=study.batch_size, name=task.name)
    try:
        run = train_deep(
            students, teacher, source, sgd=SGD(study.rate, decay_from=0.5), epochs=study.epochs,
            evaluation=task.test_x, workers=workers, progress=work.part(architecture, study.epochs),
            checkpoint=None if folder is None else folder / _file_name(study, case, task.x.device.type),
        )  # fmt: skip
    except CheckpointError as error:
        raise RunFileError(f"runs: {error}") from error
    if not run.success:
        raise DivergedTrainingError(f"a student ({', '.join(map(str, case))}), {run.message}")
    return students, run


def _file_name(study: RealData, case: Case, device: str) -> str:
    """The checkpoint of one case: what it is, and a hash of the study; it refuses other teachers and data by itself."""
    digest = sha256(repr((study, case, device)).encode()).hexdigest()[:12]
    return f"real-data-{case[0].split()[0].lower()}-{case[1]}-{case[2]}-{case[3]}x-{digest}.safetensors"


class _Work:
    """Progress of all trainings, each weighted by its multiplications."""

    def __init__(self, study: RealData, progress: Progress) -> None:
        self._progress = progress
        self._done = 0.0
        self._all = 0.0
        for kind in KINDS:
            full = study.architecture(kind)
            sizes = {"full": full, "pruned": _of_widths(full, study.kept_widths(kind))}
            self._all += full.products * study.teacher_epochs + sizes["pruned"].products * study.tuned_epochs
            self._all += sum(
                sizes[case[1]].over_parameterised(case[3]).products * study.epochs
                for case in study.cases()
                if case[0] == kind
            )

    def part(self, architecture: Architecture, epochs: int) -> Progress:
        """The progress of the next training."""
        start, share = self._done, architecture.products * epochs
        self._done += share
        return lambda fraction: self._progress((start + fraction * share) / self._all)


def _of_widths(architecture: Architecture, widths: tuple[int, ...]) -> Architecture:
    return replace(architecture, widths=widths)
