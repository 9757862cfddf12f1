"""One guarded run of a stepper: the loop, the rows it keeps, and every way it can end."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, LinAlgWarning

from dynamics.arrays import Vector
from dynamics.memory import GIB, available_memory
from dynamics.ode.events import Event, Watch
from dynamics.ode.guards import GuardedField
from dynamics.ode.progress import Report
from dynamics.ode.status import Status, Stop
from dynamics.ode.steppers.methods import Method

Dense = Callable[[float], Vector]


@dataclass(frozen=True)
class Limits:
    """The budget of a run."""

    steps: int
    seconds: float | None

    def deadline(self) -> float | None:
        return None if self.seconds is None else time.monotonic() + self.seconds


class Output:
    """The rows kept of a run, and the last accepted point ``(t, y)``."""

    def __init__(self, t0: float, y0: Vector, wanted: Vector | None, direction: int) -> None:
        self.t, self.y = t0, y0
        self.wanted = wanted
        self.direction = direction
        self.next = 0
        self.rows: list[tuple[float, Vector]] = []
        # A quarter of what is free: the arrays made of the rows in the end take as much again, and the
        # observables about as much as that.
        self.capacity = max(int(available_memory() / 4 / (8 * y0.size)), 1)
        if wanted is not None and wanted.size > self.capacity:
            raise ValueError(
                f"t_eval: {wanted.size} times of {y0.size} components take "
                f"{8 * wanted.size * y0.size / GIB:.1f} GiB, more than a quarter of the available memory; "
                "ask for fewer times"
            )
        if wanted is None or wanted[0] == t0:
            self._keep(t0, y0)
            self.next = 1

    def _keep(self, t: float, y: Vector) -> None:
        if not np.isfinite(y).all():
            component = int(np.argmin(np.isfinite(y)))
            raise Stop(Status.NONFINITE, f"the state at t = {t:.6g} is not finite", component)
        if len(self.rows) >= self.capacity:
            raise Stop(Status.MEMORY_LIMIT, f"{len(self.rows)} states fill a quarter of the available memory")
        self.rows.append((t, y.copy()))

    def advance(self, t: float, y: Vector, dense: Dense) -> None:
        """Keep what is wanted up to the accepted point ``(t, y)``."""
        if self.wanted is None:
            self._keep(t, y)
        else:
            while self.next < self.wanted.size and self.direction * (t - self.wanted[self.next]) >= 0:
                at = float(self.wanted[self.next])
                self._keep(at, y if at == t else dense(at))  # a step is more accurate than its interpolant
                self.next += 1
        self.t, self.y = t, y

    def close(self) -> None:
        """Keep the point where the run stopped early."""
        if not self.rows or self.rows[-1][0] != self.t:
            self.rows.append((self.t, self.y.copy()))


class Interpolant:
    """The dense output of the last step, made when first asked for (DOP853 pays three evaluations)."""

    def __init__(self, solver: Any) -> None:
        self.solver = solver
        self.made: Callable[[float], Any] | None = None

    def __call__(self, t: float) -> Vector:
        if self.made is None:
            self.made = self.solver.dense_output()
        return np.asarray(self.made(t), dtype=np.float64)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of singular Newton matrices and of LSODA; the status of the run says it again."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=LinAlgWarning)
        warnings.filterwarnings("ignore", message="lsoda:")
        yield


@dataclass
class Run:
    """The step loop. ``tolerance``: (rtol, atol) as given to the method; ``options``: what else it is given;
    ``hits``: event times by name."""

    guard: GuardedField
    method: Method
    tolerance: tuple[float, float]
    t1: float
    limits: Limits
    output: Output
    events: list[Event]
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.n_steps = 0
        self.hits: dict[str, list[float]] = {}

    def until_the_end(self, report: Report) -> Stop:
        """Step until something ends the run; ``output`` then holds everything up to there."""
        try:
            with _quiet() if self.method.matrices else nullcontext(), np.errstate(all="ignore"):
                ending = self._loop(report)
        except Stop as stop:
            ending = stop
        if ending.status is not Status.FINISHED:
            self.output.close()
        if not ending.status.successful and ending.component is None:
            ending.component = self._fastest()
        return ending

    def _loop(self, report: Report) -> Stop:
        t0, y0 = self.output.t, self.output.y
        watch = Watch(self.events, t0, y0)
        event = watch.at_start()
        if event is not None:
            self.hits[event.name] = [t0]
            return self._ended_by(event, y0)
        if t0 == self.t1:
            return Stop(Status.FINISHED, "the time span has zero length")
        self.guard.start(t0, y0)
        rtol, atol = self.tolerance
        solver = self.method.solver(self.guard, t0, y0, self.t1, rtol=rtol, atol=atol, **self.options)
        while solver.status == "running":
            if self.n_steps >= self.limits.steps:
                return Stop(Status.STEP_LIMIT, f"{self.n_steps} steps taken")
            ending = self._step(solver, watch)
            report(self.output.t)
            if ending is not None:
                return ending
        return Stop(Status.FINISHED, "the end of the time span is reached")

    def _step(self, solver: Any, watch: Watch) -> Stop | None:
        self.guard.new_step()
        complaint = self._attempt(solver)
        t, y = float(solver.t), np.asarray(solver.y)
        if complaint is None and t == self.output.t:  # LSODA can report success without moving
            complaint = "the step does not advance the time"
        if complaint is not None:
            return self.guard.nonfinite or Stop(Status.STEP_TOO_SMALL, complaint)
        if not np.isfinite(y).all():
            component = int(np.argmin(np.isfinite(y)))
            return Stop(Status.NONFINITE, "the next state is not finite", component)
        self.n_steps += 1
        dense = Interpolant(solver)
        for hit in watch.advance(t, y, dense):
            self.hits.setdefault(hit.event.name, []).append(hit.t)
            if hit.event.terminal:
                self.output.advance(hit.t, hit.y, dense)
                return self._ended_by(hit.event, hit.y)
        self.output.advance(t, y, dense)
        return None

    def _attempt(self, solver: Any) -> str | None:
        """Take one step; what the method complains of, if it failed."""
        try:
            complaint = solver.step()
        except (ValueError, LinAlgError) as error:
            if error is self.guard.flow_error:
                raise
            return f"the method gave up: {error}"  # SciPy's linear algebra met a non-finite Jacobian
        return str(complaint).rstrip(".") if solver.status == "failed" else None

    def _ended_by(self, event: Event, y: Vector) -> Stop:
        diverged = event.status is Status.DIVERGED
        return Stop(event.status, f"event {event.name!r}", int(np.argmax(np.abs(y))) if diverged else None)

    def _fastest(self) -> int:
        """The component that changes most against its tolerance at the last accepted point."""
        rtol, atol = self.tolerance
        y = self.output.y
        with np.errstate(all="ignore"):  # inf and NaN count as largest
            return int(np.argmax(np.abs(self.guard.unchecked(self.output.t, y)) / (atol + rtol * np.abs(y))))
