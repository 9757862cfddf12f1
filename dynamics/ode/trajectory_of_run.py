"""From the rows of a run to its trajectory: named arrays, and a message that says what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.ode.guards import Flow, Stop, Vector
from dynamics.ode.trajectory import Trajectory


def trajectory_of(
    flow: Flow,
    rows: Sequence[tuple[float, Vector]],
    ending: Stop,
    *,
    nfev: int,
    n_steps: int,
    events: Mapping[str, Sequence[float]],
    settings: Mapping[str, Any],
) -> Trajectory:
    """The trajectory through ``rows`` of times and flat states.

    A flow without ``unpack`` has its flat vector as the one state array ``y``, dimension ``component``.
    """
    state, observables = named_arrays(flow, [y for _, y in rows])
    dimensions = {"y": ("component",), **getattr(flow, "dimensions", {})}
    configuration: Any = getattr(flow, "configuration", dict)
    return Trajectory(
        t=np.array([t for t, _ in rows]),
        state=state,
        observables=observables,
        nfev=nfev,
        n_steps=n_steps,
        status=ending.status,
        message=message(flow, ending, *rows[-1]),
        dimensions={name: dims for name, dims in dimensions.items() if name in {**state, **observables}},
        attributes={"flow": type(flow).__name__, "configuration": configuration(), **settings},
        events={name: tuple(times) for name, times in events.items()},
    )


def named_arrays(
    flow: Flow, states: Sequence[Vector]
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """State and observables of every row, time as the first axis; a flow may observe all rows at once."""
    unpack: Any = getattr(flow, "unpack", None)
    observe: Any = getattr(flow, "observables", None)
    observe_along: Any = getattr(flow, "observables_along", None)
    with np.errstate(all="ignore"):  # a diverged row may overflow in an observable: inf is the right answer
        state = _stack([unpack(y) if unpack else {"y": y} for y in states])
        if observe_along:
            observables: dict[str, NDArray[Any]] = observe_along(np.stack(states))
        else:
            observables = _stack([observe(y) if observe else {} for y in states])
    return state, observables


def _stack(rows: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    return {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]}


def message(flow: Flow, ending: Stop, t: float, y: Vector) -> str:
    """One line: status, time reached, what happened, the worst component there, and the remedy."""
    text = f"{ending.status} at t = {t!r}: {ending.detail}"
    if ending.component is not None:
        text += (
            f"; worst component {component_name(flow, ending.component, y.size)} = {y[ending.component]:.6g}"
        )
    return f"{text}. {ending.status.remedy}".rstrip()


def component_name(flow: Flow, index: int, n: int) -> str:
    """The name of a flat index, such as ``W[3, 1]``: where ``unpack`` puts the number ``index`` of 0 ... n-1.

    ``y[index]`` where there is no ``unpack``, or where it does more than rearrange.
    """
    unpack: Any = getattr(flow, "unpack", None)
    if unpack is not None:
        for name, array in unpack(np.arange(n, dtype=np.float64)).items():
            places = np.argwhere(np.asarray(array) == index)
            if len(places) == 1:
                return f"{name}[{', '.join(map(str, places[0]))}]"
    return f"y[{index}]"
