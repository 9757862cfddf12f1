"""Plain SGD with biases on a finite training set: whole ensembles of students, gradients by hand."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.ode.files import software_versions
from dynamics.ode.trajectory import Status, Trajectory
from dynamics.validation import positive_int
from nets.arrays import array_module
from nets.devices import resolve_device
from nets.endings import Ending
from nets.record_times import record_steps
from nets.specialization.observables import DIMENSIONS, Evaluator
from nets.specialization.setting import SpecializationInputs, SpecializationNetworks, SpecializationSetting
from nets.specialization.steps import Batches, StackedStudents
from nets.streams import network_seeds

Rows = list[dict[str, Array]]

EPOCH = 1000
"""Steps of one epoch in the paper's experiments."""

GROUP = {"cpu": 8, "cuda": 64}
"""Networks trained side by side: few enough to stay in a core's cache, enough to fill a GPU."""


@dataclass(frozen=True)
class TrainingPlan:
    """One run of students of ``setting``, checked: which networks, and at which steps they are looked at.

    ``seed`` as it was given; ``seeds``: one integer per network; ``marks``: the steps of the records, from 0 to the
    last. Source: Student Specialization, section 6, and the authors' program.
    """

    setting: SpecializationSetting
    seed: int | Sequence[int]
    seeds: tuple[int, ...]
    marks: tuple[int, ...]
    device: str

    @classmethod
    def of(
        cls,
        setting: SpecializationSetting,
        *,
        seed: int | Sequence[int],
        networks: int = 1,
        steps: int = 100 * EPOCH,
        record_at: Sequence[int] | None = None,
        record_every: int | None = None,
        device: str = "auto",
    ) -> TrainingPlan:
        """The plan of these arguments; raises ValueError or TypeError, naming the argument, on bad input."""
        if not isinstance(setting, SpecializationSetting):
            raise TypeError(f"setting: expected a SpecializationSetting, got {type(setting).__name__}")
        place, count = resolve_device(device), positive_int("networks", networks)
        seeds = network_seeds(seed, count)
        every = EPOCH if record_every is None and record_at is None else record_every
        marks = record_steps(positive_int("steps", steps), every, record_at)
        return cls(setting, seed, tuple(seeds), tuple(marks), place)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.marks[-1]

    @property
    def cost(self) -> float:
        """Relative: a step's time grows with the student's width and with a constant part (measured)."""
        return len(self.seeds) * self.steps * (20.0 + self.setting.n)

    def groups(self, size: int) -> list[TrainingPlan]:
        """The same for at most ``size`` networks each, as even as can be (a group's arrays must fit the cache)."""
        size = max(1, min(size, GROUP[torch.device(self.device).type]))
        parts = np.array_split(np.array(self.seeds, dtype=object), -(-len(self.seeds) // size))
        return [
            TrainingPlan(self.setting, tuple(part), tuple(part), self.marks, self.device) for part in parts
        ]


@dataclass(frozen=True)
class GroupRun:
    """The records of one group and, where one of its networks diverged, that network's place in it (else -1)."""

    rows: Rows
    lost: int


def train_group(plan: TrainingPlan, advanced: Callable[[int], None] | None = None) -> GroupRun:
    """Train all networks of ``plan`` side by side; ``advanced`` is told the steps taken at every record."""
    setting, seeds, xp = plan.setting, plan.seeds, array_module(torch.device(plan.device))
    inputs = _inputs(setting.d, setting.train_samples, setting.eval_samples, setting.input_std, seeds)
    networks = SpecializationNetworks.draw(setting, seeds, inputs)
    evaluator = Evaluator(networks, xp)
    students = StackedStudents(setting, xp.asarray(networks.W), xp.asarray(networks.V), xp)
    batches = Batches(setting, networks.training, seeds, xp)
    rows: Rows = []
    step = 0
    with np.errstate(over="ignore", invalid="ignore"):  # told by the status
        for mark in plan.marks:
            for _ in range(mark - step):
                students.step(*next(batches))
            step = mark
            row = evaluator.observe(students.W, students.V)
            lost = ~np.all([np.isfinite(v.reshape(len(seeds), -1)).all(1) for v in row.values()], axis=0)
            if lost.any():
                return GroupRun(rows, int(np.argmax(lost)))
            rows.append(row)
            if advanced is not None:
                advanced(step)
    return GroupRun(rows, -1)


@functools.lru_cache(maxsize=1)
def _inputs(d: int, train: int, evaluation: int, std: float, seeds: tuple[int, ...]) -> SpecializationInputs:
    """The last inputs drawn are kept: the settings of a study are trained on the same ones, one after the other."""
    setting = SpecializationSetting(d=d, train_samples=train, eval_samples=evaluation, input_std=std)
    return SpecializationInputs.draw(setting, seeds)


def forget_inputs() -> None:
    """Give back the memory of the inputs that were kept for another setting."""
    _inputs.cache_clear()


def trajectory_of(plan: TrainingPlan, runs: Sequence[GroupRun]) -> Trajectory:
    """The groups of a plan side by side, cut at the first record that is not finite for all."""
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
        observables=observables,
        nfev=marks[kept - 1],
        n_steps=marks[kept - 1],
        status=ending.status,
        message=f"{ending.status}: {ending.detail}",
        dimensions=DIMENSIONS,
        attributes={**settings, "versions": {**software_versions(), "torch": torch.__version__}},
    )
