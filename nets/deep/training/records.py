"""The records of a deep training: one row of measurements for every recorded epoch, then a trajectory of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dynamics.ode.results.attributes import provenance
from dynamics.ode.trajectory import Trajectory
from nets.deep.metrics import Record
from nets.deep.training.plan import DeepTrainingPlan
from nets.endings import Ending

DIMENSIONS: dict[str, tuple[str, ...]] = {
    "loss": (),
    "train_loss": (),
    **dict.fromkeys(("rho_bar", "mean_rank", "median_rank"), ("layer",)),
    **dict.fromkeys(("best_rho", "winner_rank"), ("teacher_node",)),
    "active": ("student_node",),
}
"""Axes of the observables after the networks'. Layers differ in width, so the nodes of all hidden layers stand on one
axis, layer after layer, and a coordinate tells the layer of each."""


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
            time_counts="epochs",
            observables=observables,
            nfev=steps,
            n_steps=steps,
            status=ending.status,
            message=f"{ending.status}: {ending.detail}",
            dimensions={**DIMENSIONS, **more},
            coordinates=self._coordinates(),
            problem=self._problem(),
            attributes={
                **provenance(torch=torch.__version__),
                **plan.settings,
                "steps_per_epoch": plan.steps,
            },
        )

    def _coordinates(self) -> dict[str, tuple[str, NDArray[np.int64]]]:
        """Numbers of the hidden layers, from 1 at the bottom: along their own axis, and of every node."""
        students, teacher = (net.architecture.widths for net in (self._plan.students, self._plan.teacher))
        layers = np.arange(1, len(students) + 1)
        return {
            "layer": ("layer", layers),
            "student_layer": ("student_node", np.repeat(layers, students)),
            "teacher_layer": ("teacher_node", np.repeat(layers, teacher)),
        }

    def _problem(self) -> dict[str, Any]:
        """Which teachers, starts and data: hashes of the weights, which may be far larger than the records."""
        settings = self._plan.settings
        named = {name: settings[name] for name in ("architecture", "teacher", "start", "data", "objective")}
        return {"kind": "DeepNetworks", **named}


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
    yield "best_rho", np.concatenate(list(best.values()), axis=-1)
    yield "winner_rank", np.concatenate(list(winner_ranks.values()), axis=-1)
    yield "active", np.concatenate([over_time(f"active_{level}") for level in levels], axis=-1)


def _winner_ranks(rows: list[Record], level: int) -> NDArray[np.float64]:
    """Rank in [0, 1], at every record, of the student that wins each teacher node at the last, (records, S, m)."""
    winner = rows[-1][f"winner_{level}"].astype(np.int64)
    students = rows[-1][f"ranks_{level}"].shape[-2]
    ranks = [np.take_along_axis(row[f"ranks_{level}"], winner[:, None, :], axis=1)[:, 0] for row in rows]
    return np.asarray(np.stack(ranks) / max(students - 1, 1), dtype=np.float64)
