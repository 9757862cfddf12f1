"""Plain SGD with biases on a finite training set: a group of networks side by side, and groups as one result."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.ode.results.attributes import provenance
from dynamics.ode.status import Status
from dynamics.ode.trajectory import Trajectory
from nets.arrays import array_module
from nets.captured_steps import CapturedSteps
from nets.endings import Ending
from nets.specialization.observables import DIMENSIONS, Evaluator
from nets.specialization.plan import EPOCH, TrainingPlan
from nets.specialization.setting import SpecializationInputs, SpecializationNetworks, SpecializationSetting
from nets.specialization.steps import Batches, StackedStudents

Rows = list[dict[str, Array]]


@dataclass(frozen=True)
class GroupRun:
    """The records of one group, and which of its networks diverged, counted within the group (-1: none)."""

    rows: Rows
    lost: int

    def part(self, networks: slice) -> GroupRun:
        """The records of some of the networks of a group that was trained to its end."""
        return GroupRun([{name: row[name][networks] for name in row} for row in self.rows], self.lost)


def train_group(plan: TrainingPlan, advanced: Callable[[int], None] | None = None) -> GroupRun:
    """Train all networks of ``plan`` side by side; ``advanced`` is told the steps taken at every record."""
    setting, seeds, xp = plan.setting, plan.seeds, array_module(torch.device(plan.device))
    inputs = _inputs(setting.d, setting.train_samples, setting.eval_samples, setting.input_std, seeds)
    networks = SpecializationNetworks.draw(setting, seeds, inputs)
    evaluator = Evaluator(networks, xp)
    students = StackedStudents(setting, xp.asarray(networks.W), xp.asarray(networks.V), xp)
    batches = Batches(setting, networks.training, seeds, xp)
    captured = CapturedSteps(torch.device(plan.device))
    rows: Rows = []
    step = 0
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is reported by the run's status
        for mark in plan.marks:
            while step < mark:
                places = batches.following(mark - step)
                captured.run(places, functools.partial(_take, students, batches, places))
                step += len(places)
            row = evaluator.observe(students.W, students.V)
            lost = ~np.all([np.isfinite(v.reshape(len(seeds), -1)).all(1) for v in row.values()], axis=0)
            if lost.any():
                return GroupRun(rows, int(np.argmax(lost)))
            rows.append(row)
            if advanced is not None:
                advanced(step)
    return GroupRun(rows, -1)


def _take(students: StackedStudents, batches: Batches, places: range) -> None:
    """The steps on the batches at some places of their block."""
    for place in places:
        students.step(*batches.at(place))


@functools.lru_cache(maxsize=1)
def _inputs(d: int, train: int, evaluation: int, std: float, seeds: tuple[int, ...]) -> SpecializationInputs:
    """The inputs of these sizes and seeds; the last ones are kept, as the next setting of a study takes the same."""
    setting = SpecializationSetting(d=d, train_samples=train, eval_samples=evaluation, input_std=std)
    return SpecializationInputs.draw(setting, seeds)


def forget_inputs() -> None:
    """Give back the memory of the inputs that are kept for another setting."""
    _inputs.cache_clear()


def trajectory_of(plan: TrainingPlan, runs: Sequence[GroupRun]) -> Trajectory:
    """The groups of a plan as one result, up to the last record that is finite for all networks."""
    marks, setting = plan.marks, plan.setting
    kept = min(len(run.rows) for run in runs)
    ending = Ending(Status.FINISHED, f"{marks[-1]} steps taken")
    before = 0
    for run in runs:
        if run.lost >= 0 and len(run.rows) == kept:
            ending = Ending.divergence(before + run.lost, marks[kept], setting.lr)
            break
        before += run.rows[0]["loss"].shape[0]
    observables = {
        name: np.stack([np.concatenate([run.rows[t][name] for run in runs]) for t in range(kept)])
        for name in DIMENSIONS
    }
    settings: dict[str, Any] = {
        "setting": asdict(setting), "n": setting.n, "networks": len(plan.seeds), "seed": plan.seed,
        "network_seeds": list(plan.seeds), "record_steps": list(marks), "steps_per_epoch": EPOCH,
        "device": plan.device,
    }  # fmt: skip
    return Trajectory(
        t=np.array(marks[:kept]) / EPOCH,
        state={},
        time_counts=f"epochs of {EPOCH} steps",
        observables=observables,
        nfev=marks[kept - 1],
        n_steps=marks[kept - 1],
        status=ending.status,
        message=f"{ending.status}: {ending.detail}",
        dimensions=DIMENSIONS,
        # The networks are drawn from these: SpecializationNetworks.draw(setting, network_seeds).
        problem={"kind": "SpecializationNetworks", **asdict(setting), "network_seeds": list(plan.seeds)},
        attributes={**provenance(torch=torch.__version__), **settings},
    )
