"""One guarded run of a stepper: the step loop, and every way it can end."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, LinAlgWarning

from dynamics.ode.event_record import EventRecord
from dynamics.ode.events import Event, EventWatch
from dynamics.ode.flow import Coordinates
from dynamics.ode.output_rows import OutputRows
from dynamics.ode.plan import AS_ASKED, Plan
from dynamics.ode.progress import Report
from dynamics.ode.run_result import trajectory_of
from dynamics.ode.state import State
from dynamics.ode.status import Status, Stop
from dynamics.ode.trajectory import Trajectory


class _DenseOutput:
    """The dense output of the last step, made when first asked for (DOP853 pays three evaluations)."""

    def __init__(self, solver: Any, coordinates: Coordinates) -> None:
        self._solver, self._coordinates = solver, coordinates
        self._made: Callable[[float], Any] | None = None

    def __call__(self, t: float) -> State:
        if self._made is None:
            self._made = self._solver.dense_output()
        return State(np.asarray(self._made(t), dtype=np.float64), self._coordinates)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of singular Newton matrices and of LSODA; the status of the run says it again."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=LinAlgWarning)
        warnings.filterwarnings("ignore", message="lsoda:")
        yield


class Run:
    """A plan on its way: the rows so far, the steps taken, and the times of events by name."""

    def __init__(self, plan: Plan) -> None:
        problem = plan.problem
        self._plan = plan
        self._field = plan.guarded_field()
        self._output = OutputRows(problem.t0, problem.start, plan.times, problem.direction)
        self._n_steps = 0
        self._events = EventRecord(self._output.capacity)

    def until_the_end(self, report: Report) -> Trajectory:
        """Step until something ends the run; the result holds everything up to there."""
        matrices = self._plan.method.row.matrices
        try:
            with _quiet() if matrices else nullcontext(), np.errstate(all="ignore"):
                ending = self._loop(report)
        except Stop as stop:
            ending = stop
        if ending.status is not Status.FINISHED:
            self._output.close()
        if not ending.status.successful and ending.component is None:
            ending.component = self._fastest()
        return self._trajectory(ending)

    def _loop(self, report: Report) -> Stop:
        plan, problem = self._plan, self._plan.problem
        watch = EventWatch(plan.events, problem.t0, problem.start)
        event = watch.at_start()
        if event is not None:
            self._events.add(event, problem.t0, problem.y0)
            return self._ended_by(event, problem.start)
        if problem.t0 == problem.t1:
            return Stop(Status.FINISHED, "the time span has zero length")
        self._field.start(problem.t0, problem.start.stepped)
        solver = plan.solver(self._field)
        while solver.status == "running":
            if self._n_steps >= plan.limits.steps:
                return Stop(Status.STEP_LIMIT, f"{self._n_steps} steps taken")
            ending = self._step(solver, watch)
            report(self._output.t)
            if ending is not None:
                return ending
        return Stop(Status.FINISHED, "the end of the time span is reached")

    def _step(self, solver: Any, watch: EventWatch) -> Stop | None:
        """One step with its events and output; how the run ends, if it does."""
        self._field.new_step()
        complaint = self._attempt(solver)
        coordinates = self._plan.problem.coordinates
        t, state = float(solver.t), State(np.asarray(solver.y), coordinates)
        if complaint is None and t == self._output.t:  # LSODA can report success without moving
            complaint = "the step does not advance the time"
        if complaint is not None:
            return self._field.nonfinite or Stop(Status.STEP_TOO_SMALL, complaint)
        if not np.isfinite(state.stepped).all():
            component = int(np.argmin(np.isfinite(state.y)))
            return Stop(Status.NONFINITE, "the next state is not finite", component)
        self._n_steps += 1
        within_step = _DenseOutput(solver, coordinates)
        for hit in watch.advance(t, state, within_step):
            if self._events.add(hit.event, hit.t, hit.state.y):
                self._output.advance(hit.t, hit.state, within_step)
                return self._ended_by(hit.event, hit.state)
        self._output.advance(t, state, within_step)
        return None

    def _attempt(self, solver: Any) -> str | None:
        """Take one step; what the method complains of, if it failed."""
        try:
            complaint = solver.step()
        except (ValueError, LinAlgError) as error:
            if error is self._field.flow_error:
                raise
            return f"the method gave up: {error}"  # SciPy's linear algebra met a non-finite Jacobian
        return str(complaint).rstrip(".") if solver.status == "failed" else None

    def _ended_by(self, event: Event, state: State) -> Stop:
        diverged = event.status is Status.DIVERGED
        component = int(np.argmax(np.abs(state.y))) if diverged else None
        return Stop(event.status, f"event {event.name!r}", component)

    def _fastest(self) -> int:
        """The component that changes most against its tolerance at the last accepted point."""
        rtol, atol = self._plan.solver_tolerances
        t, state = self._output.t, self._output.state
        with np.errstate(all="ignore"):  # inf and NaN count as largest
            slope = self._plan.problem.coordinates.back(self._field.unchecked(t, state.stepped))
            return int(np.argmax(np.abs(slope) / (atol + rtol * np.abs(state.y))))

    def _trajectory(self, ending: Stop) -> Trajectory:
        plan, method = self._plan, self._plan.method
        if method.reason != AS_ASKED:
            ending.detail += f" (auto took {method.name}: {method.reason})"
        return trajectory_of(
            plan.problem.flow,
            self._output.rows,
            ending,
            nfev=self._field.nfev,
            n_steps=self._n_steps,
            events=self._events,
            settings=plan.settings(),
        )
