"""Objects of the project that are right somewhere, and of a caller's own making that are right nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import luckproof as lp
from tests.fuzz import calls


class OddFlow(lp.Flow):
    """A flow whose field is what it was given, whatever that is."""

    initial_arrays = {"x": np.ones(3)}  # noqa: RUF012

    def __init__(self, field: Callable[[Any], Any]) -> None:
        self.field = field

    def __call__(self, t: float, y: Any) -> Any:
        return self.field(y)


class OddStart(calls.NoName):
    """A flow that starts from anything."""

    def __init__(self, start: Any) -> None:
        self.start = start

    def initial_state(self) -> Any:
        return self.start


def scaled(factor: float) -> Any:
    """Students and teachers far longer or shorter than units."""
    return lp.TeacherStudent(factor * calls.W(), factor * calls.W(seed=1))


FIELDS: list[Callable[[Any], Any]] = [
    lambda y: y[:-1],
    lambda y: y + 0j,
    lambda y: y * np.nan,
    lambda y: [1.0] * y.size,
    lambda y: y[None],
    lambda y: None,
    lambda y: "1",
    lambda y: torch.from_numpy(np.array(y)),
    lambda y: np.ma.masked_array(y, mask=True),
    lambda y: y.astype(object),
    lambda y: 1e308 * y,
    lambda y: 5e-324 * y,
]

OURS: tuple[Callable[[], Any], ...] = (
    calls.problem,
    calls.learned,
    calls.deep_problem,
    lambda: lp.TeacherStudent(np.stack([calls.W(), calls.W()]), calls.W()),
    lambda: lp.TeacherStudent(calls.W(), calls.W()),
    lambda: lp.TeacherStudent(calls.W(), -calls.W()),
    lambda: lp.TeacherStudent(calls.W()[:, :1], calls.W(m=1)),
    lambda: lp.TeacherStudent(calls.W(1, 1), calls.W(1, 1)),
    lambda: lp.TeacherStudent(np.repeat(calls.W(m=1), 2, axis=1), calls.W()),
    lambda: lp.TeacherStudent(calls.W(), calls.W(seed=1), measure=lp.EmpiricalMeasure(calls.samples())),
    lambda: scaled(1e150),
    lambda: scaled(1e-170),
    lambda: scaled(1e-310),
    lambda: lp.IsotropicGaussian(4),
    lambda: lp.IsotropicGaussian(3, 1e150),
    lambda: lp.IsotropicGaussian(3, 1e-150),
    lambda: lp.BiasedGaussian(3),
    lambda: lp.EmpiricalMeasure(np.zeros((1, 3))),
    lambda: lp.EmpiricalMeasure(1e200 * calls.samples()),
    lambda: lp.ProjectedFlow(calls.problem()),
    lambda: lp.GradientFlow(calls.learned()),
    lambda: lp.OneTeacherFlow([0.5, 1.0]),
    lambda: lp.PassageFlow([0.5]),
    calls.Decay,
    calls.NoName,
    *(lambda field=field: OddFlow(field) for field in FIELDS),
    *(lambda start=start: OddStart(start) for start in (None, np.zeros(0), [np.nan], np.ones((2, 2)), "a")),
    calls.trajectory,
    calls.architecture,
    calls.network,
    lambda: lp.deep_teachers.random_start(calls.architecture(), [0, 1]),
    lambda: lp.deep_teachers.random_start(lp.Architecture((4,), (3,), 1), [0]),
    lambda: lp.TwoLayerStudents.from_problem(calls.problem(), "cpu"),
    calls.two_layer_network,
    calls.setting,
    calls.task,
    calls.verdict,
    lambda: lp.SGD(1e300),
    lambda: lp.Box.cube(3, 1.0),
    lambda: lp.converged(1e-3),
    lambda: lp.BUDGETS["quick"],
    lambda: lp.Status.FINISHED,
    lambda: lp.ProjectedFlow,
    lambda: lp,
)
"""Makers, since some of these could be changed by whoever gets them."""
