"""A plane in a flow's state: two numbers of it vary, the others are held; the field there, at many points at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array, Vector
from dynamics.ode.flow import Flow, Integrable
from dynamics.ode.foreign import as_flow
from dynamics.ode.results.phase_plane import split_component
from dynamics.validation import number, real_array, shown

MOST_NAMED = 3
"""Numbers held that are named one by one."""

AT_ONCE = 2**16
"""Numbers of states that are evaluated together: what a core keeps at hand."""

PROBES = 5
"""States whose field is evaluated alone and stacked, to see whether the flow takes stacks."""

Ends = tuple[float, float]


@dataclass(frozen=True)
class Plane:
    """Two components of a flow's state, the others held where ``at`` has them."""

    flow: Flow
    at: Vector
    places: tuple[int, int]

    def states(self, points: Array) -> Array:
        """The states (..., N) at points (..., 2) of the plane."""
        states = np.broadcast_to(self.at, (*points.shape[:-1], self.at.size)).copy()
        states[..., list(self.places)] = points
        return states

    def field(self, points: Array) -> tuple[Array, Array]:
        """``(x', y')`` (K, 2) at points (K, 2), and the largest entry (K,) of the whole derivative."""
        step = 1
        if len(points) > PROBES:
            probes = np.unique(np.linspace(0, len(points) - 1, PROBES).astype(np.intp))
            if takes_stacks(self.flow, self.states(points[probes])):
                step = max(1, AT_ONCE // self.at.size)
        along, largest = [], []
        for begin in range(0, len(points), step):
            moved = self._moved(self.states(points[begin : begin + step] if step > 1 else points[begin]))
            along.append(np.atleast_2d(moved)[:, list(self.places)])
            largest.append(np.abs(np.atleast_2d(moved)).max(axis=1))
        return np.concatenate(along), np.concatenate(largest)

    def _moved(self, states: Array) -> Array:
        """The derivative; a picture may show where there is none: what is not finite stays, without a warning."""
        with np.errstate(all="ignore"):
            return np.asarray(self.flow(0.0, states), dtype=np.float64)

    def on_grid(self, x: Array, y: Array) -> tuple[Array, Array]:
        """:meth:`field` at all points of a grid: (len(y), len(x), 2) and (len(y), len(x))."""
        points = np.stack(np.meshgrid(x, y), axis=-1)
        along, largest = self.field(points.reshape(-1, 2))
        return along.reshape(points.shape), largest.reshape(points.shape[:-1])

    def jacobian(self, x: float, y: float) -> Array:
        """That of the whole flow, by central differences."""
        state = self.states(np.array([x, y]))
        steps = 1e-6 * np.maximum(1.0, np.abs(state))
        columns = [
            (self._moved(state + step * unit) - self._moved(state - step * unit)) / (2 * step)
            for step, unit in zip(steps, np.eye(state.size), strict=True)
        ]
        return np.stack(columns, axis=-1)

    def held(self) -> str:
        """In words, the numbers that do not vary."""
        others = [index for index in range(self.at.size) if index not in self.places]
        if len(others) > MOST_NAMED:
            return f"the other {len(others)} numbers of the state held"
        names = [self.flow.component_name(index, self.at.size).removesuffix("[]") for index in others]
        return ", ".join(f"{name} = {self.at[index]:.3g}" for name, index in zip(names, others, strict=True))


def plane_of(flow: Integrable, x: str, y: str, at: ArrayLike | None) -> Plane:
    """The plane of two components by name; errors as :func:`dynamics.ode.phase_portrait.phase_portrait`."""
    flow = as_flow(flow)
    if flow.instances != 1:
        raise ValueError(f"flow: expected one instance, got {flow.instances}; take the problem's instance(0)")
    start = flow.initial_state()
    held = np.array(start if at is None else real_array("at", at), dtype=np.float64)
    if held.shape != np.shape(start):
        raise ValueError(f"at: expected a flat state of {np.size(start)} numbers, got shape {held.shape}")
    places = (_place(flow, "x", x, held.size), _place(flow, "y", y, held.size))
    if places[0] == places[1]:
        raise ValueError(f"y: expected another component than x, got {shown(y)}")
    return Plane(flow, held, places)


def ends_of(argument: str, ends: Sequence[float]) -> Ends:
    """The two ends of an axis, the smaller first."""
    if len(ends) != 2:
        raise ValueError(f"{argument}: expected two numbers, got {shown(ends)}")
    low, high = (number(argument, end) for end in ends)
    if not low < high:
        raise ValueError(f"{argument}: expected the smaller end first, got {shown(ends)}")
    return low, high


def takes_stacks(flow: Flow, states: Array) -> bool:
    """Whether the field of states (K, N) stacked is that of each alone; a field for one may raise anything."""
    with np.errstate(all="ignore"):
        alone = np.stack([np.asarray(flow(0.0, state), dtype=np.float64) for state in states])
        try:
            together = np.asarray(flow(0.0, states), dtype=np.float64)
        except Exception:
            return False
    if together.shape != alone.shape:
        return False
    scale = np.abs(alone).max(initial=0.0, where=np.isfinite(alone))
    return np.allclose(together, alone, rtol=1e-9, atol=1e-12 * scale, equal_nan=True)


def _place(flow: Flow, argument: str, name: str, size: int) -> int:
    """The flat index of a component."""
    array, index = split_component(argument, name)
    parts = {part: np.asarray(numbers) for part, numbers in flow.unpack(np.arange(size, dtype=float)).items()}
    if array not in parts:
        raise ValueError(f"{argument}: expected a component of {', '.join(parts)}, got {shown(name)}")
    shape = parts[array].shape
    if len(index) != len(shape) or not all(-n <= i < n for i, n in zip(index, shape, strict=True)):
        example = f"{array}[{', '.join('0' for _ in shape)}]" if shape else array
        raise ValueError(f"{argument}: expected one number such as {example!r}, got {shown(name)}")
    found = float(parts[array][index])
    if found != int(found) or not 0 <= found < size:
        raise ValueError(f"{argument}: expected a number that is part of the state, got {shown(name)}")
    return int(found)
