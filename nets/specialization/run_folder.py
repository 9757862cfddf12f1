"""Finished runs in a folder: a study that was stopped goes on where it was, and figures share what they train."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from dynamics.ode.trajectory import Trajectory
from nets.specialization.group_training import GroupRun, trajectory_of
from nets.specialization.plan import GROUP_SIZE, TrainingPlan


class RunFileError(ValueError):
    """A file in a folder of runs is not the run that its name says."""


@dataclass(frozen=True)
class RunFolder:
    """One NetCDF file for every ``GROUP_SIZE`` networks (or fewer) of a run, in an existing ``folder``.

    A file serves every plan that looks at some of its records; more networks of a setting add files. Files are the
    same however many networks were trained side by side, so that they are found again whatever memory an accelerator
    has free (where not even ``GROUP_SIZE`` networks fit, as long as the same number does). Raises RunFileError where
    the file of a group is no trajectory of that group.
    """

    folder: Path

    def path(self, group: TrainingPlan) -> Path:
        """The file of a group: its name says the sizes, and ends in a hash of everything that decides the numbers."""
        setting = group.setting
        key = json.dumps([dataclasses.asdict(setting), group.seeds, group.steps, group.device])
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        return self.folder / f"m{setting.m}-n{setting.n}-p{setting.polarity:g}-{group.steps}-{digest}.nc"

    def find(self, group: TrainingPlan) -> GroupRun | None:
        """The records of ``group`` at its marks; None where there is no such file, or where it lacks one of them."""
        path = self.path(group)
        if not path.exists():
            return None
        try:
            run = Trajectory.load(path)
        except ValueError as error:
            raise RunFileError(f"runs: {error}") from error
        kept = run.attributes.get("record_steps", [])
        same = run.attributes.get("setting") == dataclasses.asdict(group.setting)
        if not same or run.attributes.get("network_seeds") != list(group.seeds):
            raise RunFileError(f"runs: {str(path)!r} holds another run than its name says; move it away")
        if not set(group.marks) <= set(kept):
            return None
        places = (kept.index(mark) for mark in group.marks)
        return GroupRun([{name: rows[at] for name, rows in run.observables.items()} for at in places], -1)

    def keep(self, group: TrainingPlan, run: GroupRun) -> None:
        """Write a finished run, file by file; one that diverged is left out."""
        if run.lost >= 0:
            return
        first = 0
        for part in group.groups(GROUP_SIZE):
            networks = slice(first, first + len(part.seeds))
            trajectory_of(part, [run.part(networks)]).save(self.path(part))
            first = networks.stop
