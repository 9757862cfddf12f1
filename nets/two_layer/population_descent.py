"""Descent along the exact population gradient: what SGD of the same learning rate tends to as its batches grow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynamics.boundary import checked
from dynamics.geometry.angles import unit_columns
from dynamics.ode.results.attributes import provenance
from dynamics.ode.status import Status
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics
from dynamics.validation import positive_int
from nets.record_times import checked_rate, record_steps
from nets.two_layer.recording import TIME_COUNTS


@checked
def population_descent(
    flow: TwoLayerDynamics,
    *,
    lr: float,
    steps: int,
    record_every: int | None = None,
    record_at: Sequence[int] | None = None,
) -> Trajectory:
    """Explicit steps ``y <- y + lr flow(y)``; where the flow is projected, columns are put back to unit norm.

    The limit of :func:`nets.train` as batch_size -> inf, for flows that are the gradient flow of the network. It
    splits the distance between networks and ODE in two: this map minus the ODE is the bias of the step, O(lr);
    networks minus this map is sampling, sqrt(lr / batch_size) for one network, with a mean of O(lr / batch_size).

    Args:
        flow: any two-layer flow; an isotropic measure for the reading above.
        lr: size of a step in time, > 0.
        steps: number of steps.
        record_every, record_at: as for :func:`nets.train`.
    Returns:
        A trajectory as that of :func:`nets.train`, without sampling.
    Raises:
        ValueError, TypeError: naming the argument.
    Cost: one evaluation of the flow a step, for all instances; memory that of an evaluation and of the records.
    Source: Luck Matters, Theorem 4, whose bound is stated for steps of size eta.
    """
    marks = record_steps(positive_int("steps", steps), record_every, record_at)
    lr = checked_rate(lr, steps)
    y, step, status = flow.initial_state(), 0, Status.FINISHED
    rows: list[dict[str, NDArray[np.float64]]] = []
    with np.errstate(all="ignore"):  # an overflow is reported by the run's status
        for mark in marks:
            for _ in range(mark - step):
                y = _step(flow, y, lr)
            step = mark
            observables = flow.observables(y)
            if not np.all(np.isfinite(observables["loss"])):
                status = Status.DIVERGED
            if status is Status.FINISHED or not rows:  # the start is kept whatever it is
                rows.append({**flow.unpack(y), **observables})
            if status is Status.DIVERGED:
                break
    arrays = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    state = {name: arrays.pop(name) for name in flow.unpack(y)}
    detail = "its loss is not finite; lower lr" if status is Status.DIVERGED else "taken"
    return Trajectory(
        t=np.array(marks[: len(rows)]) * lr,
        state=state,
        time_counts=TIME_COUNTS,
        observables=arrays,
        nfev=step,
        n_steps=step,
        status=status,
        message=f"{status}: {step} steps, {detail}",
        dimensions={name: flow.dimensions[name] for name in (*state, *arrays)},
        problem=flow.problem_description(),
        attributes={**provenance(), "lr": lr, "steps": steps, "configuration": flow.configuration()},
    )


def _step(flow: TwoLayerDynamics, y: NDArray[np.float64], lr: float) -> NDArray[np.float64]:
    y = y + lr * flow(0.0, y)
    if not flow.projected:
        return y
    W, V = flow.matrices(y)
    return flow.of_matrices(unit_columns(W), V)
