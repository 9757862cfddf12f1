"""The guarded step loop over SciPy's integrators: every run ends, and says how."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from numpy.typing import ArrayLike

from dynamics.ode.events import bind_events
from dynamics.ode.flow import Flow, Integrable
from dynamics.ode.foreign import as_flow
from dynamics.ode.guards import GuardedField
from dynamics.ode.progress import reporting
from dynamics.ode.run import Limits, Output, Run
from dynamics.ode.run_result import trajectory_of
from dynamics.ode.run_settings import (
    initial_state,
    instances_of,
    output_times,
    tolerances,
    validate_span,
)
from dynamics.ode.status import Status, Stop
from dynamics.ode.steppers.method_choice import choose
from dynamics.ode.steppers.methods import Method, refuse_oversized_jacobian, require_loss, resolve_method
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import number, positive_int


def integrate(
    flow: Integrable,
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

    ``flow``: a :class:`dynamics.ode.flow.Flow`, or any object with ``initial_state()`` and ``__call__(t, y)``.
    ``t_span = (t0, t1)`` may run backwards; of zero length it gives the initial state. Output times: ``t_eval``
    (strictly ordered in the direction of the run; dense output of the method), or every accepted step. A run that
    stops early has one more row, the state where it stopped.

    ``method``: ``"auto"`` (see :func:`dynamics.ode.steppers.method_choice.choose`: HeunDescent for a field that jumps
    at gates, a stabilised method for a stiff start, else DOP853 for rtol <= 1e-6 and RK45 above; the message and the
    attributes ``method``, ``method_reason`` say what was taken and why), a key of
    ``dynamics.ode.steppers.methods.METHODS`` or ``DESCENTS``, or a subclass of ``scipy.integrate.OdeSolver``.
    ``events``: see :mod:`dynamics.ode.events`; the limit on ``max |y|`` (1e12) is always on. ``max_steps``,
    ``max_seconds``: the run ends there with what it has; the clock is read at every evaluation. ``progress``: a bar
    on stderr where that is a terminal, or a callable of the fraction done.

    Accuracy of a stack of S instances (``flow.instances``): RK45, DOP853, RKC and ROCK4 control each instance by its
    own error norm, a root mean square over its components, and take the step that the worst one allows. Radau, BDF
    and foreign methods, or flows without ``unpack``, have one norm over the whole state, which may hide an
    instance by a factor sqrt(S): there ``rtol`` and ``atol`` are divided by sqrt(S) (``rtol`` kept above the methods'
    floor of 100 eps). LSODA's norm is a maximum and needs neither; HeunDescent holds every instance to its own loss
    (``rtol`` then is the square of the tolerance on a step's loss, see there).

    Renormalisation: states are never renormalised during a run. Flows on unit columns extend their field
    homogeneously off the sphere, so that a drift of the norms leaves directions untouched; the drift is an
    observable.

    Cost: LSODA, Radau and BDF build dense n x n Jacobians by n evaluations each, and hold 1, 12 and 6 such matrices;
    the other methods hold 20 to 35 states at the peak, an evaluation included, besides the output. Assumes a flow that
    returns from each evaluation, and, but for HeunDescent, a right-hand side smooth between output times.

    Raises ``ValueError`` or ``TypeError`` for bad arguments, infinite spans, ``rtol`` below 100 eps, ``converged``
    without its observable, and dense Jacobians that do not fit in memory. Anything that goes wrong later is a
    :class:`Trajectory` with ``success`` False whose ``status`` and ``message`` name the time, the worst component
    and a remedy; errors raised by the flow itself pass through.
    """
    t0, t1 = validate_span(t_span)
    flow = as_flow(flow)
    y0 = initial_state(flow)
    instances = instances_of(flow, y0.size)
    name, row = resolve_method(method, number("rtol", rtol))
    require_loss(name, row, flow)
    tolerance, options = _error_control(row, flow, y0.size, rtol, atol)
    refuse_oversized_jacobian(name, row, y0.size)
    output = Output(t0, y0, output_times(t_eval, t0, t1), 1 if t1 >= t0 else -1)
    seconds = None if max_seconds is None else number("max_seconds", max_seconds, positive=True)
    limits = Limits(positive_int("max_steps", max_steps), seconds)
    ready = bind_events(events, flow)
    settings = {
        "method": name,
        "method_reason": "as asked",
        "rtol": float(rtol),
        "atol": float(atol),
        "solver_rtol": tolerance[0],
        "solver_atol": tolerance[1],
        "t_start": t0,
        "t_end": t1,
        "instances": instances,
        "max_steps": limits.steps,
        "max_seconds": seconds,
    }
    # Made and thrown away: names and shapes that do not fit must show before the run, not after it.
    nothing = Stop(Status.FINISHED, "")
    trajectory_of(flow, [(t0, y0)], nothing, nfev=0, n_steps=0, events={}, settings=settings)
    cap = row.evaluation_cap(y0.size)
    guard = GuardedField(flow, y0.size, shrinks=row.shrinks, cap=cap, deadline=limits.deadline())
    if method == "auto":
        choice = choose(guard, t0, y0, t1, tolerance[0])
        _, row = resolve_method(choice.name, rtol)
        tolerance, options = _error_control(row, flow, y0.size, rtol, atol)
        settings |= {"method": choice.name, "method_reason": choice.reason}
        settings |= {"solver_rtol": tolerance[0], "solver_atol": tolerance[1]}
    run = Run(guard, row, tolerance, t1, limits, output, ready, options)
    with reporting(progress, t0, t1) as report:
        ending = run.until_the_end(report)
    if method == "auto":
        ending.detail += f" (auto took {choice.name}: {choice.reason})"
    counts = {"nfev": guard.nfev, "n_steps": run.n_steps}
    return trajectory_of(flow, output.rows, ending, **counts, events=run.hits, settings=settings)


def _error_control(
    row: Method, flow: Flow, n: int, rtol: float, atol: float
) -> tuple[tuple[float, float], dict[str, Any]]:
    """What the method gets so that no instance of a stack exceeds the tolerances: ``(rtol, atol)`` and options."""
    instances = instances_of(flow, n)
    labels = flow.instance_labels(n) if row.per_instance else None
    diluted = row.rms_norm and labels is None
    return tolerances(rtol, atol, instances if diluted else 1), {} if labels is None else {"labels": labels}
