"""Everything one integration rests on, checked and decided once, before its first step."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Self

from numpy.typing import ArrayLike

from dynamics.arrays import Vector
from dynamics.ode.arguments import initial_state, output_times, time_span
from dynamics.ode.events import Event, bind_events
from dynamics.ode.flow import Coordinates, Flow, Integrable
from dynamics.ode.foreign import as_flow
from dynamics.ode.guards import GuardedField
from dynamics.ode.method_options import MethodOptions
from dynamics.ode.run_result import require_names_fit
from dynamics.ode.state import State
from dynamics.ode.steppers.method_choice import choose_method, method_by_tolerance
from dynamics.ode.steppers.methods import (
    EVALUATIONS_PER_STEP,
    METHODS,
    Method,
    method_named,
    refuse_oversized_jacobian,
    require_loss,
)
from dynamics.ode.tolerances import RTOL_FLOOR, Tolerances
from dynamics.validation import number, positive_int, shown

AS_ASKED = "as asked"
"""Why a method is taken that was named by the caller."""


@dataclass(frozen=True)
class Limits:
    """The budget of a run: its steps, its seconds, and the moment on ``time.monotonic()`` when these are over."""

    steps: int
    seconds: float | None
    deadline: float | None

    @classmethod
    def of(cls, max_steps: Any, max_seconds: Any) -> Self:
        """The budget, whose clock starts now; raises TypeError or ValueError."""
        seconds = None if max_seconds is None else number("max_seconds", max_seconds, positive=True)
        deadline = None if seconds is None else time.monotonic() + seconds
        return cls(positive_int("max_steps", max_steps), seconds, deadline)


@dataclass(frozen=True)
class InitialValueProblem:
    """What is integrated, from where to where: the flow, its checked start, the span, and how it is stepped."""

    flow: Flow
    y0: Vector
    t0: float
    t1: float
    coordinates: Coordinates

    @cached_property
    def start(self) -> State:
        """The start, as it is and as the method gets it."""
        return State.at_start(self.y0, self.coordinates)

    @property
    def direction(self) -> int:
        """1 forwards in time, -1 backwards."""
        return 1 if self.t1 >= self.t0 else -1


@dataclass(frozen=True)
class ChosenMethod:
    """The method of a run, why it was taken, the evaluations that the choice took, and the least ``rtol`` it gets."""

    name: str
    row: Method
    reason: str = AS_ASKED
    evaluations: int = 0
    least_rtol: float = 0.0


@dataclass(frozen=True)
class Plan:
    """One integration, from :meth:`of` on: nothing of it is checked, resolved or chosen again.

    ``times``: the wanted output times, None for every accepted step. ``events``: ready to be called, the limit on
    divergence among them.
    """

    problem: InitialValueProblem
    times: Vector | None
    method: ChosenMethod
    tolerances: Tolerances
    limits: Limits
    events: tuple[Event, ...]
    options: MethodOptions

    @classmethod
    def of(
        cls,
        flow: Integrable,
        t_span: Any,
        *,
        t_eval: ArrayLike | None,
        method: str | type[Any],
        rtol: Any,
        atol: Any,
        max_steps: Any,
        max_seconds: Any,
        events: Iterable[Any] | None,
        max_step: Any = math.inf,
        first_step: Any = None,
        deviations: Any = None,
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> Self:
        """The plan of the arguments of :func:`dynamics.ode.integrate.integrate`.

        ``method="auto"`` evaluates the flow, up to 52 times; nothing else here does.

        Raises:
            TypeError, ValueError: naming the argument, what was expected and what came.
        """
        t0, t1 = time_span(t_span)
        adapted = as_flow(flow)
        adapted = _in_best_coordinates(adapted, deviations, method, options)
        problem = InitialValueProblem(
            adapted, initial_state(adapted), t0, t1, _coordinates(adapted, method, options)
        )
        tolerances = Tolerances.of(adapted, problem.y0.size, rtol, atol)
        named = None if isinstance(method, str) and method == "auto" else _named(method, problem)
        times = output_times(t_eval, t0, t1)
        limits = Limits.of(max_steps, max_seconds)
        further = MethodOptions.of(max_step, first_step, options, t1 - t0, problem.y0.size)
        ready = bind_events(events, adapted, problem.y0)
        require_names_fit(adapted, t0, problem.y0)
        chosen = _chosen(problem, tolerances, limits) if named is None else named
        return cls(problem, times, chosen, tolerances, limits, tuple(ready), further)

    @property
    def solver_tolerances(self) -> tuple[float, float]:
        """``(rtol, atol)`` as the method gets them."""
        rtol, atol = self.tolerances.given_to(self.method.row)
        share = min(1.0, self.method.row.loosest_rtol / max(rtol, self.method.least_rtol))
        return share * max(rtol, self.method.least_rtol), share * atol

    def guarded_field(self) -> GuardedField:
        """The flow's right-hand side under this plan's limits."""
        size, row = self.problem.y0.size, self.method.row
        return GuardedField(
            self.problem.coordinates,
            size,
            shrinks=row.shrinks,
            cap=row.evaluation_cap(size),
            deadline=self.limits.deadline,
            nfev=self.method.evaluations,
        )

    def solver(self, field: GuardedField) -> Any:
        """The stepper at the start of the run."""
        problem, row = self.problem, self.method.row
        rtol, atol = self._tolerances_by_component()
        options = self.tolerances.options_for(row) | self.options.given_to(row, field)
        start = problem.start.stepped
        return row.solver(field, problem.t0, start, problem.t1, rtol=rtol, atol=atol, **options)

    def _tolerances_by_component(self) -> tuple[float, float | Vector]:
        """:attr:`solver_tolerances`, relative to the sizes that the flow tells of its components, where it does."""
        rtol, atol = self.solver_tolerances
        sizes = self.problem.flow.component_sizes
        return (rtol, atol) if sizes is None else (RTOL_FLOOR, atol + rtol * sizes)

    def settings(self) -> dict[str, Any]:
        """The plan in plain data, for a result's attributes."""
        rtol, atol = self.solver_tolerances
        return {
            "method": self.method.name,
            "method_reason": self.method.reason,
            "rtol": self.tolerances.rtol,
            "atol": self.tolerances.atol,
            "solver_rtol": rtol,
            "solver_atol": atol,
            "t_start": self.problem.t0,
            "t_end": self.problem.t1,
            "instances": self.tolerances.instances,
            "in_deviations": self.problem.flow.component_sizes is not None,
            "max_steps": self.limits.steps,
            "max_seconds": self.limits.seconds,
            **self.options.settings(),
        }


def _in_best_coordinates(flow: Flow, deviations: Any, method: Any, options: Mapping[str, Any]) -> Flow:
    """The flow in deviations from its solution where these are asked for, or cheap and not declined.

    A class or a Jacobian of the caller's needs the flow's own states.
    """
    if deviations is not None and not isinstance(deviations, bool):
        raise TypeError(f"deviations: expected True, False or None, got {shown(deviations)}")
    if deviations is False or (deviations is None and not flow.deviations_are_cheap):
        return flow
    found = flow.in_deviations() if isinstance(method, str) and not options else None
    if found is None:
        if deviations is None:
            return flow
        raise ValueError(
            "deviations: expected False, or a flow of W and V on spherical input, a method that goes by name and no"
            f" options of SciPy's methods, got True with {flow.name}"
        )
    return found


def _coordinates(flow: Flow, method: str | type[Any], options: Mapping[str, Any]) -> Coordinates:
    """Those in which the flow is cheaper, if any; a class or a Jacobian of the caller's sees the flow's own states."""
    cheaper = flow.cheaper_coordinates() if isinstance(method, str) and not options else None
    return Coordinates(flow) if cheaper is None else cheaper


def _named(method: str | type[Any], problem: InitialValueProblem) -> ChosenMethod:
    """The method that the caller named, where it can integrate the problem."""
    name, row = method_named(method)
    require_loss(name, row, problem.flow)
    refuse_oversized_jacobian(name, row, problem.y0.size)
    return ChosenMethod(name, row)


def _chosen(problem: InitialValueProblem, tolerances: Tolerances, limits: Limits) -> ChosenMethod:
    """The method that suits the field at the start best; see :func:`choose_method`.

    Judged on the flow as given, also where it is stepped in deviations: scaled, its fastest mode is no longer seen to
    decay at once, and it is as stiff.
    """
    given = problem.flow.as_given
    if given is problem.flow:
        coordinates, start = problem.coordinates, problem.start.stepped
    else:
        coordinates, start = Coordinates(given), given.initial_state()
    probe = GuardedField(
        coordinates, start.size, shrinks=True, cap=EVALUATIONS_PER_STEP, deadline=limits.deadline
    )
    rtol, _ = tolerances.given_to(METHODS[method_by_tolerance(tolerances.rtol)])
    whole_steps = problem.flow.explicit_step is not None
    choice = choose_method(probe, problem.t0, start, problem.t1, rtol, whole_steps=whole_steps)
    name, row = method_named(choice.name)
    return ChosenMethod(name, row, choice.reason, probe.nfev, choice.least_rtol)
