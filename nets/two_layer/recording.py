"""Records of a two-layer training: weights and the flows' own observables at chosen steps, as a trajectory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.ode.results.attributes import provenance
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.observables import DIMENSIONS, two_layer_observables
from nets.endings import Ending
from nets.two_layer.networks import TwoLayerStudents

TIME_COUNTS = "steps × lr"
"""The time axis of a training: that of the gradient flow which it follows as lr -> 0."""


class Recorder:
    """States and observables at chosen steps, as float64 on the host.

    The observables are computed by :func:`dynamics.two_layer.observables.two_layer_observables`, as for the flows.
    """

    def __init__(self, students: TwoLayerStudents, lr: float, *, trains_V: bool) -> None:
        self._students = students
        self._lr = lr
        self._trains_V = trains_V
        self._steps: list[int] = []
        self._rows: list[dict[str, Array]] = []

    def record(self, step: int) -> Ending | None:
        """Add the record of ``step``; returns how the run ends where a network's weights or loss are not finite.

        A zero column counts as not finite: normalising a column whose norm overflows leaves zeros.
        """
        if self._steps and self._steps[-1] == step:
            return None
        W, V = self._students.weights()
        lost = ~(np.isfinite(W) & W.any(axis=-2, keepdims=True)).all((-2, -1)) | ~np.isfinite(V).all((-2, -1))
        if not lost.any():
            with np.errstate(all="ignore"):  # an overflow is reported by the run's status
                observables = two_layer_observables(self._students.problem, W, V)
            lost = ~np.isfinite(observables["loss"])
            if not lost.any() or not self._rows:  # the start is kept whatever it is
                state = {"W": W, "V": V} if self._trains_V else {"W": W}
                self._steps.append(step)
                self._rows.append({**state, **observables})
        return Ending.divergence(int(np.argmax(lost)), step, self._lr) if lost.any() else None

    def trajectory(self, ending: Ending, steps_taken: int, settings: Mapping[str, Any]) -> Trajectory:
        """The records as a result over ``t = step * lr``; ``settings`` are added to its attributes."""
        students, problem = self._students, self._students.problem
        arrays = {name: np.stack([row[name] for row in self._rows]) for name in self._rows[0]}
        names: list[str] = ["W", "V"] if self._trains_V else ["W"]
        state = {name: arrays.pop(name) for name in names}
        configuration = {
            "networks": students.count,
            "measure": repr(problem.measure),
            **problem.sizes,
        }
        return Trajectory(
            t=np.array(self._steps) * self._lr,
            state=state,
            time_counts=TIME_COUNTS,
            observables=arrays,
            nfev=steps_taken,
            n_steps=steps_taken,
            status=ending.status,
            message=f"{ending.status}: {ending.detail}",
            dimensions={name: DIMENSIONS[name] for name in (*state, *arrays)},
            problem=problem.description(),
            attributes={
                **provenance(str(students.device), torch=torch.__version__),
                "configuration": configuration,
                "dtype": str(students.dtype).removeprefix("torch."),
                "record_steps": self._steps,
                **settings,
            },
        )
