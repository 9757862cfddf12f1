"""Events along a run: what to watch for, and where on a step it happened."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import brentq

from dynamics.arrays import Vector
from dynamics.ode.flow import Flow
from dynamics.ode.state import State
from dynamics.ode.status import Status, Stop
from dynamics.validation import number

DIVERGENCE_LIMIT = 1e12
"""Default limit on max|y|: a cubic field is still finite there (1e36), while quantities of order one are below rounding
next to the state's squares (1e24)."""

DIVERGED = "diverged"
"""Name of the event that replaces the default limit."""


@dataclass(frozen=True)
class Event:
    """A zero crossing of ``function(t, y)`` along the run.

    Two crossings within one step cancel and are not seen.

    Args:
        name: under which the result keeps the times.
        function: of the time and the flat state; continuous, a number.
        terminal: whether the event ends the run, with ``status``.
        direction: +1 for upward crossings only, -1 for downward ones only, 0 for both.
        status: of a run that the event ends.
        at_start: whether the event also counts where it has happened by the start (``direction * value >= 0``).
        of_stepped: whether the function takes the state in the method's coordinates
            (:class:`dynamics.ode.flow.Coordinates`): for a limit in which a constant factor does not matter.
    Cost: one call of ``function`` a step, and those of a root search where it crosses; one state of memory.
    """

    name: str
    function: Callable[[float, Vector], Any]
    terminal: bool = True
    direction: int = 0
    status: Status = Status.EVENT
    at_start: bool = False
    of_stepped: bool = False

    def at(self, t: float, state: State) -> float:
        """The event's value in a state of a run."""
        return self(t, state.stepped if self.of_stepped else state.y)

    def __call__(self, t: float, y: Vector) -> float:
        with np.errstate(all="ignore"):  # a non-finite value is reported below
            value = float(self.function(t, y))
        if math.isnan(value):
            raise Stop(Status.NONFINITE, f"event {self.name!r} has no value at t = {t:.6g}")
        return value

    def crossed(self, before: float, after: float) -> bool:
        """Whether values before and after a step are those of a crossing in the wanted direction."""
        upward = before < 0 <= after and self.direction >= 0
        downward = before > 0 >= after and self.direction <= 0
        return upward or downward


@dataclass(frozen=True)
class Converged:
    """Recipe of the event that an observable has fallen to ``threshold`` everywhere; see :func:`converged`."""

    threshold: float
    observable: str

    def bind(self, flow: Flow, y0: Vector) -> Event:
        """The event for one flow that starts at ``y0``; ``ValueError`` where the flow lacks the observable."""
        known = list(flow.observables(y0))
        if self.observable not in known:
            raise ValueError(
                f"events: converged needs the observable {self.observable!r}, and {flow.name} has "
                f"{', '.join(known) if known else 'no observables'}"
            )

        def above(t: float, y: Vector) -> float:
            return float(np.max(np.abs(flow.observables(y)[self.observable]))) - self.threshold

        return Event("converged", above, direction=-1, status=Status.CONVERGED, at_start=True)


def converged(threshold: float, observable: str = "sin_theta") -> Converged:
    """Terminal event: ``max |observable| <= threshold`` over every component of every instance.

    Args:
        threshold: in the units of the observable. The run has to resolve it: ``atol`` well below it, in the units of
            the state.
        observable: its name in ``flow.observables(y)``.
    Raises:
        ValueError, TypeError: a threshold that is not positive.
    Cost: the observables of one state a step.
    """
    return Converged(number("threshold", threshold, positive=True), observable)


def diverged(limit: float = DIVERGENCE_LIMIT) -> Event:
    """Terminal event: ``max |y| >= limit``, in place of the default limit (:data:`DIVERGENCE_LIMIT`) of every run.

    Raises:
        ValueError, TypeError: a limit that is not positive.
    """
    return _diverged(limit, of_stepped=False)


def _diverged(limit: float, *, of_stepped: bool) -> Event:
    bound = number("limit", limit, positive=True)

    def above(t: float, y: Vector) -> float:
        return float(np.max(np.abs(y), initial=0.0)) - bound

    return Event(DIVERGED, above, direction=1, status=Status.DIVERGED, at_start=True, of_stepped=of_stepped)


def bind_events(events: Iterable[Any] | None, flow: Flow, y0: Vector) -> list[Event]:
    """Every event made ready for ``flow`` from ``y0``, with the default divergence limit unless one is given.

    Accepted: :class:`Event`, :func:`converged`, :func:`diverged`, and any callable ``(t, y) -> float`` with a
    ``name`` (or ``__name__``) and optionally ``terminal`` and ``direction``.
    """
    bound = [_bind(event, flow, y0) for event in _as_list(events)]
    if not any(event.name == DIVERGED for event in bound):
        bound.append(_diverged(DIVERGENCE_LIMIT, of_stepped=True))
    return bound


def _as_list(events: Any) -> list[Any]:
    if events is None:
        return []
    return list(events) if isinstance(events, Iterable) else [events]


def _bind(event: Any, flow: Flow, y0: Vector) -> Event:
    if isinstance(event, Converged):
        return event.bind(flow, y0)
    if isinstance(event, Event):
        return event
    name = getattr(event, "name", None) or getattr(event, "__name__", None)
    if not callable(event) or not isinstance(name, str):
        raise TypeError(f"events: expected callables (t, y) -> float with a name, got {event!r}")
    direction = int(np.sign(getattr(event, "direction", 0)))
    return Event(name, event, bool(getattr(event, "terminal", True)), direction)


@dataclass(frozen=True)
class EventHit:
    """An event at its time, with the state there."""

    t: float
    state: State
    event: Event


class EventWatch:
    """Keeps each event's last value and finds the crossings of the next step."""

    def __init__(self, events: Sequence[Event], t: float, state: State) -> None:
        self.events = events
        self.values = [event.at(t, state) for event in events]
        self.t = t

    def at_start(self) -> Event | None:
        """The first event that has happened already, if any."""
        for event, value in zip(self.events, self.values, strict=True):
            if event.at_start and event.direction * value >= 0:
                return event
        return None

    def advance(self, t: float, state: State, dense: Callable[[float], State]) -> list[EventHit]:
        """Crossings between the last time and ``t`` in order of occurrence."""
        values = [event.at(t, state) for event in self.events]
        hits = []
        for event, before, after in zip(self.events, self.values, values, strict=True):
            if event.crossed(before, after):
                time = _locate(event, (self.t, before), (t, after), dense)
                hits.append(EventHit(time, state if time == t else dense(time), event))
        hits.sort(key=lambda hit: abs(hit.t - self.t))
        self.t, self.values = t, values
        return hits


def _locate(
    event: Event, start: tuple[float, float], end: tuple[float, float], dense: Callable[[float], State]
) -> float:
    """The crossing time, on the far side: there the event's value has the sign it has after the crossing."""
    (t_start, before), (t_end, after) = start, end
    known = {t_start: before, t_end: after}  # the interpolant may miss the end values by rounding

    def value(t: float) -> float:
        return known[t] if t in known else event.at(t, dense(t))

    if after == 0:
        return t_end
    xtol = 4 * np.spacing(max(abs(t_start), abs(t_end)))
    # At worst brentq takes the square of bisection's 52 halvings.
    root = float(brentq(value, t_start, t_end, xtol=xtol, maxiter=52**2))
    stride = math.copysign(float(np.spacing(abs(root))), t_end - t_start)
    while abs(root - t_start) < abs(t_end - t_start) and value(root) * after < 0:
        root, stride = root + stride, 2 * stride
    return root if abs(root - t_start) < abs(t_end - t_start) else t_end
