"""What a run leaves behind: times, named arrays, the problem, how it ended; checked for consistency when it is made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynamics.boundary import check_fields
from dynamics.ode.results.attributes import plain, software_versions
from dynamics.ode.results.storable import check_distinct, check_names, stored_array, stored_labels
from dynamics.ode.status import Status
from dynamics.validation import number, shown

RESERVED_ATTRIBUTES = (
    *("format", "nfev", "n_steps", "status", "message", "success", "events", "time_counts", "problem"),
    *("json_attributes", "other_attributes"),
)
"""Names under which a file keeps the fields of a run; its attributes may not bear them."""


PROBLEM = "problem_"
"""Begins the names under which a file keeps arrays of the problem, which are no part of the run."""


def event_variable(place: int) -> str:
    """The name under which a file keeps the states at the events that stand at ``place`` of ``event_states``."""
    return f"event_states_{place}"


class Axes(NamedTuple):
    """The axes of one array after time: the shape of its ensemble and the names of the trailing ones."""

    ensemble: tuple[int, ...]
    trailing: tuple[str, ...]


def _no_mapping() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, eq=False)
class TrajectoryData:
    """The fields of :class:`dynamics.ode.trajectory.Trajectory`, which says what they are."""

    t: NDArray[np.float64]
    state: Mapping[str, NDArray[Any]]
    time_counts: str
    observables: Mapping[str, NDArray[Any]] = field(default_factory=_no_mapping)
    nfev: int = 0
    n_steps: int = 0
    status: Status = Status.FINISHED
    message: str = ""
    dimensions: Mapping[str, tuple[str, ...]] = field(default_factory=_no_mapping)
    coordinates: Mapping[str, tuple[str, NDArray[Any]]] = field(default_factory=_no_mapping)
    problem: Mapping[str, Any] = field(default_factory=_no_mapping)
    attributes: Mapping[str, Any] = field(default_factory=_no_mapping)
    events: Mapping[str, tuple[float, ...]] = field(default_factory=_no_mapping)
    event_states: Mapping[str, NDArray[np.float64]] = field(default_factory=_no_mapping)

    def __post_init__(self) -> None:
        check_fields(self, leave=("time_counts",))
        check_names("state", self.state)
        check_names("observables", self.observables)
        put = object.__setattr__  # the dataclass is frozen; this is its one normalisation
        put(self, "t", np.asarray(stored_array("t", self.t), dtype=np.float64))
        put(self, "state", {name: stored_array(name, array) for name, array in self.state.items()})
        observables = {name: stored_array(name, array) for name, array in self.observables.items()}
        put(self, "observables", observables)
        put(self, "status", Status(self.status))
        for name, axes in self.dimensions.items():
            check_names("dimensions", _several("dimensions", name, axes))
        named = {name: tuple(self.dimensions[name]) for name in self.arrays if name in self.dimensions}
        put(self, "dimensions", named)  # of the arrays that are there
        coordinates = {name: _coordinate(name, given) for name, given in self.coordinates.items()}
        put(self, "coordinates", coordinates)
        put(self, "problem", {name: _problem_part(name, part) for name, part in self.problem.items()})
        put(self, "events", {name: _event_times(name, times) for name, times in self.events.items()})
        states = {
            name: stored_array(f"event_states[{shown(name)}]", at) for name, at in self.event_states.items()
        }
        put(self, "event_states", states)
        attributes = {name: _attribute(name, value) for name, value in self.attributes.items()}
        put(self, "attributes", {"versions": software_versions(), **attributes})
        self._validate()

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """State and observables by name."""
        return {**self.state, **self.observables}

    @property
    def success(self) -> bool:
        """Whether the run ended as asked; never with a non-finite number in the state."""
        finite = all(bool(np.isfinite(array).all()) for array in self.state.values())
        return self.status.successful and finite

    def axes(self) -> dict[str, Axes]:
        """The axes of every array; those without an entry in ``dimensions`` get names of their own."""
        found = {}
        for name, array in self.arrays.items():
            trailing = self.dimensions.get(name)
            if trailing is None:
                trailing = tuple(f"{name}_axis{axis}" for axis in range(array.ndim - 1))
            if array.ndim < 1 + len(trailing) or array.shape[0] != self.t.size:
                raise ValueError(
                    f"{name}: expected shape (T={self.t.size}, ..., {', '.join(trailing)}), got {array.shape}"
                )
            found[name] = Axes(array.shape[1 : array.ndim - len(trailing)], trailing)
        return found

    def _validate(self) -> None:
        if self.t.ndim != 1:
            raise ValueError(f"t: expected a vector of times, got shape {self.t.shape}")
        if not isinstance(self.time_counts, str) or not self.time_counts:
            raise ValueError(f"time_counts: expected what t counts, in words, got {shown(self.time_counts)}")
        self._validate_events()
        twice = sorted(self.state.keys() & self.observables.keys())
        if twice:
            raise ValueError(f"observables: names {twice} are taken by the state")
        sizes = self._sizes()
        clashes = sorted(self.arrays.keys() & (sizes.keys() | self.coordinates.keys() | {"time"}))
        if clashes:
            raise ValueError(f"arrays {clashes} bear the name of a dimension or coordinate")
        for name, (axis, values) in self.coordinates.items():
            if values.shape != (sizes.get(axis),) or axis == "time":
                raise ValueError(
                    f"coordinates: expected values of {name!r} along dimension {axis!r} of size "
                    f"{sizes.get(axis, 'unknown')}, got shape {values.shape}"
                )
        self._validate_names()
        steps = np.diff(self.t)
        if not np.isfinite(self.t).all() or not ((steps > 0).all() or (steps < 0).all()):
            raise ValueError(f"t: expected finite times that only grow, or only fall, got {shown(self.t)}")

    def _validate_events(self) -> None:
        """States at events are one flat row a time."""
        for name, states in self.event_states.items():
            times = self.events.get(name, ())
            if states.ndim != 2 or len(states) != len(times):
                raise ValueError(
                    f"event_states[{name!r}]: expected shape ({len(times)}, size), a row for each of its times, "
                    f"got {states.shape}"
                )

    def _validate_names(self) -> None:
        """Every name can be one in a file, and none has two meanings there."""
        check_names("coordinates", self.coordinates)
        arrays = [f"{PROBLEM}{name}" for name, part in self.problem.items() if isinstance(part, np.ndarray)]
        check_names("problem", arrays)
        of_events = [event_variable(place) for place in range(len(self.event_states))]
        of_events += [f"{name}_axis{axis}" for name in of_events for axis in range(2)]
        for name, axes in self.dimensions.items():
            check_names("dimensions", axes)
            check_distinct(f"dimensions[{name!r}]", ("time", "instance", *axes))
        check_distinct("coordinates", ("time", *self.coordinates))
        trailing = [axis for found in self.axes().values() for axis in found.trailing]
        own = [
            f"{name}_axis{axis}"
            for name in arrays
            for axis in range(np.ndim(self.problem[name.removeprefix(PROBLEM)]))
        ]
        check_distinct(
            "problem",
            (*arrays, *own, *of_events, *{*self.state, *self.observables, *self.coordinates, *trailing}),
        )
        for name, (axis, _) in self.coordinates.items():
            if any(char.isspace() for char in name):
                raise ValueError(f"coordinates: expected names without blanks, got {shown(name)}")
            if name in trailing and name != axis:
                raise ValueError(f"coordinates: {name!r} is the name of another dimension than its {axis!r}")

    def _sizes(self) -> dict[str, int]:
        """The size of every dimension, which must be one for all arrays."""
        sizes = {"time": self.t.size}
        for name, (ensemble, trailing) in self.axes().items():
            shape = self.arrays[name].shape
            measured = dict(zip(trailing, shape[len(shape) - len(trailing) :], strict=True))
            if ensemble:
                measured["instance"] = math.prod(ensemble)
            for dimension, size in measured.items():
                if sizes.setdefault(dimension, size) != size:
                    raise ValueError(
                        f"{name}: dimension {dimension!r} has size {size}, but {sizes[dimension]} in another array"
                    )
        return sizes


def _several(argument: str, name: Any, value: Any) -> tuple[Any, ...]:
    """The items of an entry; TypeError where it is no sequence of them."""
    held = isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.ndim == 1)
    if not held or isinstance(value, str | bytes):
        raise TypeError(f"{argument}[{shown(name)}]: expected a sequence, got {shown(value)}")
    return tuple(value)


def _coordinate(name: Any, given: Any) -> tuple[str, NDArray[Any]]:
    """The dimension of a coordinate, and its values."""
    parts = _several("coordinates", name, given)
    if len(parts) != 2 or not isinstance(parts[0], str):
        raise TypeError(
            f"coordinates[{shown(name)}]: expected a dimension and the values along it, got {shown(given)}"
        )
    return parts[0], stored_labels(f"coordinates[{shown(name)}]", parts[1])


def _event_times(name: Any, times: Any) -> tuple[float, ...]:
    return tuple(number(f"events[{shown(name)}]", time) for time in _several("events", name, times))


def _attribute(name: str, value: Any) -> Any:
    if name in RESERVED_ATTRIBUTES:
        raise ValueError(f"attributes: the name {name!r} is reserved for the trajectory itself")
    return plain(f"attributes[{name!r}]", value)


def _problem_part(name: str, part: Any) -> Any:
    """Arrays stay arrays; everything else becomes plain data."""
    where = f"problem[{name!r}]"
    return stored_labels(where, part) if isinstance(part, np.ndarray) else plain(where, part)
