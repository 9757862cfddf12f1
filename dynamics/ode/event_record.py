"""What is kept of the events of a run: the times of each, and the states there, within the memory of the run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dynamics.arrays import Array, Vector
from dynamics.ode.events import Event
from dynamics.ode.status import Status, Stop


class EventRecord:
    """Times and states of every event that occurred, by name, in the order of their first occurrence.

    Args:
        capacity: states that may be kept of all events together.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._found: dict[str, list[tuple[float, Vector]]] = {}

    def add(self, event: Event, t: float, y: Vector) -> bool:
        """Keep one occurrence; whether it ends the run. Raises Stop where the memory for states is full."""
        if sum(map(len, self._found.values())) >= self._capacity:
            raise Stop(
                Status.MEMORY_LIMIT,
                f"{self._capacity} states at events such as {event.name!r} fill a quarter of the available memory",
            )
        occurred = self._found.setdefault(event.name, [])
        occurred.append((t, y.copy()))
        return event.ends(len(occurred))

    @property
    def times(self) -> Mapping[str, tuple[float, ...]]:
        """The times of each event that occurred."""
        return {name: tuple(t for t, _ in found) for name, found in self._found.items()}

    @property
    def states(self) -> Mapping[str, Array]:
        """The flat states at these times, (occurrences, size) each."""
        return {name: np.stack([y for _, y in found]) for name, found in self._found.items()}
