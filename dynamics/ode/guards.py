"""The guarded right-hand side: finiteness, wall clock and evaluation caps, checked at every evaluation."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from dynamics.arrays import Vector
from dynamics.ode.flow import Coordinates
from dynamics.ode.status import Status, Stop
from dynamics.validation import real_numbers, shown


def field_from(raw: Any, shape: tuple[int, ...]) -> Vector:
    """What a flow gave for its field, in an array of its own: the flow may fill the same one the next time.

    Raises:
        ValueError, TypeError: naming the flow, where it is not real numbers of that ``shape``.
    """
    field = real_numbers("flow(t, y)", raw)
    if field.shape != shape:
        raise ValueError(f"flow(t, y): expected shape {shape}, got {field.shape}")
    return field.copy()


class GuardedField:
    """The flow's right-hand side, counted and checked. Call it under ``np.errstate(all="ignore")``.

    The wall clock and the number of evaluations since :meth:`new_step` are checked at every call, so that no step runs
    on for ever unless the flow does not return. A non-finite trial state never reaches the flow.

    Args:
        coordinates: of the flow that is evaluated; components are named by the place they have when mapped back.
        n: components of its state.
        shrinks: whether a non-finite result is passed on as NaN, for a method that answers it by a smaller step; it
            ends the run otherwise.
        cap: evaluations that one step may take.
        deadline: when the run must end, on ``time.monotonic()``; None for no limit.
        nfev: evaluations before, which count.
    """

    def __init__(
        self,
        coordinates: Coordinates,
        n: int,
        *,
        shrinks: bool,
        cap: int,
        deadline: float | None,
        nfev: int = 0,
    ) -> None:
        self.flow = coordinates.flow
        self._back = coordinates.back
        self.n = n
        self.shrinks = shrinks
        self.cap = cap
        self.deadline = deadline
        self.nfev = nfev
        self.in_step = 0
        self.nonfinite: Stop | None = None
        self.flow_error: BaseException | None = None

    def new_step(self) -> None:
        """Start counting for the next step."""
        self.in_step = 0
        self.nonfinite = None
        self.check_clock()

    def check_clock(self) -> None:
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise Stop(Status.TIME_LIMIT, "the wall-clock budget is used up")

    def start(self, t: float, y: Vector) -> None:
        """Evaluate at the initial point, where nothing but a finite value will do."""
        self(t, y)
        if self.nonfinite is not None:
            raise self.nonfinite

    def __call__(self, t: float, y: Vector) -> Vector:
        return self._guarded(t, y, self.unchecked)

    def with_loss(self, t: float, y: Vector) -> tuple[Vector, Vector, Vector]:
        """``(dy/dt, J, dJ/dt)`` of a flow that tells its loss: one evaluation, guarded like any other.

        The losses are NaN where the evaluation is refused; they are not checked otherwise.
        """
        told: list[Vector] = [np.array(np.nan), np.array(np.nan)]

        def field(t: float, y: Vector) -> Vector:
            f, *told[:] = self._told(self.raised(self.flow.with_loss, t, y))
            return self._shaped(f)

        return self._guarded(t, y, field), told[0], told[1]

    @property
    def makes_steps(self) -> bool:
        """Whether the flow makes explicit steps by itself, for :meth:`step`."""
        return self.flow.explicit_step is not None

    def step(self, t: float, y: Vector, h: float, A: Vector, B: Vector, K: Vector) -> Vector:
        """The state after an explicit step that the flow makes by itself, see ``ExplicitStep``; guarded as a whole.

        Where a stage is not finite all of it is NaN, and :attr:`nonfinite` says which came first.
        """
        step = self.flow.explicit_step
        assert step is not None
        self._count(len(B))
        y = np.asarray(self.raised(lambda t, y: step(y, h, A, B, K), t, y))
        if _finite(K.reshape(-1)) and _finite(y):
            return y
        first = next((stage for stage in K if not _finite(stage)), y)
        K[...] = np.nan
        return self._report(first, f"the right-hand side in a step from t = {t:.6g} is not finite")

    def _told(self, raw: Any) -> tuple[Any, Vector, Vector]:
        """The three parts of what ``with_loss`` gave; the losses as arrays of real numbers."""
        try:
            if not isinstance(raw, tuple | list) or len(raw) != 3:
                raise TypeError(f"flow.with_loss(t, y): expected (dy/dt, J, dJ/dt), got {shown(raw)}")
            f, loss, slope = raw
            # copies: the flow may tell its losses in the same arrays the next time
            return (
                f,
                real_numbers("flow.with_loss(t, y)[1]", loss).copy(),
                real_numbers("flow.with_loss(t, y)[2]", slope).copy(),
            )
        except (TypeError, ValueError) as error:
            self.flow_error = error
            raise

    def _guarded(self, t: float, y: Vector, field: Callable[[float, Vector], Vector]) -> Vector:
        self._count(1)
        if not np.isfinite(t):
            raise Stop(Status.STEP_TOO_SMALL, "the method asked for a non-finite time")
        if not _finite(y):
            # Mostly the echo of a non-finite evaluation earlier in the step, which is the better report.
            return self._report(y, f"the trial state at t = {t:.6g} is not finite", self.nonfinite)
        f = field(t, y)
        if not _finite(f):
            return self._report(f, f"the right-hand side at t = {t:.6g} is not finite")
        return f

    def _count(self, evaluations: int) -> None:
        """Count evaluations that are about to be made, and look at the limits."""
        self.nfev += evaluations
        self.in_step += evaluations
        self.check_clock()
        if self.in_step > self.cap:
            raise self.nonfinite or Stop(
                Status.EVALUATION_LIMIT, f"{self.cap} evaluations did not complete one step"
            )

    def unchecked(self, t: float, y: Vector) -> Vector:
        """One plain evaluation, uncounted: neither limits nor finiteness are looked at."""
        return self._shaped(self.raised(self.flow, t, y))

    def raised(self, function: Callable[[float, Vector], Any], t: float, y: Vector) -> Any:
        """The flow's own errors are kept apart from the method's, and what it does to its argument stays its own."""
        try:
            return function(t, y.copy())
        except BaseException as error:
            self.flow_error = error
            raise

    def _shaped(self, raw: Any) -> Vector:
        try:
            return field_from(raw, (self.n,))
        except (TypeError, ValueError) as error:
            self.flow_error = error
            raise

    def _report(self, values: Vector, detail: str, earlier: Stop | None = None) -> Vector:
        stop = earlier or Stop(Status.NONFINITE, detail, int(np.argmin(np.isfinite(self._back(values)))))
        if not self.shrinks:
            raise stop
        self.nonfinite = stop
        return np.full(self.n, np.nan)


# Beyond, OpenBLAS deals a product of vectors to threads, and waits for them where other work has their cores: measured
# at 3 ms for one of 10 microseconds.
_ONE_THREAD = 8192


def _finite(v: Vector) -> bool:
    """Whether all components are finite: for short vectors by the sum of squares, where that is finite."""
    return (v.size <= _ONE_THREAD and math.isfinite(np.dot(v, v))) or bool(np.isfinite(v).all())
