"""What is kept of a training run: the observables of the flows, computed by the same code, and how the run ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.ode.files import software_versions
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.observables import DIMENSIONS, two_layer_observables
from nets.endings import Ending
from nets.two_layer.networks import TwoLayerStudents


class Recorder:
    """Rows of states and observables at chosen steps, moved to the host as float64, then a trajectory of them."""

    def __init__(self, students: TwoLayerStudents, lr: float, *, trains_V: bool) -> None:
        self._students = students
        self._lr = lr
        self._trains_V = trains_V
        self._steps: list[int] = []
        self._rows: list[dict[str, Array]] = []

    def record(self, step: int) -> Ending | None:
        """Keep the students as they are at ``step``; a network that is no longer finite ends the run instead.

        A column of zeros counts as such: it is what is left of one whose norm overflowed when it was normalised.
        """
        if self._steps and self._steps[-1] == step:
            return None
        W, V = self._students.weights()
        lost = ~(np.isfinite(W) & W.any(axis=-2, keepdims=True)).all((-2, -1)) | ~np.isfinite(V).all((-2, -1))
        if not lost.any():
            with np.errstate(all="ignore"):  # a loss that overflows is told by the status
                observables = two_layer_observables(self._students.problem, W, V)
            lost = ~np.isfinite(observables["loss"])
            if not lost.any() or not self._rows:  # the start is kept whatever it is
                state = {"W": W, "V": V} if self._trains_V else {"W": W}
                self._steps.append(step)
                self._rows.append({**state, **observables})
        return Ending.divergence(int(np.argmax(lost)), step, self._lr) if lost.any() else None

    def trajectory(self, ending: Ending, steps_taken: int, settings: Mapping[str, Any]) -> Trajectory:
        """The run as a result with ``t = step * lr``; ``settings`` join its attributes."""
        students, problem = self._students, self._students.problem
        arrays = {name: np.stack([row[name] for row in self._rows]) for name in self._rows[0]}
        names: list[str] = ["W", "V"] if self._trains_V else ["W"]
        state = {name: arrays.pop(name) for name in names}
        configuration = {
            "networks": students.count,
            "measure": repr(problem.measure),
            **{name: getattr(problem, name) for name in ("d", "m", "n", "c")},
        }
        return Trajectory(
            t=np.array(self._steps) * self._lr,
            state=state,
            observables=arrays,
            nfev=steps_taken,
            n_steps=steps_taken,
            status=ending.status,
            message=f"{ending.status}: {ending.detail}",
            dimensions={name: DIMENSIONS[name] for name in (*state, *arrays)},
            attributes={
                "configuration": configuration,
                "device": str(students.device),
                "dtype": str(students.dtype).removeprefix("torch."),
                "record_steps": self._steps,
                "versions": {**software_versions(), "torch": torch.__version__},
                **settings,
            },
        )
