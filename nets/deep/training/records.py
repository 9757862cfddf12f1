"""The records of a deep training: one row of measurements for every recorded epoch, then a trajectory of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.ode.files import software_versions
from dynamics.ode.trajectory import Trajectory
from nets.deep.metrics import Record
from nets.deep.training.plan import DeepTrainingPlan
from nets.endings import Ending


class DeepTrainingRecords:
    """The rows of one run by epoch, and the batch losses since the last of them."""

    def __init__(self, plan: DeepTrainingPlan) -> None:
        self._plan = plan
        self._rows: dict[int, Record] = {}
        self._losses = np.zeros((plan.students.count, 2))  # their sum and number, network by network

    def __contains__(self, epoch: int) -> bool:
        return epoch in self._rows

    def add_losses(self, group: slice, sums: NDArray[np.float64]) -> None:
        """Take in the batch losses of one epoch of some networks, summed over its steps."""
        self._losses[group, 0] += sums
        self._losses[group, 1] += self._plan.steps

    def keep(self, epoch: int, parts: list[Record]) -> NDArray[np.bool_]:
        """Keep the measurements of all groups, unless a loss is not finite; returns which losses are.

        The start is kept whatever it is.
        """
        row = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        total, count = self._losses.T
        row["train_loss"] = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
        self._losses[:] = 0
        finite = np.asarray(np.isfinite(row["loss"]))
        if epoch == 0 or finite.all():
            self._rows[epoch] = row
        return finite

    def tensors(self) -> dict[str, Tensor]:
        """All of it, for a checkpoint."""
        held = {"train_loss": torch.from_numpy(self._losses)}
        for epoch, row in self._rows.items():
            for name, value in row.items():
                held[f"record.{epoch}.{name}"] = torch.from_numpy(np.ascontiguousarray(value))
        return held

    def restore(self, held: Mapping[str, Tensor]) -> None:
        """Take over what :meth:`tensors` gave."""
        self._losses[:] = held["train_loss"].numpy()
        for name, value in held.items():
            kind, _, rest = name.partition(".")
            if kind == "record":
                epoch, _, quantity = rest.partition(".")
                self._rows.setdefault(int(epoch), {})[quantity] = value.numpy()

    def trajectory(self, ending: Ending, epochs_trained: int) -> Trajectory:
        """The rows as a result over epochs, with the ranks of the final winners."""
        plan, epochs = self._plan, sorted(self._rows)
        rows = [self._rows[epoch] for epoch in epochs]
        observables = dict(_summaries(rows, len(plan.students.architecture.widths)))
        more = {} if plan.observe is None else plan.observe.dimensions
        observables |= {name: np.stack([row[name] for row in rows]) for name in more}
        steps = epochs_trained * plan.steps
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
                **plan.settings,
                "steps_per_epoch": plan.steps,
                "versions": {**software_versions(), "torch": torch.__version__},
            },
        )


def _summaries(rows: list[Record], depth: int) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Every observable of :func:`nets.deep.training.train.train_deep` over the recorded epochs."""

    def over_time(name: str) -> NDArray[np.float64]:
        return np.stack([row[name] for row in rows]).astype(np.float64)

    levels = range(1, depth + 1)
    best = {level: over_time(f"best_rho_{level}") for level in levels}
    winner_ranks = {level: _winner_ranks(rows, level) for level in levels}
    yield "loss", over_time("loss")
    yield "train_loss", over_time("train_loss")
    yield "rho_bar", np.stack([values.mean(-1) for values in best.values()], axis=-1)
    yield "mean_rank", np.stack([values.mean(-1) for values in winner_ranks.values()], axis=-1)
    yield "median_rank", np.stack([np.median(values, axis=-1) for values in winner_ranks.values()], axis=-1)
    for level in levels:
        yield f"best_rho_{level}", best[level]
        yield f"winner_rank_{level}", winner_ranks[level]
        yield f"active_{level}", over_time(f"active_{level}")


def _winner_ranks(rows: list[Record], level: int) -> NDArray[np.float64]:
    """Rank in [0, 1], at every record, of the student that wins each teacher node at the last, (records, S, m)."""
    winner = rows[-1][f"winner_{level}"].astype(np.int64)
    students = rows[-1][f"ranks_{level}"].shape[-2]
    ranks = [np.take_along_axis(row[f"ranks_{level}"], winner[:, None, :], axis=1)[:, 0] for row in rows]
    return np.asarray(np.stack(ranks) / max(students - 1, 1), dtype=np.float64)


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
