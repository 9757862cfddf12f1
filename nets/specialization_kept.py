"""Finished runs kept in a folder: a study that was stopped goes on where it was, and figures share what they train."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from dynamics.trajectory import Trajectory
from nets.specialization_training import TrainingPlan


class KeptRunError(ValueError):
    """A file in a folder of runs is not the run that its name says."""


@dataclass(frozen=True)
class RunFolder:
    """One NetCDF file per setting, seeds and number of steps, in an existing ``folder``.

    A file serves every plan that looks at some of its records. Raises KeptRunError where a file with a run's name
    is no trajectory of that run.
    """

    folder: Path

    def path(self, plan: TrainingPlan) -> Path:
        """Sizes in words, everything that decides the numbers as a hash."""
        setting = plan.setting
        key = json.dumps([dataclasses.asdict(setting), plan.seeds, plan.steps, plan.device])
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        return self.folder / f"m{setting.m}-n{setting.n}-p{setting.polarity:g}-{plan.steps}-{digest}.nc"

    def find(self, plan: TrainingPlan) -> Trajectory | None:
        """The kept run at the records of ``plan``; none where there is no such file or it lacks one of them."""
        path = self.path(plan)
        if not path.exists():
            return None
        try:
            run = Trajectory.load(path)
        except ValueError as error:
            raise KeptRunError(f"runs: {error}") from error
        kept = run.attributes.get("record_steps", [])
        same = run.attributes.get("setting") == dataclasses.asdict(plan.setting)
        if not same or run.attributes.get("network_seeds") != list(plan.seeds):
            raise KeptRunError(f"runs: {str(path)!r} holds another run than its name says; move it away")
        if not run.success or not set(plan.marks) <= set(kept):
            return None
        places = [kept.index(mark) for mark in plan.marks]
        return dataclasses.replace(
            run,
            t=run.t[places],
            observables={name: values[places] for name, values in run.observables.items()},
            attributes={**run.attributes, "record_steps": list(plan.marks)},
        )

    def keep(self, plan: TrainingPlan, run: Trajectory) -> None:
        """Write a finished run; one that diverged is not kept."""
        if run.success:
            run.save(self.path(plan))
