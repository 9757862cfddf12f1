"""Training of deep ensembles beside their teachers: epochs, records, checkpoints, and a typed end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.ode.files import software_versions
from dynamics.ode.progress import reporting
from dynamics.ode.trajectory import Status, Trajectory
from dynamics.validation import positive_int
from nets.checkpoints.tensor_files import Checkpoint, copy_into
from nets.deep.architecture import Architecture
from nets.deep.batches import BatchSource
from nets.deep.descent import SGD, DeepDescent, Distillation, Objective, check_batch, resting
from nets.deep.metrics import Observer, Record, evaluate, record
from nets.deep.networks import DeepNetworks
from nets.endings import Ending
from nets.record_times import record_epochs

CHECK_STEPS = 64
"""Steps between two looks at the batch losses and the clock; on CUDA each look waits for the device."""

LARGE = 1 << 15
"""From this many parameters on a network fills a core by itself: on a CPU its neighbours only compete for the cache."""


def train_deep(
    students: DeepNetworks,
    teacher: DeepNetworks,
    source: BatchSource,
    *,
    sgd: SGD,
    epochs: int,
    evaluation: Tensor,
    objective: Objective | None = None,
    record_at: Sequence[int] | None = None,
    observe: Observer | None = None,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: int = 1,
    workers: int = 1,
    progress: bool | Callable[[float], None] = False,
) -> Trajectory:
    """Train the students in place and measure them beside their teachers after epochs ``record_at``.

    ``objective``: :class:`Distillation` from the teacher unless another is given. ``evaluation``:
    inputs ``(S, N, *inputs)`` on which records are made (at all epochs, or at those of ``record_at`` and always at 0,
    the start, and at the last). The result's time axis counts epochs; its observables, networks first, are

        loss, train_loss (S,)                mean squared error over samples and outputs; mean batch objective since
                                             the record before
        rho_bar, mean_rank, median_rank (S, layer)      over teachers, of the best student's correlation and of the
                                             final winner's rank in [0, 1]
        best_rho_l, winner_rank_l (S, m_l), active_l (S, n_l), for the hidden layers l = 1, 2, ..

    ``observe`` measures more at every record, see :class:`nets.deep.metrics.Observer`.

    ``checkpoint``: a file that is written every ``checkpoint_every`` epochs and, where it exists already, continued
    from: bit for bit on a CPU. It must be of the same students, teacher, data and settings.
    ``workers`` threads share the networks on a CPU; the result does not depend on them, and a network's path, up to
    rounding, not on its neighbours.

    A non-finite batch loss ends the run with status ``diverged``, naming network and step; the records stay.
    Cost ``6 B S products`` flops a step, ``2 N S products`` a record; memory that of the students (twice with momentum)
    plus 2 bytes for every student, teacher node and record (the ranks, whose winner is known only at the end).
    Raises ValueError or TypeError, naming the argument, on bad input, and on a checkpoint of other settings.
    Source: Luck Matters, section 5.
    """
    goal = Distillation(teacher) if objective is None else objective
    plan = _Plan(positive_int("epochs", epochs), source.steps, sgd, record_epochs(epochs, record_at))
    check_batch(students, getattr(source, "batch_size", 2))
    if teacher.count != students.count:
        raise ValueError(f"teacher: expected {students.count} networks as students, got {teacher.count}")
    run = _Run(students, teacher, goal, source, students.expand(evaluation), plan, observe)
    settings = run.settings()
    file = None if checkpoint is None else Path(checkpoint)
    start = run.restore(Checkpoint.load(file, settings)) if file is not None and file.exists() else 0
    ending = Ending(Status.FINISHED, f"{epochs} epochs trained")
    total = epochs * source.steps * len(run.groups)
    with (
        reporting(progress, 0, total) as report,
        ThreadPoolExecutor(max_workers=positive_int("workers", workers)) as pool,
    ):
        run.report = _Counter(report, start * source.steps * len(run.groups))
        for epoch in range(start, epochs + 1):
            if diverged := run.advance(epoch, pool):
                ending = diverged
                break
            if file is not None and epoch > start and (epoch % checkpoint_every == 0 or epoch == epochs):
                Checkpoint(run.tensors(), settings, epoch).save(file)
    return run.trajectory(ending, settings)


@dataclass(frozen=True)
class _Plan:
    epochs: int
    steps: int
    sgd: SGD
    records: tuple[int, ...]


class _Counter:
    """Steps done by all groups, for the progress bar."""

    def __init__(self, report: Callable[[float], None], done: int) -> None:
        self._report, self._done = report, done

    def add(self, steps: int) -> None:
        self._done += steps
        self._report(self._done)


class _Run:
    """The ensemble in groups of networks that are trained side by side, and its records so far."""

    report: _Counter

    def __init__(
        self,
        students: DeepNetworks,
        teacher: DeepNetworks,
        objective: Objective,
        source: BatchSource,
        evaluation: Tensor,
        plan: _Plan,
        observe: Observer | None,
    ) -> None:
        self._students, self._teacher, self._objective = students, teacher, objective
        self._observe = observe
        self._source, self._plan, self._evaluation = source, plan, evaluation
        self._velocity = resting(students, plan.sgd)
        self._start = students.fingerprint()
        self._rows: dict[int, Record] = {}
        size = group_size(students)
        self.groups = [slice(first, first + size) for first in range(0, students.count, size)]
        self._descents = [self._descent(group) for group in self.groups]
        self._position = 0  # epochs trained
        self._train_loss = np.zeros((students.count, 2))  # sum and number of steps since the last record

    def _descent(self, group: slice) -> DeepDescent:
        velocity = None if self._velocity is None else self._velocity.part(group)
        return DeepDescent(self._students.part(group), self._objective.part(group), self._plan.sgd, velocity)

    def advance(self, epoch: int, pool: ThreadPoolExecutor) -> Ending | None:
        """Train up to the end of ``epoch`` (0: nothing) and record there if that is asked for."""
        if epoch > self._position:
            losses = list(pool.map(lambda index: self._train(index, epoch - 1), range(len(self.groups))))
            self._position = epoch
            for group, found in zip(self.groups, losses, strict=True):
                if isinstance(found, tuple):
                    network, step = found
                    return Ending.divergence(group.start + network, step, self._plan.sgd.lr)
                self._train_loss[group, 0] += found
                self._train_loss[group, 1] += self._plan.steps
        if epoch in self._plan.records and epoch not in self._rows:
            rows = list(pool.map(self._record, self.groups))
            self._keep(epoch, rows)
            finite = np.isfinite(self._rows[epoch]["loss"])
            if epoch > 0 and not finite.all():  # the start is kept whatever it is
                step = epoch * self._plan.steps
                del self._rows[epoch]
                return Ending.divergence(int(np.argmin(finite)), step, self._plan.sgd.lr)
        return None

    def _train(self, index: int, epoch: int) -> NDArray[np.float64] | tuple[int, int]:
        """One epoch of one group: summed batch losses, or the network and step that diverged."""
        plan, students = self._plan, self._students
        descent, group = self._descents[index], self.groups[index]
        total = torch.zeros(
            students.layers[0].weight[group].shape[0], dtype=torch.float64, device=students.device
        )
        step = epoch * plan.steps
        waiting: list[Tensor] = []
        with torch.no_grad():
            batches = self._source.batches(epoch, group, students.device, students.dtype)
            for count, (x, labels) in enumerate(batches, start=1):
                waiting.append(descent.step(x, labels, plan.sgd.rate(step, plan.steps, plan.epochs)))
                step += 1
                if count % CHECK_STEPS == 0 or count == plan.steps:
                    losses = torch.stack(waiting)
                    bad = torch.nonzero(~torch.isfinite(losses))
                    if len(bad):
                        return int(bad[0, 1]), step - len(waiting) + int(bad[0, 0])
                    total += losses.double().sum(0)
                    self.report.add(len(waiting))
                    waiting.clear()
        return total.cpu().numpy()

    def _record(self, group: slice) -> Record:
        students, teacher = self._students.part(group), self._teacher.part(group)
        x = self._evaluation[group]
        with torch.no_grad():
            found = evaluate(students, teacher, x)
            more = {} if self._observe is None else self._observe(students, teacher, x, found)
        return {**record(found), **more}

    def _keep(self, epoch: int, rows: list[Record]) -> None:
        joined = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
        total, count = self._train_loss.T
        joined["train_loss"] = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        self._train_loss[:] = 0
        self._rows[epoch] = joined

    def settings(self) -> dict[str, Any]:
        """What must be equal for a run to be continued."""
        return {
            "architecture": _jsonable(self._students.architecture),
            "dtype": str(self._students.dtype).removeprefix("torch."),
            "device": self._students.device.type,
            "networks": self._students.count,
            "start": self._start,
            "objective": self._objective.described(),
            "teacher": self._teacher.fingerprint(),
            "data": dict(self._source.described()),
            "evaluation_samples": int(self._evaluation.shape[1]),
            "sgd": asdict(self._plan.sgd),
            "epochs": self._plan.epochs,
            "record_at": list(self._plan.records),
            "observed": [] if self._observe is None else sorted(self._observe.dimensions),
        }

    def tensors(self) -> dict[str, Tensor]:
        """Everything a continued run needs."""
        held = {f"students.{name}": value for name, value in self._students.tensors().items()}
        if self._velocity is not None:
            held |= {f"velocity.{name}": value for name, value in self._velocity.tensors().items()}
        held["train_loss"] = torch.from_numpy(self._train_loss)
        for epoch, row in self._rows.items():
            held |= {
                f"record.{epoch}.{name}": torch.from_numpy(np.ascontiguousarray(value))
                for name, value in row.items()
            }
        return {name: value.cpu() for name, value in held.items()}

    def restore(self, held: Checkpoint) -> int:
        """Continue from a checkpoint; returns the epoch it was made after."""
        copy_into(self._students.tensors(), held.tensors, "students.")
        if self._velocity is not None:
            copy_into(self._velocity.tensors(), held.tensors, "velocity.")
        self._train_loss[:] = held.tensors["train_loss"].numpy()
        for name, value in held.tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "record":
                epoch, _, quantity = rest.partition(".")
                self._rows.setdefault(int(epoch), {})[quantity] = value.numpy()
        self._position = held.position
        return held.position

    def trajectory(self, ending: Ending, settings: Mapping[str, Any]) -> Trajectory:
        """The records as a result, with the ranks of the final winners."""
        epochs = sorted(self._rows)
        observables = dict(_summaries(epochs, self._rows, len(self._students.architecture.widths)))
        more = {} if self._observe is None else self._observe.dimensions
        observables |= {name: np.stack([self._rows[epoch][name] for epoch in epochs]) for name in more}
        steps = self._position * self._plan.steps
        return Trajectory(
            t=np.array(epochs, dtype=np.float64),
            state={},
            observables=observables,
            nfev=steps,
            n_steps=steps,
            status=ending.status,
            message=f"{ending.status}: {ending.detail}",
            dimensions={**_dimensions(observables), **more},
            attributes={
                **settings, "steps_per_epoch": self._plan.steps,
                "versions": {**software_versions(), "torch": torch.__version__},
            },
        )  # fmt: skip


def _summaries(
    epochs: list[int], rows: Mapping[int, Record], depth: int
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    def over_time(name: str) -> NDArray[np.generic]:
        return np.stack([rows[epoch][name] for epoch in epochs])

    best, own_ranks = [], []
    for level in range(1, depth + 1):
        winner = rows[epochs[-1]][f"winner_{level}"].astype(np.int64)
        students = rows[epochs[-1]][f"ranks_{level}"].shape[-2]
        held = [
            np.take_along_axis(rows[epoch][f"ranks_{level}"], winner[:, None, :], axis=1)[:, 0]
            for epoch in epochs
        ]
        own_ranks.append(np.stack(held).astype(np.float64) / max(students - 1, 1))
        best.append(over_time(f"best_rho_{level}").astype(np.float64))
    yield "loss", over_time("loss").astype(np.float64)
    yield "train_loss", over_time("train_loss").astype(np.float64)
    yield "rho_bar", np.stack([values.mean(-1) for values in best], axis=-1)
    yield "mean_rank", np.stack([values.mean(-1) for values in own_ranks], axis=-1)
    yield "median_rank", np.stack([np.median(values, axis=-1) for values in own_ranks], axis=-1)
    for level in range(1, depth + 1):
        yield f"best_rho_{level}", best[level - 1]
        yield f"winner_rank_{level}", own_ranks[level - 1]
        yield f"active_{level}", over_time(f"active_{level}").astype(np.float64)


def _dimensions(observables: Mapping[str, NDArray[np.float64]]) -> dict[str, tuple[str, ...]]:
    named: dict[str, tuple[str, ...]] = {}
    for name in observables:
        kind, _, level = name.rpartition("_")
        if name in ("loss", "train_loss"):
            named[name] = ()
        elif level.isdigit():
            named[name] = (f"student_{level}" if kind == "active" else f"teacher_{level}",)
        else:
            named[name] = ("layer",)
    return named


def group_size(students: DeepNetworks) -> int:
    """Networks trained side by side: all of them on CUDA; on a CPU each by itself, or up to 16 where they are small.

    ConvNets count as large: on a CPU a loop over networks is up to a fifth faster than a grouped convolution.
    """
    if students.device.type != "cpu":
        return students.count
    large = students.architecture.parameters >= LARGE or students.architecture.convolutional
    return 1 if large else min(students.count, 16)


def _jsonable(architecture: Architecture) -> dict[str, Any]:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(architecture).items()}
