"""A flow and networks from the same starts: their paths side by side, their late rates, and whether they agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.memory import check_fits
from dynamics.ode.integrate import integrate
from dynamics.ode.progress import Progress, reporting
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.problem import TeacherStudent
from dynamics.validation import number, positive_int
from nets.record_times import record_steps
from nets.two_layer.batches import BLOCK_VALUES
from nets.two_layer.population_descent import population_descent
from verify.comparisons.late_rates import LateRates, late_rates
from verify.comparisons.watched_training import FailedComparisonError, FlowOf, watched_training
from verify.comparisons.windows import Agreement, Judgement

if TYPE_CHECKING:
    import xarray as xr

RTOL, ATOL = 1e-9, 1e-13
"""Accuracy of the flow: far below any deviation that networks show."""


@dataclass(frozen=True)
class Comparison:
    """A flow beside networks.

    Attributes:
        judgement: step by step, whether the networks do what the flow says.
        t: times of the records.
        flow: the flow from each draw, at these times.
        descent: steps of the networks' size along the flow's field, at these times: what networks of infinite batch do.
        networks: observables of the networks, (times, draws x networks, ...), by name.
        late: late rates, fitted and predicted.
        settings: how the networks were trained.
    """

    judgement: Judgement
    t: Array
    flow: Trajectory
    descent: Trajectory
    networks: dict[str, Array]
    late: LateRates
    settings: dict[str, Any] = field(repr=False)

    def __repr__(self) -> str:
        settings = self.settings
        of = "" if settings["draws"] == 1 else f" on each of {settings['draws']} draws"
        return (
            f"Comparison({self.verdict}: {settings['flow']} beside {settings['networks']} networks{of}, "
            f"{settings['steps']} steps with lr {settings['lr']:g} and batches of {settings['batch_size']})"
        )

    @property
    def verdict(self) -> Agreement:
        """Agree, disagree or unresolved."""
        return self.judgement.verdict

    @cached_property
    def deviation(self) -> tuple[Array, Array]:
        """``log(||sin theta|| of a network / that of its flow)``: mean over networks and its standard error.

        Paired: every network is set against the flow from its own start.
        """
        return self._against(self.flow)

    @property
    def deviation_of_descent(self) -> Array:
        """The same of descent by steps of this size, averaged over the draws: what the step alone makes of the flow."""
        logs = np.log(
            _sizes(self.descent.observables["sin_theta"]) / _sizes(self.flow.observables["sin_theta"])
        )
        return np.asarray(logs.mean(axis=1))

    def _against(self, path: Trajectory) -> tuple[Array, Array]:
        theory = np.repeat(_sizes(path.observables["sin_theta"]), self.settings["networks"], axis=1)
        logs = np.log(_sizes(self.networks["sin_theta"]) / theory)
        if logs.shape[1] < 2:
            return logs[:, 0], np.full(len(logs), np.nan)
        return logs.mean(axis=1), np.asarray(logs.std(axis=1, ddof=1) / math.sqrt(logs.shape[1]))

    def to_xarray(self) -> xr.Dataset:
        """Everything as one labelled data set: by time, by window, and what came of it as attributes."""
        from verify.comparisons.data import dataset_of

        return dataset_of(self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the data set (NetCDF-4, with a checksum)."""
        from dynamics.files.netcdf import write

        write(self.to_xarray(), path)


@checked
def compare(
    flow_of: FlowOf,
    problem: TeacherStudent,
    *,
    lr: float,
    batch_size: int,
    steps: int,
    networks: int = 16,
    seed: int = 0,
    device: str = "cpu",
    points: int = 201,
    level: float = 1e-3,
    resolve: float = 0.1,
    progress: bool | Progress = False,
) -> Comparison:
    """Train networks from a problem's starts and ask at every step whether they do what a flow says.

    Given where a network is, the mean of its next step is ``lr`` times the population gradient, exactly, at any
    learning rate and batch (:mod:`verify.comparisons.innovations`). So the verdict allows for nothing but sampling: the
    run is cut into windows, and in each the networks' steps less the predicted ones must have mean zero along the flow,
    towards the teacher and in every coordinate. The deviation from the integrated flow, which step size and noise add
    up to, is shown beside that of descent by the same steps, and decides nothing.

    Args:
        flow_of: makes the flow of a problem; whether columns stay on the sphere and whether V moves is the flow's.
        problem: teacher and starts; its instances are the draws.
        lr, batch_size, steps: how the networks are trained.
        networks: of each draw, each on fresh samples of its own.
        seed: of the samples, as of :func:`nets.train`.
        device: where networks are trained.
        points: times that are recorded.
        level: the chance that networks which follow the flow are said to disagree.
        resolve: the relative error in the flow's speed that must have been visible in every window for *agree*.
        progress: a bar on stderr where that is a terminal, or a callable of the fraction done.
    Raises:
        ValueError, TypeError: naming the argument.
        FailedComparisonError: the flow could not be integrated, or a network diverged.
    Cost: that of the training and, a step, an evaluation of the flow on all networks.
    """
    lr = number("lr", lr, positive=True)
    number("level", level, positive=True, below=1)
    number("resolve", resolve, positive=True)
    marks = record_steps(positive_int("steps", steps), None, _evenly(steps, positive_int("points", points)))
    flow = flow_of(problem)
    count = flow.instances * positive_int("networks", networks)
    check_fits("networks", count * BLOCK_VALUES["cpu"])
    check_fits(
        "batch_size", count * positive_int("batch_size", batch_size) * (problem.d + problem.m + problem.n)
    )
    descent = _finished(
        "descent along the flow", population_descent(flow, lr=lr, steps=steps, record_at=marks)
    )
    t = np.array(marks) * lr
    path = _finished("the flow", integrate(flow, (0.0, steps * lr), t_eval=t, rtol=RTOL, atol=ATOL))
    settings = {
        "lr": lr, "batch_size": batch_size, "steps": steps, "networks": networks, "seed": seed, "device": device,
        "draws": flow.instances, "flow": type(flow).__name__,
    }  # fmt: skip
    with reporting(progress, 0, steps, "comparing") as report:
        watched = watched_training(flow_of, problem, settings, marks, report)
    late = late_rates(flow, path, t, watched.observables["sin_theta"], watched.sampling, lr)
    judgement = Judgement(watched.windows, level, resolve)
    return Comparison(judgement, t, path, descent, watched.observables, late, settings)


def _finished(name: str, run: Trajectory) -> Trajectory:
    """The run; raises FailedComparisonError where it did not come to its end."""
    if not run.success:
        raise FailedComparisonError(f"{name}: {run.message}")
    return run


def _evenly(steps: int, points: int) -> list[int]:
    return [int(step) for step in np.unique(np.rint(np.linspace(0, steps, min(points, steps + 1))))]


def _sizes(sin_theta: Array) -> Array:
    """``||sin theta||`` over the teachers, (times, instances); never zero."""
    size = np.linalg.norm(sin_theta, axis=-1)
    return np.asarray(np.maximum(size.reshape(len(size), -1), np.finfo(float).tiny))
