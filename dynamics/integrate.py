"""The guarded step loop over SciPy's integrators: every run ends, and says how."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, LinAlgWarning

from dynamics.events import Watch, bind_events
from dynamics.guards import Flow, GuardedField, Stop, Vector
from dynamics.methods import Method, available_memory, refuse_oversized_jacobian, resolve_method
from dynamics.progress import Report, reporting
from dynamics.settings import (
    initial_state,
    instances_of,
    number,
    output_times,
    positive_int,
    tolerances,
    validate_span,
)
from dynamics.trajectory import Status, Trajectory


def integrate(
    flow: Flow,
    t_span: tuple[float, float],
    *,
    t_eval: ArrayLike | None = None,
    method: str | type[Any] = "auto",
    rtol: float = 1e-8,
    atol: float = 1e-10,
    max_steps: int = 100_000,
    max_seconds: float | None = None,
    events: Iterable[Any] | None = None,
    progress: bool | Callable[[float], None] = False,
) -> Trajectory:
    """Integrate ``dy/dt = flow(t, y)`` from ``flow.initial_state()`` over ``t_span``.

    ``flow``: see :class:`dynamics.guards.Flow`. ``t_span = (t0, t1)`` may run backwards; of zero length it gives
    the initial state. Output times: ``t_eval`` (strictly ordered in the direction of the run; dense output of
    the method), or every accepted step. A run that stops early has one more row, the state where it stopped.

    ``method``: ``"auto"`` (DOP853 for rtol <= 1e-6, else RK45), a key of ``dynamics.methods.METHODS``, or a
    subclass of ``scipy.integrate.OdeSolver``. ``events``: see :mod:`dynamics.events`; the limit on ``max |y|``
    (1e12) is always on. ``max_steps``, ``max_seconds``: the run ends there with what it has; the clock is read at
    every evaluation. ``progress``: a bar on stderr where that is a terminal, or a callable of the fraction done.

    Accuracy of a stack: SciPy's error norm is a root mean square over the whole state, so with S stacked
    instances (``flow.instances``) one instance may exceed the tolerance by sqrt(S). The method is therefore run
    with ``rtol/sqrt(S)`` and ``atol/sqrt(S)``, which bounds the error norm of each instance by what was asked for
    (max_i e_i <= sqrt(S) e); the divided ``rtol`` is kept above the methods' floor of 100 eps. LSODA's norm is a
    maximum and needs no division.

    Renormalisation: states are never renormalised during a run. Flows on unit columns extend their field
    homogeneously off the sphere, so that a drift of the norms leaves directions untouched; the drift is an
    observable.

    Cost: LSODA, Radau and BDF build dense n x n Jacobians by n evaluations each. Assumes a flow that returns from
    each evaluation, and a right-hand side smooth between output times.

    Raises ``ValueError`` or ``TypeError`` for bad arguments, infinite spans, ``rtol`` below 100 eps, ``converged``
    without its observable, and dense Jacobians that do not fit in memory. Anything that goes wrong later is a
    :class:`Trajectory` with ``success`` False whose ``status`` and ``message`` name the time, the worst component
    and a remedy; errors raised by the flow itself pass through.
    """
    t0, t1 = validate_span(t_span)
    y0 = initial_state(flow)
    instances = instances_of(flow, y0.size)
    name, row = resolve_method(method, number("rtol", rtol))
    solver_rtol, solver_atol = tolerances(rtol, atol, instances if row.rms_norm else 1)
    refuse_oversized_jacobian(name, row, y0.size)
    output = Output(t0, y0, output_times(t_eval, t0, t1), 1 if t1 >= t0 else -1)
    output.refuse_oversized()
    seconds = None if max_seconds is None else number("max_seconds", max_seconds, positive=True)
    limits = Limits(positive_int("max_steps", max_steps), seconds)
    guard = GuardedField(
        flow, y0.size, shrinks=row.shrinks, cap=row.evaluation_cap(y0.size), deadline=limits.deadline()
    )
    run = Run(guard, row, (solver_rtol, solver_atol), t1, limits, output, bind_events(events, flow))
    with reporting(progress, t0, t1) as report:
        ending = run.until_the_end(report)
    settings = {
        "method": name, "rtol": float(rtol), "atol": float(atol), "solver_rtol": solver_rtol,
        "solver_atol": solver_atol, "t_start": t0, "t_end": t1, "t_reached": output.t, "instances": instances,
        "max_steps": limits.steps, "max_seconds": seconds,
    }  # fmt: skip
    return assemble(flow, run, ending, settings)


@dataclass(frozen=True)
class Limits:
    """The budget of a run."""

    steps: int
    seconds: float | None

    def deadline(self) -> float | None:
        return None if self.seconds is None else time.monotonic() + self.seconds


class Output:
    """The rows kept of a run, and the last accepted point."""

    def __init__(self, t0: float, y0: Vector, wanted: Vector | None, direction: int) -> None:
        self.t, self.y = t0, y0
        self.wanted = wanted
        self.direction = direction
        self.next = 0
        self.times: list[float] = []
        self.rows: list[Vector] = []
        # Half of what is free, shared by the rows while they are collected and the arrays made of them.
        self.capacity = int(available_memory() / 4 / (8 * max(y0.size, 1)))
        if wanted is None or (wanted.size and wanted[0] == t0):
            self._keep(t0, y0)
            self.next = 1

    def refuse_oversized(self) -> None:
        if self.wanted is not None and self.wanted.size > self.capacity:
            gib = 8 * self.wanted.size * self.y.size / 2**30
            raise ValueError(
                f"t_eval: {self.wanted.size} times of {self.y.size} components take {gib:.1f} GiB, more than a "
                "quarter of the available memory; ask for fewer times"
            )

    def _keep(self, t: float, y: Vector) -> None:
        if not np.isfinite(y).all():
            component = int(np.argmin(np.isfinite(y)))
            raise Stop(Status.NONFINITE, f"the state at t = {t:.6g} is not finite", component)
        if len(self.times) >= self.capacity:
            raise Stop(
                Status.MEMORY_LIMIT, f"{len(self.times)} states fill a quarter of the available memory"
            )
        self.times.append(t)
        self.rows.append(y.copy())

    def advance(self, t: float, y: Vector, dense: Callable[[float], Vector]) -> None:
        """Keep what is wanted up to the accepted point ``(t, y)``."""
        if self.wanted is None:
            self._keep(t, y)
        else:
            while self.next < self.wanted.size and self.direction * (t - self.wanted[self.next]) >= 0:
                at = float(self.wanted[self.next])
                self._keep(
                    at, y if at == t else dense(at)
                )  # the step itself is more accurate than its interpolant
                self.next += 1
        self.t, self.y = t, y

    def close(self) -> None:
        """Keep the point where the run stopped early."""
        if not self.times or self.times[-1] != self.t:
            self.times.append(self.t)
            self.rows.append(self.y.copy())


class Run:
    """One run: the loop, and how each way out of it is told."""

    def __init__(
        self,
        guard: GuardedField,
        method: Method,
        tolerance: tuple[float, float],
        t1: float,
        limits: Limits,
        output: Output,
        events: list[Any],
    ) -> None:
        self.guard = guard
        self.method = method
        self.tolerance = tolerance
        self.t1 = t1
        self.limits = limits
        self.output = output
        self.events = events
        self.n_steps = 0
        self.hits: dict[str, list[float]] = {}

    def until_the_end(self, report: Report) -> Stop:
        """Step until something ends the run; the output then holds everything up to there."""
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                # Both are said again, with a remedy, by the status of the run.
                warnings.filterwarnings("ignore", category=LinAlgWarning)
                warnings.filterwarnings("ignore", message="lsoda:")
                ending = self._loop(report)
        except Stop as stop:
            ending = stop
        if ending.status is not Status.FINISHED:
            self.output.close()
        return ending

    def _loop(self, report: Report) -> Stop:
        t0, y0 = self.output.t, self.output.y
        watch = Watch(self.events, t0, y0)
        happened = watch.at_start(y0)
        if happened is not None:
            self.hits[happened.name] = [t0]
            return Stop(happened.status, f"{happened.name} at the start")
        if t0 == self.t1:
            return Stop(Status.FINISHED, "the time span has zero length")
        self.guard.start(t0, y0)
        rtol, atol = self.tolerance
        solver = self.method.solver(self.guard, t0, y0, self.t1, rtol=rtol, atol=atol)
        while solver.status == "running":
            if self.n_steps >= self.limits.steps:
                return Stop(Status.STEP_LIMIT, f"{self.n_steps} steps taken", self._fastest())
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
            return self.guard.nonfinite or Stop(Status.STEP_TOO_SMALL, complaint, self._fastest())
        if not np.isfinite(y).all():
            return Stop(Status.NONFINITE, "the next state is not finite", int(np.argmin(np.isfinite(y))))
        self.n_steps += 1
        dense = Interpolant(solver)
        for hit in watch.advance(t, y, dense):
            self.hits.setdefault(hit.event.name, []).append(hit.t)
            if hit.event.terminal:
                self.output.advance(hit.t, hit.y, dense)
                worst = int(np.argmax(np.abs(hit.y))) if hit.event.status is Status.DIVERGED else None
                return Stop(hit.event.status, f"{hit.event.name} at t = {hit.t:.6g}", worst)
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

    def _fastest(self) -> int:
        """The component that changes most against its tolerance at the last accepted point."""
        rtol, atol = self.tolerance
        y = self.output.y
        self.guard.in_step = 0
        rate = np.abs(self.guard(self.output.t, y)) / (atol + rtol * np.abs(y))
        return int(np.argmax(rate))


class Interpolant:
    """The dense output of the last step, made when it is first asked for (DOP853 pays three evaluations)."""

    def __init__(self, solver: Any) -> None:
        self.solver = solver
        self.made: Callable[[float], Any] | None = None

    def __call__(self, t: float) -> Vector:
        if self.made is None:
            self.made = self.solver.dense_output()
        return np.asarray(self.made(t), dtype=np.float64)


def assemble(flow: Flow, run: Run, ending: Stop, settings: dict[str, Any]) -> Trajectory:
    """The trajectory of a run that has ended."""
    output = run.output
    unpack: Any = getattr(flow, "unpack", None)
    observe: Any = getattr(flow, "observables", None)
    rows = output.rows
    with np.errstate(all="ignore"):
        state = stack([unpack(y) for y in rows]) if unpack else {"y": np.array(rows).reshape(len(rows), -1)}
        observables = stack([observe(y) for y in rows]) if observe else {}
    dimensions = dict(getattr(flow, "dimensions", {}) if unpack or observe else {})
    dimensions.setdefault("y", ("component",))
    configuration: Any = getattr(flow, "configuration", dict)
    names = {**state, **observables}
    return Trajectory(
        t=np.array(output.times),
        state=state,
        observables=observables,
        nfev=run.guard.nfev,
        n_steps=run.n_steps,
        status=ending.status,
        message=message(flow, ending, output),
        dimensions={name: dims for name, dims in dimensions.items() if name in names},
        attributes={"flow": type(flow).__name__, "configuration": configuration(), **settings},
        events={name: tuple(times) for name, times in run.hits.items()},
    )


def stack(rows: list[dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """One array per name with time as its first axis."""
    return {name: np.stack([np.asarray(row[name]) for row in rows]) for name in rows[0]} if rows else {}


def message(flow: Flow, ending: Stop, output: Output) -> str:
    """One line: the status, what happened, the time reached, the worst component and the remedy."""
    parts = [f"{ending.status}: {ending.detail}; t = {output.t!r} reached"]
    if ending.component is not None:
        index = ending.component
        parts.append(
            f"worst component {component_name(flow, index, output.y.size)} (there {output.y[index]:.6g})"
        )
    text = ", ".join(parts) + "."
    return f"{text} {ending.status.remedy}".rstrip()


def component_name(flow: Flow, index: int, n: int) -> str:
    """The name of a flat index, such as ``W[3, 1]``: where ``unpack`` puts the number ``index`` of 0 ... n-1."""
    unpack: Any = getattr(flow, "unpack", None)
    if unpack is not None:
        for name, array in unpack(np.arange(n, dtype=np.float64)).items():
            places = np.argwhere(np.asarray(array) == index)
            if len(places) == 1:
                return f"{name}[{', '.join(map(str, places[0]))}]"
    return f"y[{index}]"
