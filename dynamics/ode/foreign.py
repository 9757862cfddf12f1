"""Objects that are no :class:`~dynamics.ode.flow.Flow` but can be integrated: adapted once, where they come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dynamics.arrays import Array, Vector
from dynamics.ode.flow import Flow, Integrable, Labels
from dynamics.validation import positive_int, shown


def as_flow(candidate: Integrable) -> Flow:
    """``candidate`` itself where it is a :class:`Flow`, adapted otherwise.

    Raises:
        TypeError: where it lacks ``initial_state()`` or cannot be called.
    """
    if isinstance(candidate, type):
        raise TypeError(f"flow: expected a flow, got the class {candidate.__name__}: call it to make one")
    if isinstance(candidate, Flow):
        return candidate
    if not callable(candidate) or not callable(getattr(candidate, "initial_state", None)):
        raise TypeError(
            f"flow: expected an object with initial_state() and __call__(t, y), got {shown(candidate)}"
        )
    return ForeignFlow(candidate)


class ForeignFlow(Flow):
    """A flow of someone else's making: what it has of :class:`Flow`'s members is used, defaults stand in for the rest.

    Without ``unpack`` its state is one array ``y`` of dimension ``component``, and which component belongs to which of
    its ``instances`` is not known. ``unpack`` may do more than rearrange, and takes one state at a time.
    """

    def __init__(self, foreign: Any) -> None:
        self.foreign = foreign
        self.time_counts = str(self._member("time_counts", "time"))
        self.discontinuous = bool(self._member("discontinuous", False))
        self._start = foreign.initial_state()

    def _member(self, name: str, default: Any) -> Any:
        return getattr(self.foreign, name, default)

    def __call__(self, t: float, y: Vector) -> Vector:
        return self.foreign(t, y)  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        return type(self.foreign).__name__

    @property
    def dimensions(self) -> Mapping[str, tuple[str, ...]]:
        return {"y": ("component",), **self._member("dimensions", {})}

    @property
    def coordinates(self) -> Mapping[str, tuple[str, Any]]:
        return dict(self._member("coordinates", {}))

    @property
    def initial_arrays(self) -> Mapping[str, Array]:
        return self.unpack(np.asarray(self._start))

    def initial_state(self) -> Vector:
        return self._start  # type: ignore[no-any-return]

    @property
    def instances(self) -> int:
        return positive_int("flow.instances", self._member("instances", 1))

    def unpack(self, y: Vector) -> dict[str, Array]:
        unpack = self._member("unpack", None)
        return dict(unpack(y)) if unpack else {"y": y}

    def observables(self, y: Vector) -> dict[str, Array]:
        observables = self._member("observables", None)
        return dict(observables(y)) if observables else {}

    def observables_along(self, states: Sequence[Vector] | Array) -> dict[str, Array]:
        along = self._member("observables_along", None)
        return dict(along(np.stack(states))) if along else super().observables_along(states)  # type: ignore[arg-type]

    def short_of(self, observable: str, threshold: float, watched: Mapping[str, Any]) -> float:
        own = self._member("short_of", super().short_of)
        return float(own(observable, threshold, watched))

    @property
    def tells_loss(self) -> bool:
        return callable(self._member("with_loss", None))

    def with_loss(self, t: float, y: Vector) -> tuple[Vector, Array, Array]:
        if not self.tells_loss:
            return super().with_loss(t, y)
        return self.foreign.with_loss(t, y)  # type: ignore[no-any-return]

    def equilibrium(self) -> Vector:
        equilibrium = self._member("equilibrium", super().equilibrium)
        return equilibrium()  # type: ignore[no-any-return]

    def problem_description(self) -> dict[str, Any]:
        describe = self._member("problem_description", super().problem_description)
        return dict(describe())

    def configuration(self) -> dict[str, Any]:
        configuration = self._member("configuration", dict)
        return dict(configuration())

    def instance_labels(self, size: int) -> Labels | None:
        return super().instance_labels(size) if self._member("unpack", None) else None
