"""A study of the two-layer experiments: settings over polarity and over-realisation, run on the same seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from dynamics.arrays import Array
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import number
from nets.endings import DivergedTrainingError
from nets.specialization.observables import best_per_student, best_per_teacher, covered
from nets.specialization.run_folder import RunFolder
from nets.specialization.runs import train_in_turn
from nets.specialization.setting import SpecializationSetting
from nets.specialization.training import EPOCH, TrainingPlan
from verify.mathematics.mean_over_seeds import enough_networks

EARLY = 5
"""Epochs."""

QUICK_SAMPLES = 2500
"""Samples for evaluation at the quick budgets: near 0.95 a correlation's error is 0.1 / sqrt(2500) = 0.002."""

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Study:
    """Networks of one teacher width for every polarity and over-realisation; the rest as in the paper.

    Network s has the same inputs, teacher directions and batch order in every setting, so that settings are
    compared in pairs. Raises ValueError or TypeError where a setting is impossible or there are
    fewer than 3 networks.
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
        object.__setattr__(self, "epochs", number("epochs", self.epochs))  # a whole number is welcome, too
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
        """After five epochs, where the paper takes its early look (half a run that is no longer than that)."""
        return min(EARLY * EPOCH, self.steps // 2)

    def marks(self, records: int) -> list[int]:
        """About ``records`` steps, denser at the beginning where nodes are won, with 0, the early one and the last."""
        share = np.linspace(0, 1, records) ** 2
        return sorted({round(value * self.steps) for value in share} | {self.early_step})

    def run(
        self,
        record_at: Sequence[int],
        *,
        device: str = "cpu",
        workers: int = 1,
        progress: Progress | None = None,
        kept: RunFolder | None = None,
    ) -> Iterator[tuple[float, float, Trajectory]]:
        """Polarity, over-realisation and run of every setting; raises DivergedTrainingError where one diverges."""
        pairs = [(p, over) for p in self.polarities for over in self.over_realisations]
        plans = [
            TrainingPlan.of(
                self.setting(*pair), seed=self.seed, networks=self.networks, steps=self.steps,
                record_at=record_at, device=device,
            )
            for pair in pairs
        ]  # fmt: skip
        runs = train_in_turn(plans, workers=workers, progress=progress, kept=kept)
        for (polarity, over), run in zip(pairs, runs, strict=True):
            if not run.success:
                raise DivergedTrainingError(run.message)
            yield polarity, over, run


@dataclass(frozen=True)
class OneWidth(Study):
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


def coverage(run: Trajectory) -> Array:
    """Share of teacher nodes covered, (records, networks)."""
    return np.asarray(covered(run.observables["correlation"]).mean(axis=-1))


def halves(run: Trajectory) -> tuple[Array, Array]:
    """Coverage of the strong and of the weak half of the teacher nodes, (records, networks) each."""
    hit = covered(run.observables["correlation"])
    m = hit.shape[-1]
    return np.asarray(hit[..., : m // 2].mean(-1)), np.asarray(hit[..., (m + 1) // 2 :].mean(-1))


def lead_of_the_strong(run: Trajectory) -> Array:
    """Coverage of the strong half minus that of the weak half, averaged over the run's time, one a network.

    The average counts the time by which a node is ahead, so that it sees
    the order also where in the end all are covered.
    """
    strong, weak = halves(run)
    return np.asarray(np.trapezoid(strong - weak, run.t, axis=0) / (run.t[-1] - run.t[0]))


def rank_correlation(a: Array, b: Array) -> Array:
    """Spearman's rank correlation along the last axis; 0 where one side is constant."""
    x, y = (rankdata(values, axis=-1) for values in (a, b))
    x, y = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (x, y))
    size = np.sqrt((x**2).sum(-1) * (y**2).sum(-1))
    return np.asarray((x * y).sum(-1) / np.where(size > 0, size, 1.0))


def specialisation_and_fan_out(run: Trajectory) -> tuple[Array, Array]:
    """Best correlation and fan-out norm of every student node at the end, (networks, n) each."""
    return best_per_student(run.observables["correlation"][-1]), run.observables["fan_out_norm"][-1]


def first_covered(run: Trajectory) -> Array:
    """Epoch at which each teacher node is first seen covered, (networks, m); infinite where it never is."""
    hit = covered(run.observables["correlation"])
    return np.where(hit.any(axis=0), run.t[np.argmax(hit, axis=0)], np.inf)


def best_student(run: Trajectory) -> Array:
    """Best correlation with each teacher node, (records, networks, m)."""
    return best_per_teacher(run.observables["correlation"])
