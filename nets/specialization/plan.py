"""One run of the two-layer experiments, checked before it starts: which networks, and when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.memory import check_size
from dynamics.validation import positive_int
from nets.devices import resolve_device
from nets.record_times import record_steps
from nets.specialization.memory import networks_that_fit
from nets.specialization.setting import SpecializationSetting
from nets.streams import network_seeds

EPOCH = 1000
"""Steps of one epoch in the paper's experiments."""

GROUP_SIZE = 8
"""Networks trained side by side on a CPU, few enough to stay in a core's cache; and those kept in one file."""


@dataclass(frozen=True)
class TrainingPlan:
    """One run of students of ``setting``: which networks, at which steps they are looked at, and where.

    Made by :meth:`of`, which checks the arguments. ``seed``: as it was given; ``seeds``: one integer for each network;
    ``marks``: the steps of the records, from 0 to the last. Source: Student Specialization, section 6, and the
    authors' program.
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
        """The plan of the arguments of :func:`nets.train_specialization`, whose errors it raises."""
        if not isinstance(setting, SpecializationSetting):
            raise TypeError(f"setting: expected a SpecializationSetting, got {type(setting).__name__}")
        place, count = resolve_device(device), positive_int("networks", networks)
        check_size("networks", count)
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
        """Time of the run, up to a factor: a step's is a constant part and one that grows with the width (measured)."""
        return len(self.seeds) * self.steps * (20.0 + self.setting.n)

    def side_by_side(self) -> int:
        """Networks of a group at most: on an accelerator as many as fit its memory, else those that fit the cache.

        Raises:
            ValueError: naming the argument, where an accelerator has no memory for one network.
        """
        return GROUP_SIZE if self.device == "cpu" else networks_that_fit(self.setting, self.device)

    def groups(self, size: int) -> list[TrainingPlan]:
        """Plans of at most ``size`` networks each, of sizes as equal as can be.

        Some of them in a row, joined, are cut into themselves by the same ``size``.
        """
        parts = np.array_split(np.array(self.seeds, dtype=object), -(-len(self.seeds) // size))
        return [self._of_seeds(tuple(part)) for part in parts]

    def joined(self, other: TrainingPlan) -> TrainingPlan:
        """The networks of this group and those of another of the same plan."""
        return self._of_seeds(self.seeds + other.seeds)

    def _of_seeds(self, seeds: tuple[int, ...]) -> TrainingPlan:
        return TrainingPlan(self.setting, seeds, seeds, self.marks, self.device)
