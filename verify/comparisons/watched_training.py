"""Networks trained step by step, each step set against what a flow says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer.observables import two_layer_observables
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from dynamics.validation import positive_int
from nets.two_layer.training_options import repeated, tiled
from verify.comparisons.innovations import Innovations, StepInnovations, StepWatcher, added, empty
from verify.comparisons.windows import TimeWindow, window_count

TOGETHER = 512
"""Networks times steps that are set against the flow at once: one evaluation of many costs little more than of few."""

FlowOf = Callable[[TeacherStudent], TwoLayerDynamics]
"""Makes the flow of a problem: a class such as ``ProjectedFlow``, or a function."""

State = tuple[Array, Array]


class FailedComparisonError(RuntimeError):
    """The flow could not be integrated, or a network diverged; the message says which and where."""


@dataclass(frozen=True)
class WatchedTraining:
    """What was seen of networks and their steps.

    Attributes:
        windows: the innovations, in order of time.
        observables: at the records, by name, (records, networks, ...).
        sampling: of every step, the mean over the networks of what its noise adds to ``log ||sin theta||``.
    """

    windows: list[TimeWindow]
    observables: dict[str, Array]
    sampling: Array


def watched_training(
    flow_of: FlowOf,
    problem: TeacherStudent,
    settings: Mapping[str, Any],
    marks: list[int],
    report: Callable[[float], None],
) -> WatchedTraining:
    """Train networks from the problem's starts, and set each step against the flow.

    Args:
        flow_of: makes the flow of a problem.
        problem: the draws.
        settings: ``lr``, ``batch_size``, ``steps``, ``networks`` (of each draw), ``seed``, ``device``.
        marks: steps that are recorded, ascending, from 0 to the last.
        report: told the steps taken.
    Raises:
        ValueError: naming the argument.
        FailedComparisonError: a network diverged.
    """
    networks = repeated(problem, positive_int("networks", settings["networks"]))
    count = max(1, int(np.prod(networks.batch_shape, dtype=int)))
    steps, lr = settings["steps"], settings["lr"]
    recorded: list[dict[str, Array]] = []
    kept, sampling, places = set(marks), np.empty(steps), window_count(steps, count)
    sums: list[Innovations] = []
    states = _states(flow_of(networks), settings)
    for start, found, new in _blocks(flow_of, networks, count, states, steps, lr):
        sums = sums or [empty(found.steps[0].first.size) for _ in range(places)]
        for step, innovations in enumerate(found.steps, start=start):
            place = step * places // steps
            sums[place] = added(sums[place], innovations)
        sampling[start : start + len(found.steps)] = found.sampling
        numbered = enumerate(new, start=start + 1 if start else 0)
        recorded += [two_layer_observables(networks, *state) for step, state in numbered if step in kept]
        report(start + len(found.steps))
    edges = [-(-place * steps // places) * lr for place in range(places + 1)]
    return WatchedTraining(
        [TimeWindow(*edge, innovations) for edge, innovations in zip(pairwise(edges), sums, strict=True)],
        {name: np.stack([np.reshape(row[name], (count, -1)) for row in recorded]) for name in recorded[0]},
        sampling,
    )


def _states(flow: TwoLayerDynamics, settings: Mapping[str, Any]) -> Iterator[State]:
    """The networks before the first step and after each; they step as the flow moves: on spheres or not, V or not."""
    from nets.endings import DivergedTrainingError  # torch is loaded only where networks are trained
    from nets.two_layer.networks import TwoLayerStudents
    from nets.two_layer.stepwise import stepwise

    asked = {name: settings[name] for name in ("lr", "batch_size", "steps", "seed")}
    students = TwoLayerStudents.from_problem(flow.problem, device=settings["device"])
    try:
        yield from stepwise(students, **asked, projected=flow.projected, train_V=flow.trains_V)
    except DivergedTrainingError as error:
        raise FailedComparisonError(str(error)) from error


def _blocks(
    flow_of: FlowOf, networks: TeacherStudent, count: int, states: Iterator[State], steps: int, lr: float
) -> Iterator[tuple[int, StepInnovations, list[State]]]:
    """Steps in blocks: the number of the first, their innovations, and the states that are new with them."""
    rows, watcher = 0, None
    last = [next(states)]
    for start in range(0, steps, max(1, TOGETHER // count)):
        new = list(islice(states, max(1, TOGETHER // count)))
        path = last + new
        if watcher is None or len(new) != rows:
            rows = len(new)
            watcher = StepWatcher(flow_of(tiled(networks, rows)), lr, count)
        found = watcher(_stacked(path[:-1]), _stacked(path[1:]))
        yield start, found, path if start == 0 else new
        last = path[-1:]


def _stacked(states: list[State]) -> State:
    W, V = (
        np.concatenate([part.reshape(-1, *part.shape[-2:]) for part in parts])
        for parts in zip(*states, strict=True)
    )
    return W, V
