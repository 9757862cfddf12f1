"""A deep training under way: epoch by epoch, groups of networks side by side, from a checkpoint if there is one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.ode.progress import Report
from dynamics.ode.status import Status
from dynamics.ode.trajectory import Trajectory
from nets.checkpoints.tensor_files import Checkpoint, copy_into
from nets.deep.metrics import Record, evaluate, record
from nets.deep.training.captured import CapturedDescent
from nets.deep.training.descent import DeepDescent, resting
from nets.deep.training.plan import DeepTrainingPlan
from nets.deep.training.records import DeepTrainingRecords
from nets.endings import Ending

CHECK_STEPS = 64
"""Steps between two looks at the batch losses and the clock; on CUDA each look waits for the device."""


class DeepTrainingRun:
    """The students of a plan with their momentum, the epochs they are trained, and the records so far."""

    def __init__(self, plan: DeepTrainingPlan) -> None:
        self._plan = plan
        self._velocity = resting(plan.students, plan.sgd)
        self._records = DeepTrainingRecords(plan)
        self._epoch = 0  # epochs trained
        self._descents = [self._descent(group) for group in plan.groups]

    def _descent(self, group: slice) -> CapturedDescent:
        plan = self._plan
        velocity = None if self._velocity is None else self._velocity.part(group)
        students, objective = plan.students.part(group), plan.objective.part(group)
        descent = DeepDescent(students, objective, plan.sgd, velocity, plan.products)
        return CapturedDescent(descent, objective, students.device, students.count)

    @property
    def work(self) -> tuple[int, int]:
        """Steps of all groups that are done, and those of the whole run."""
        each = self._plan.steps * len(self._plan.groups)
        return self._epoch * each, self._plan.epochs * each

    def through(self, pool: ThreadPoolExecutor, report: Report, save: Callable[[int], None]) -> Ending:
        """Train to the end, or up to the first network that is no longer finite; ``save`` is told whole epochs."""
        steps_done = _Counter(report, self.work[0])
        first = self._epoch
        for epoch in range(first, self._plan.epochs + 1):
            diverged = self._train(pool, steps_done) if epoch > first else None
            if diverged := diverged or self._look(pool):
                return diverged
            if epoch > first:
                save(epoch)
        return Ending(Status.FINISHED, f"{self._plan.epochs} epochs trained")

    def _train(self, pool: ThreadPoolExecutor, steps_done: _Counter) -> Ending | None:
        """One epoch of all groups; a batch loss that is not finite ends the run."""
        plan, epoch = self._plan, self._epoch
        work = zip(plan.groups, self._descents, strict=True)
        losses = list(pool.map(lambda part: _train_group(plan, part[0], epoch, part[1], steps_done), work))
        self._epoch += 1
        for group, found in zip(plan.groups, losses, strict=True):
            if isinstance(found, tuple):
                network, step = found
                return Ending.divergence(group.start + network, step, plan.sgd.lr)
            self._records.add_losses(group, found)
        return None

    def _look(self, pool: ThreadPoolExecutor) -> Ending | None:
        """Record where that is planned; a loss that is not finite ends the run."""
        epoch, plan = self._epoch, self._plan
        if epoch not in plan.records or epoch in self._records:
            return None
        finite = self._records.keep(epoch, list(pool.map(self._measured, plan.groups)))
        if epoch > 0 and not finite.all():
            return Ending.divergence(int(np.argmin(finite)), epoch * plan.steps, plan.sgd.lr)
        return None

    def _measured(self, group: slice) -> Record:
        plan = self._plan
        students, teacher, x = plan.students.part(group), plan.teacher.part(group), plan.evaluation[group]
        with torch.no_grad():
            found = evaluate(students, teacher, x)
            more = {} if plan.observe is None else plan.observe(students, teacher, x, found)
        return {**record(found), **more}

    def save(self, file: Path) -> None:
        """Write a checkpoint that :meth:`restore` continues from."""
        held = {f"students.{name}": value for name, value in self._plan.students.tensors().items()}
        if self._velocity is not None:
            held |= {f"velocity.{name}": value for name, value in self._velocity.tensors().items()}
        held |= self._records.tensors()
        tensors = {name: value.cpu() for name, value in held.items()}
        Checkpoint(tensors, self._plan.settings, self._epoch).save(file)

    def restore(self, file: Path) -> None:
        """Continue from a checkpoint of the same plan; raises CheckpointError for any other."""
        held = Checkpoint.load(file, self._plan.settings)
        copy_into(self._plan.students.tensors(), held.tensors, "students.")
        if self._velocity is not None:
            copy_into(self._velocity.tensors(), held.tensors, "velocity.")
        self._records.restore(held.tensors)
        self._epoch = held.position

    def trajectory(self, ending: Ending) -> Trajectory:
        """The records as a result."""
        return self._records.trajectory(ending, self._epoch)


class _Counter:
    """Steps done by all groups, for the progress bar."""

    def __init__(self, report: Report, done: int) -> None:
        self._report, self._done, self._lock = report, done, threading.Lock()

    def add(self, steps: int) -> None:
        with self._lock:
            self._done += steps
            self._report(self._done)


def _train_group(
    plan: DeepTrainingPlan, group: slice, epoch: int, descent: CapturedDescent, steps_done: _Counter
) -> NDArray[np.float64] | tuple[int, int]:
    """One epoch (counted from 0) of one group: its batch losses, summed, or the network and step that diverged."""
    students, step = plan.students, epoch * plan.steps
    total: Tensor | float = 0.0
    with torch.no_grad():
        batches = plan.source.batches(epoch, group, students.device, students.dtype)
        for count, (x, labels) in enumerate(batches, start=1):
            descent.take(x, labels, plan.sgd.rate(step, plan.steps, plan.epochs))
            step += 1
            if count % CHECK_STEPS == 0 or count == plan.steps:
                losses = descent.losses()
                bad = torch.nonzero(~torch.isfinite(losses))
                if len(bad):
                    return int(bad[0, 1]), step - len(losses) + int(bad[0, 0])
                total = total + losses.double().sum(0)
                steps_done.add(len(losses))
    return torch.as_tensor(total).cpu().numpy()
