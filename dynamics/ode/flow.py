"""What is integrated: a field on named arrays, packed into one flat vector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array, Vector
from dynamics.boundary import checked
from dynamics.ode.layout import Place, layout_of
from dynamics.overrides import HearsOverrides
from dynamics.validation import is_tensor, real_numbers, shown

Labels = NDArray[np.intp]

ExplicitStep = Callable[[Vector, float, Array, Array, Array], Vector]
"""``(y, h, A, B, K) -> y`` after a step of an explicit Runge-Kutta method with the coefficients A and B.

``K`` (stages + 1, size): dy/dt of every stage. The first is there already, the others are written, the last of them in
the state after the step."""


class Integrable(Protocol):
    """The least that can be integrated: ``dy/dt = flow(t, y)`` from ``flow.initial_state()``, flat vectors.

    Members of :class:`Flow` that such an object has as well are used; see :class:`dynamics.ode.foreign.ForeignFlow`.
    """

    def initial_state(self) -> Vector: ...

    def __call__(self, t: float, y: Vector) -> Vector: ...


def as_it_is(y: Vector) -> Vector:
    """``y``."""
    return y


@dataclass(frozen=True)
class Coordinates:
    """The same dynamics in other coordinates ``z = into(y)``, in which a step costs less.

    Args:
        flow: dz/dt, a flow with the same layout of its state; as discontinuous, and one that tells its loss where the
            flow of y does.
        into, back: linear maps of flat states, each other's inverse and isometries of every array of every instance, so
            that tolerances mean the same.
    """

    flow: Flow
    into: Callable[[Vector], Vector] = as_it_is
    back: Callable[[Vector], Vector] = as_it_is


class Flow(HearsOverrides, ABC):
    """``dy/dt = flow(t, y)`` for named arrays, which lie one behind the other in the flat vector ``y``.

    A subclass says what the arrays are at the start (:attr:`initial_arrays`), names their trailing axes
    (:attr:`dimensions`) and gives the field (``__call__``). Everything else has a default::

        class Decay(Flow):
            dimensions = {"x": ("node",)}
            initial_arrays = {"x": np.ones((5, 3))}  # five instances of three nodes

            def __call__(self, t, y):
                return -y

    Order: that of ``initial_arrays``, each array in C order. The axes before the named ones are the ensemble, the same
    in every array; an array that ``dimensions`` does not name has none. The layout is read once, at first use.

    A subclass of a flow is heard: where it overrides the field or the observables and not what the flow had worked out
    from them for speed (:meth:`with_loss`, :meth:`observables_along`), the defaults here take over.
    """

    rests_on: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "with_loss": ("__call__",),
        "observables_along": ("observables", "unpack"),
    }

    time_counts: str = "time"
    """What ``t`` counts, in words."""

    discontinuous: bool = False
    """Whether the field jumps, so that an error estimate which assumes derivatives of it misleads."""

    @property
    def dimensions(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the trailing axes of states and observables."""
        return {}

    @property
    def coordinates(self) -> Mapping[str, tuple[str, Any]]:
        """Labels along dimensions, see :class:`dynamics.ode.trajectory.Trajectory`; none by default."""
        return {}

    @property
    @abstractmethod
    def initial_arrays(self) -> Mapping[str, Array]:
        """The arrays of the state at the start."""

    @abstractmethod
    def __call__(self, t: float, y: Vector) -> Vector:
        """``dy/dt`` at time ``t`` in the flat state ``y``."""

    @property
    def name(self) -> str:
        """What results and errors call this flow."""
        return type(self).__name__

    def __repr__(self) -> str:
        return f"{self.name}({self._told()})"

    def _told(self) -> str:
        """What stands between the brackets of the repr: the arrays of the state with their shapes."""
        try:
            return ", ".join(f"{place.name} {place.shape}" for place in self._layout)
        except Exception:  # one's own arrays may not be there yet, or not be what they must be
            return "..."

    @cached_property
    def _layout(self) -> tuple[Place, ...]:
        return layout_of(self.initial_arrays, self.dimensions)

    @cached_property
    def ensemble_shape(self) -> tuple[int, ...]:
        """Shape of the stack of instances; ``()`` for one instance."""
        first = self._layout[0]
        trailing = len(self.dimensions.get(first.name, first.shape))
        return first.shape[: len(first.shape) - trailing]

    @property
    def instances(self) -> int:
        """Number of stacked instances in one state vector."""
        return prod(self.ensemble_shape)

    def initial_state(self) -> Vector:
        """The start as a flat vector.

        Raises:
            TypeError, ValueError: where ``initial_arrays`` or ``dimensions`` are not what they must be.
        """
        arrays = self.initial_arrays
        layout_of(arrays, self.dimensions)
        return self.pack(arrays)

    @checked
    def pack(self, arrays: Mapping[str, Array]) -> Vector:
        """Flat state ``(..., size)`` of named arrays; the inverse of :meth:`unpack`.

        Args:
            arrays: the state's arrays by name, of their shapes at the start; leading axes stack states. Further names,
                such as an array that the flow keeps fixed, are passed over.

        Raises:
            ValueError: where an array is missing or of another shape.
        """
        parts = []
        for name, _, shape in self._layout:
            if name not in arrays:
                raise ValueError(f"arrays: expected {name} of {self.name} among them, got {shown([*arrays])}")
            array = real_numbers(f"arrays[{name!r}]", arrays[name])
            lead = array.shape[: array.ndim - len(shape)]
            if array.shape != (*lead, *shape):
                raise ValueError(
                    f"arrays[{name!r}]: expected shape (..., {str(shape)[1:-1]}), got {array.shape}"
                )
            parts.append(array.reshape((*lead, prod(shape))))
        leads = [part.shape[:-1] for part in parts]
        if any(lead != leads[0] for lead in leads):
            raise ValueError(f"arrays: expected the same leading axes in all, got {shown(leads)}")
        return np.concatenate(parts, axis=-1)

    def unpack(self, y: Vector) -> dict[str, Array]:
        """The named arrays of a flat state ``(size,)``, or of states ``(..., size)`` stacked on leading axes.

        Views of ``y``. An array without axes comes as a number, as from any of NumPy's operations.
        """
        y = self.checked_states(y)
        lead = y.shape[:-1]
        return {name: y[..., part].reshape(lead + shape)[()] for name, part, shape in self._layout}

    def checked_states(self, y: Vector) -> Array:
        """``y`` where it is a flat state of this flow, or states stacked; raises TypeError or ValueError."""
        size = self._layout[-1].part.stop
        if type(y) is np.ndarray and y.dtype == np.float64 and y.shape[-1:] == (size,):
            return y
        states = real_numbers("y", y)
        if states.shape[-1:] != (size,):
            raise ValueError(f"y: expected shape (..., {size}), states of {self.name}, got {states.shape}")
        return states

    def observables(self, y: Vector) -> dict[str, Array]:
        """What is watched in one state, by name; nothing by default."""
        return {}

    def observables_along(self, states: Sequence[Vector] | Array) -> dict[str, Array]:
        """The observables of a run's states ``(T, size)``, time first; state by state by default."""
        return stacked([self.observables(y) for y in states])

    def short_of(self, observable: str, threshold: float, watched: Mapping[str, Any]) -> float:
        """How far a state is from counting as converged; 0 or less where it does. Continuous along a run.

        By default how far the largest ``|observable|`` is above ``threshold``. A flow whose observable is small at a
        wrong place too overrides this.

        Args:
            observable, threshold: what :func:`dynamics.ode.events.converged` was asked for.
            watched: the observables of the state.
        """
        return float(np.max(np.abs(watched[observable]), initial=0.0)) - threshold

    @property
    def tells_loss(self) -> bool:
        """Whether :meth:`with_loss` is defined."""
        return type(self).with_loss is not Flow.with_loss

    def with_loss(self, t: float, y: Vector) -> tuple[Vector, Array, Array]:
        """``(dy/dt, J, dJ/dt)`` with the losses J ``(...)`` of the instances: for steps controlled by the loss."""
        raise TypeError(f"flow: expected one that tells its loss by with_loss(t, y), got {self.name}")

    def in_deviations(self) -> Flow | None:
        """This flow in other coordinates, which keep their digits near its solution; None where there are none.

        ``integrate`` steps that flow in place of this one. Its ``unpack`` and its observables give what this flow's
        would give, :meth:`told` the flat state.
        """
        return None

    def told(self, y: Vector) -> Vector:
        """The flat state ``y`` as the caller of ``integrate`` knows it, for events."""
        return y

    @property
    def as_given(self) -> Flow:
        """The flow that the caller of ``integrate`` gave: this one, unless it was made from another."""
        return self

    def told_component(self, index: int) -> int:
        """The place in :meth:`told` of what the component ``index`` of a state mostly stands for, for messages."""
        return index

    @property
    def deviations_are_cheap(self) -> bool:
        """Whether ``integrate`` takes :meth:`in_deviations` unasked, where there is one: it costs next to nothing."""
        return True

    @property
    def component_sizes(self) -> Vector | None:
        """What errors of each component count relative to; None: to its own size, as in SciPy."""
        return None

    @property
    def explicit_step(self) -> ExplicitStep | None:
        """A whole step of RK45 or DOP853 by the flow itself, of no time dependence, where that is quicker; or None."""
        return None

    def equilibrium(self) -> Vector:
        """A flat state in which the flow rests, where one is known."""
        raise TypeError(f"flow: expected one that knows an equilibrium, got {self.name}")

    def cheaper_coordinates(self) -> Coordinates | None:
        """Coordinates in which this flow is better stepped, where there are any: results never show them.

        Asked for once a run, by methods that go by name. None by default.
        """
        return None

    def problem_description(self) -> dict[str, Any]:
        """What tells this flow's problem from another: arrays and plain data; by default the start.

        It is stored with a result as it is, not copied.
        """
        return {"kind": self.name, **{f"initial_{name}": A for name, A in self.initial_arrays.items()}}

    def configuration(self) -> dict[str, Any]:
        """The flow in plain data, for a result's attributes."""
        return {"flow": self.name, "instances": self.instances}

    def instance_labels(self, size: int) -> Labels | None:
        """The instance to which each of the ``size`` components belongs; None where there is one or none is told.

        The arrays of :meth:`unpack` carry the instances on their leading axes, in one order.
        """
        instances = self.instances
        if instances == 1:
            return None
        labels = np.full(size, -1)
        for array in self.unpack(np.arange(size, dtype=np.float64)).values():
            if array.size % instances:
                return None
            labels[np.asarray(array, dtype=np.intp).reshape(instances, -1)] = np.arange(instances)[:, None]
        complete = np.array_equal(np.bincount(labels + 1), [0] + [size // instances] * instances)
        return labels if complete else None

    def component_name(self, index: int, size: int) -> str:
        """The name of a flat index, such as ``W[3, 1]``: where ``unpack`` puts the number ``index`` of 0 ... size-1.

        ``y[index]`` where ``unpack`` does more than rearrange.
        """
        for name, array in self.unpack(np.arange(size, dtype=np.float64)).items():
            places = np.argwhere(np.asarray(array) == index)
            if len(places) == 1:
                return f"{name}[{', '.join(map(str, places[0]))}]"
        return f"y[{index}]"


def stacked(rows: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """The named values of every row as arrays with the rows on the first axis."""
    if not isinstance(rows[0], Mapping):
        raise TypeError(f"observables: expected a mapping of names to arrays, got {shown(rows[0])}")
    return {name: np.stack([unmasked(name, row[name]) for row in rows]) for name in rows[0]}


def unmasked(name: str, value: Any) -> NDArray[Any]:
    """``value`` as an array; raises TypeError where that would lose a mask, or take a tensor out of its library."""
    if isinstance(value, np.ma.MaskedArray) or is_tensor(value):
        raise TypeError(f"{name}: expected a NumPy array without a mask, got {shown(value)}")
    return np.asarray(value)
