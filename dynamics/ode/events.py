"""Events along a run: what to watch for, and where on a step it happened."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq

from dynamics.arrays import Vector
from dynamics.ode.flow import Flow
from dynamics.ode.state import State
from dynamics.ode.status import Status, Stop
from dynamics.validation import integer, number, one_of, real_numbers, shown, takes

DIVERGENCE_LIMIT = 1e12
"""Default limit on max|y|: a cubic field is still finite there (1e36), while quantities of order one are below rounding
next to the state's squares (1e24)."""

DIVERGED = "diverged"
"""Name of the event that replaces the default limit."""


@dataclass(frozen=True)
class Event:
    """A zero crossing of ``function(t, y)`` along the run.

    Two crossings within one step cancel and are not seen. A value of zero at the very start is no crossing.

    Args:
        name: under which the result keeps the times.
        function: of the time and the flat state; continuous, a number.
        terminal: which occurrence ends the run, with ``status``: True the first, 3 the third, False none (SciPy's
            words).
        direction: above 0 for upward crossings only, below 0 for downward ones only, 0 for both.
        status: of a run that the event ends.
        at_start: whether the event also counts where it has happened by the start (``direction * value >= 0``).
        of_stepped: whether the function takes the state in the method's coordinates
            (:class:`dynamics.ode.flow.Coordinates`): for a limit in which a constant factor does not matter.
    Raises:
        TypeError, ValueError: naming the field.
    Cost: one call of ``function`` a step, and those of a root search where it crosses; two states of memory, and one
        for each occurrence.
    """

    name: str
    function: Callable[[float, Vector], Any]
    terminal: bool | int = True
    direction: float = 0
    status: Status = Status.EVENT
    at_start: bool = False
    of_stepped: bool = False

    def at(self, t: float, state: State) -> float:
        """The event's value in a state of a run."""
        return self(t, state.stepped if self.of_stepped else state.y)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise TypeError(f"name: expected a text that is not empty, got {shown(self.name)}")
        if not takes(self.function, 2):
            raise TypeError(f"function: expected a callable (t, y) -> float, got {shown(self.function)}")
        object.__setattr__(self, "terminal", _occurrences("terminal", self.terminal))
        number("direction", self.direction)
        one_of("status", self.status, list(Status))
        object.__setattr__(self, "status", Status(self.status))
        if not isinstance(self.at_start, bool | np.bool_):
            raise TypeError(f"at_start: expected True or False, got {shown(self.at_start)}")

    def __call__(self, t: float, y: Vector) -> float:
        with np.errstate(all="ignore"):  # a non-finite value is reported below
            raw = self.function(t, y.copy())  # what the function does to its argument stays its own
        value = real_numbers(f"events: event {self.name!r}(t, y)", raw)
        if value.ndim:
            raise TypeError(f"events: event {self.name!r}(t, y): expected a number, got {shown(raw)}")
        if np.isnan(value):
            raise Stop(Status.NONFINITE, f"event {self.name!r} has no value at t = {t:.6g}")
        return float(value)

    def crossed(self, before: float, after: float) -> bool:
        """Whether values before and after a step are those of a crossing in the wanted direction."""
        upward = before < 0 <= after and self.direction >= 0
        downward = before > 0 >= after and self.direction <= 0
        return upward or downward

    def ends(self, occurrences: int) -> bool:
        """Whether the run ends when the event has occurred so often."""
        return bool(self.terminal) and occurrences >= self.terminal


def _occurrences(name: str, terminal: Any) -> bool | int:
    """``terminal`` in SciPy's words: a truth value or a count; None and 0 are False."""
    if terminal is None or isinstance(terminal, bool | np.bool_):
        return bool(terminal)
    count = terminal
    if isinstance(count, float | np.floating) and float(count).is_integer():
        count = int(count)  # SciPy takes 3.0 too
    return integer(name, count, least=0) or False


@dataclass(frozen=True)
class Converged:
    """Recipe of the event that an observable has fallen to ``threshold`` everywhere; see :func:`converged`."""

    threshold: float
    observable: str

    def bind(self, flow: Flow, y0: Vector) -> Event:
        """The event for one flow that starts at ``y0``; ``ValueError`` where the flow lacks the observable."""
        known = list(flow.observables(y0.copy()))
        if self.observable not in known:
            raise ValueError(
                f"events: converged: expected an observable of {flow.name}, got {shown(self.observable)}; "
                f"{flow.name} has {', '.join(known) if known else 'no observables'}"
            )

        def above(t: float, y: Vector) -> float:
            return flow.short_of(self.observable, self.threshold, flow.observables(y))

        return Event("converged", above, direction=-1, status=Status.CONVERGED, at_start=True)


def converged(threshold: float, observable: str = "sin_theta") -> Converged:
    """Terminal event: ``max |observable| <= threshold`` over every component of every instance.

    By ``sin_theta`` a two-layer flow has converged only at the solution: with every student on its teacher's side, not
    opposite to it, and with a loss no larger than such angles account for, fan-outs included
    (:meth:`dynamics.two_layer.two_layer_dynamics.TwoLayerDynamics.short_of`). Any other observable is taken as it is.

    Args:
        threshold: > 0, in the units of the observable. The run has to resolve it: ``atol`` well below it, in the units
            of the state.
        observable: its name in ``flow.observables(y)``.
    Raises:
        ValueError, TypeError: a threshold that is not positive.
    Cost: the observables of one state a step.
    """
    if not isinstance(observable, str):
        raise TypeError(f"observable: expected the name of an observable, got {shown(observable)}")
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


def bind_events(events: Any, flow: Flow, y0: Vector) -> list[Event]:
    """Every event made ready for ``flow`` from ``y0``, with the default divergence limit unless one is given.

    Accepted: :class:`Event`, :func:`converged`, :func:`diverged`, and any callable ``(t, y) -> float`` in SciPy's
    words: without an attribute ``terminal`` it does not end the run, with ``terminal = 3`` at its third occurrence, and
    ``direction`` picks upward or downward crossings. Such a callable is named after its function; where the name is
    taken, with a number behind it, as a second ``converged`` is.

    Raises:
        TypeError: anything else.
        ValueError: two :class:`Event` of one name, or ``converged`` without its observable.
    """
    given = _as_list(events)
    bound = [_bind(event, flow, y0) for event in given]
    own = [event.name for event, raw in zip(bound, given, strict=True) if event is raw]
    twice = sorted({name for name in own if own.count(name) > 1})
    if twice:
        raise ValueError(f"events: expected a name of its own for each event, got {twice} twice")
    limited = any(event.name == DIVERGED for event in given if isinstance(event, Event))
    taken = {*own, DIVERGED}
    for index, (event, raw) in enumerate(zip(bound, given, strict=True)):
        if raw is not event:
            bound[index] = replace(event, name=_free_name(event.name, taken))
            taken.add(bound[index].name)
    if not limited:
        given, bound = [*given, None], [*bound, _diverged(DIVERGENCE_LIMIT, of_stepped=True)]
    return _told(flow, given, bound)


def _free_name(name: str, taken: set[str]) -> str:
    """``name``, or where that is taken the first of ``name 2``, ``name 3`` ... that is not."""
    numbered = (f"{name} {count}" for count in itertools.count(2))
    return name if name not in taken else next(free for free in numbered if free not in taken)


def _told(flow: Flow, given: list[Any], bound: list[Event]) -> list[Event]:
    """The events with the state as the caller knows it; those that ask the flow for an observable as they are."""
    if type(flow).told is Flow.told:
        return bound
    return [
        event if isinstance(original, Converged) else replace(event, function=_of_told(flow, event.function))
        for original, event in zip(given, bound, strict=True)
    ]


def _of_told(flow: Flow, function: Callable[[float, Vector], Any]) -> Callable[[float, Vector], Any]:
    return lambda t, y: function(t, flow.told(y))


def _as_list(events: Any) -> list[Any]:
    if events is None:
        return []
    if not isinstance(events, Iterable) or callable(events):
        return [events]
    try:
        return list(events)
    except TypeError:  # an array or a tensor without axes says that it can be iterated over
        raise TypeError(f"events: expected a list of events, got {shown(events)}") from None


def _bind(event: Any, flow: Flow, y0: Vector) -> Event:
    if isinstance(event, Converged):
        return event.bind(flow, y0)
    if isinstance(event, Event):
        return event
    if not callable(event) or isinstance(event, type):
        raise TypeError(f"events: expected callables (t, y) -> float, got {shown(event)}")
    name = getattr(event, "name", None) or getattr(event, "__name__", None)
    try:
        return Event(
            name if isinstance(name, str) else type(event).__name__,
            event,
            getattr(event, "terminal", False),
            getattr(event, "direction", 0),
        )
    except (TypeError, ValueError) as error:
        raise type(error)(f"events: {error}") from None


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
