"""One state along a run, as the method steps it and as the flow is given it."""

from __future__ import annotations

from functools import cached_property

from dynamics.arrays import Vector
from dynamics.ode.flow import Coordinates


class State:
    """A state: ``stepped`` in the coordinates of the method, and ``y`` in those of the flow.

    ``y`` is mapped back when first asked for: most states of a run are never looked at.
    """

    def __init__(self, stepped: Vector, coordinates: Coordinates) -> None:
        self.stepped = stepped
        self._coordinates = coordinates

    @cached_property
    def y(self) -> Vector:
        return self._coordinates.back(self.stepped)

    @classmethod
    def at_start(cls, y: Vector, coordinates: Coordinates) -> State:
        """The state ``y``, which needs no mapping back."""
        state = cls(coordinates.into(y), coordinates)
        state.__dict__["y"] = y
        return state
