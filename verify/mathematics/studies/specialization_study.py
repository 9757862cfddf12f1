"""A study of the two-layer experiments: settings over polarity and over-realisation, run on the same seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.ode.progress import Progress
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import number
from nets.endings import DivergedTrainingError
from nets.specialization.plan import EPOCH, TrainingPlan
from nets.specialization.run_folder import RunFolder
from nets.specialization.setting import SpecializationSetting
from nets.specialization.training import train_in_turn
from verify.mathematics.mean_over_seeds import enough_networks

EARLY = 5
"""Epochs after which the paper takes its early look."""

QUICK_SAMPLES = 2500
"""Evaluation samples of the quick budgets: near 0.95 a correlation's error is 0.1 / sqrt(2500) = 0.002."""


@dataclass(frozen=True)
class SpecializationStudy:
    """Networks of one teacher width at every polarity and over-realisation; everything else as in the paper.

    Network s has the same inputs, teacher directions and batch order in every setting, so that settings are compared
    in pairs. Raises ValueError or TypeError where a setting is impossible or there are fewer than 3 networks.
    """

    m: int = 10
    polarities: tuple[float, ...] = (1.0,)
    over_realisations: tuple[float, ...] = (5.0,)
    networks: int = 8
    epochs: float = 5
    seed: int = 0
    eval_samples: int = 10_000

    def __post_init__(self) -> None:
        enough_networks(self.networks)
        object.__setattr__(self, "epochs", number("epochs", self.epochs))  # 5 becomes 5.0
        if self.epochs * EPOCH < 1:
            raise ValueError(f"epochs: expected at least one step (1/{EPOCH}), got {self.epochs!r}")
        for name in ("polarities", "over_realisations"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{name}: expected one or more different numbers, got {values!r}")
        for polarity in self.polarities:
            for over in self.over_realisations:
                self.setting(polarity, over)
        if self.m < 2:
            raise ValueError(f"m: expected at least 2 teacher nodes (a strong and a weak half), got {self.m}")

    @property
    def steps(self) -> int:
        """SGD steps of a run."""
        return round(self.epochs * EPOCH)

    def setting(self, polarity: float, over: float) -> SpecializationSetting:
        """The paper's setting at one polarity and over-realisation."""
        return SpecializationSetting(self.m, over, polarity, eval_samples=self.eval_samples)

    @property
    def early_step(self) -> int:
        """The step of the early look: after ``EARLY`` epochs, or half way through a run of less than twice that."""
        return min(EARLY * EPOCH, self.steps // 2)

    def marks(self, records: int) -> list[int]:
        """About ``records`` steps to record, with 0, the early and the last; denser at first, where nodes are won."""
        share = np.linspace(0, 1, records) ** 2
        return sorted({round(value * self.steps) for value in share} | {self.early_step})

    def run(
        self,
        record_at: Sequence[int],
        *,
        device: str = "cpu",
        workers: int = 1,
        progress: Progress | None = None,
        store: RunFolder | None = None,
    ) -> Iterator[tuple[float, float, Trajectory]]:
        """Polarity, over-realisation and run of every setting, in this order.

        Args:
            record_at: steps of the records.
            device: where.
            workers: processes.
            progress: told the fraction done.
            store: folder of finished runs, which are not trained again.
        Raises:
            DivergedTrainingError: a network stopped being finite.
        """
        pairs = [(p, over) for p in self.polarities for over in self.over_realisations]
        plans = [
            TrainingPlan.of(
                self.setting(*pair), seed=self.seed, networks=self.networks, steps=self.steps,
                record_at=record_at, device=device,
            )
            for pair in pairs
        ]  # fmt: skip
        runs = train_in_turn(plans, workers=workers, progress=progress, store=store)
        for (polarity, over), run in zip(pairs, runs, strict=True):
            if not run.success:
                raise DivergedTrainingError(run.message)
            yield polarity, over, run


@dataclass(frozen=True)
class OneWidth(SpecializationStudy):
    """A study of students of one width."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.over_realisations) > 1:
            raise ValueError(f"over_realisations: expected exactly one, got {self.over_realisations!r}")


@dataclass(frozen=True)
class OneSetting(OneWidth):
    """A study of one setting."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.polarities) > 1:
            raise ValueError(f"polarities: expected exactly one, got {self.polarities!r}")
