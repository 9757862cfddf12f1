"""From the rows of a run to its trajectory: named arrays, and a message that says what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Vector
from dynamics.ode.event_record import EventRecord
from dynamics.ode.flow import Flow, stacked
from dynamics.ode.results.attributes import provenance
from dynamics.ode.status import Status, Stop
from dynamics.ode.trajectory import Trajectory


def trajectory_of(
    flow: Flow,
    rows: Sequence[tuple[float, Vector]],
    ending: Stop,
    *,
    nfev: int,
    n_steps: int,
    events: EventRecord,
    settings: Mapping[str, Any],
) -> Trajectory:
    """The trajectory through ``rows`` of times and flat states, named and described by the flow."""
    state, observables = named_arrays(flow, [y for _, y in rows])
    axes = {name: names for name, names in flow.dimensions.items() if name in {**state, **observables}}
    present = {axis for names in axes.values() for axis in names}
    return Trajectory(
        t=np.array([t for t, _ in rows]),
        state=state,
        time_counts=flow.time_counts,
        observables=observables,
        nfev=nfev,
        n_steps=n_steps,
        status=ending.status,
        message=message(flow, ending, *rows[-1]),
        dimensions=axes,
        coordinates={name: label for name, label in flow.coordinates.items() if label[0] in present},
        problem=flow.problem_description(),
        attributes={**provenance(), "flow": flow.name, "configuration": flow.configuration(), **settings},
        events=events.times,
        event_states=events.states,
    )


def require_names_fit(flow: Flow, t0: float, y0: Vector) -> None:
    """Make a trajectory of the start alone, and throw it away.

    Raises:
        ValueError, TypeError: names or shapes of the flow do not fit, which would otherwise show after the run.
    """
    trajectory_of(
        flow, [(t0, y0)], Stop(Status.FINISHED, ""), nfev=0, n_steps=0, events=EventRecord(0), settings={}
    )


def named_arrays(
    flow: Flow, states: Sequence[Vector]
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """State and observables of every row, time as the first axis."""
    with np.errstate(all="ignore"):  # a diverged row may overflow in an observable: inf is the right answer
        return stacked([flow.unpack(y) for y in states]), flow.observables_along(states)


def message(flow: Flow, ending: Stop, t: float, y: Vector) -> str:
    """One line: status, time reached, what happened, the worst component there, and the remedy."""
    text = f"{ending.status} at t = {t!r}: {ending.detail}"
    if ending.component is not None:
        told, component = flow.told(y), flow.told_component(ending.component)
        text += f"; worst component {flow.component_name(component, told.size)} = {told[component]:.6g}"
    return f"{text}. {ending.status.remedy}".rstrip()
