"""Integration of flows: every run ends, and says how."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from numpy.typing import ArrayLike

from dynamics.ode.flow import Integrable
from dynamics.ode.plan import Plan
from dynamics.ode.progress import reporting
from dynamics.ode.run import Run
from dynamics.ode.trajectory import Trajectory


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
    max_step: float = math.inf,
    first_step: float | None = None,
    deviations: bool | None = None,
    progress: bool | Callable[[float], None] = False,
    **options: Any,
) -> Trajectory:
    """Integrate ``dy/dt = flow(t, y)`` from ``flow.initial_state()`` over ``t_span``.

    Renormalisation: states are never renormalised during a run. A flow that lives on a surface extends its field off
    it, so that the drift of an integrator does no harm; the drift is best made an observable.

    Coordinates: where the flow offers cheaper ones (:meth:`dynamics.ode.flow.Flow.cheaper_coordinates`), a method that
    goes by name takes its steps there, tolerances included; all that comes out or is called back is in the flow's own.

    Accuracy of a stack of S instances (``flow.instances``): RK45, DOP853 and ROCK4 hold each instance to its own
    error norm, a root mean square over its components, and take the step that the worst one allows. CVODE, Radau, BDF
    and foreign methods, or flows without ``unpack``, have one norm over the whole state, in which one instance may be
    off by a factor sqrt(S) unseen: there ``rtol`` and ``atol`` are divided by sqrt(S) (``rtol`` kept above the methods'
    floor of 100 eps). LSODA's norm is a maximum and needs neither. HeunDescent holds every instance to its own loss;
    ``rtol`` is then the square of the tolerance on the loss over a step.

    Args:
        flow: a :class:`dynamics.ode.flow.Flow`, or any object with ``initial_state()`` and ``__call__(t, y)``. It must
            return from each evaluation, and be smooth between output times unless HeunDescent is taken.
        t_span: ``(t0, t1)``, in the flow's units of time. It may run backwards; of zero length it gives the start.
        t_eval: output times, strictly ordered in the direction of the run (dense output of the method); every accepted
            step by default. A run that stops early has one more row, the state where it stopped.
        method: ``"auto"`` (:func:`dynamics.ode.steppers.method_choice.choose_method`: HeunDescent for a field that
            jumps and tells its loss, CVODE for a stiff start, else DOP853 for rtol <= 1e-6 and RK45 above; the message
            and the attributes ``method``, ``method_reason`` say what was taken and why), a key of
            :data:`dynamics.ode.steppers.methods.METHODS` or ``LOSS_CONTROLLED``, or a subclass of
            ``scipy.integrate.OdeSolver``.
        rtol, atol: of the error of a step, ``atol`` in the units of the state.
        max_steps: steps after which the run ends with what it has.
        max_seconds: of wall clock after which it does; the clock is read at every evaluation, or step of machine code.
        events: :class:`dynamics.Event`, :func:`dynamics.converged`, :func:`dynamics.diverged`, or callables
            ``(t, y) -> float`` in SciPy's words (``terminal``, ``direction``); ``run.events`` and ``run.event_states``
            hold the times and states. The limit on ``max |y|`` (1e12) is always on.
        max_step, first_step: the longest step, and the first one, in the flow's units of time; every method keeps them.
        deviations: steps are taken in the deviation from the flow's solution
            (:meth:`dynamics.ode.flow.Flow.in_deviations`), to which both tolerances are then relative: nothing that
            decays has a floor. None: where the flow has that form and it costs next to nothing
            (:attr:`dynamics.ode.flow.Flow.deviations_are_cheap`: two-layer flows of up to 128 students on spherical
            input, where no fan-in or fan-out starts shorter than half the teacher's); the attribute ``in_deviations``
            of the run says so. False: in the state itself.
        progress: a bar on stderr where that is a terminal, or a callable of the fraction done.
        options: further ones that SciPy's methods know by the same names: ``jac``, ``jac_sparsity`` (Radau, BDF),
            ``jac``, ``lband``, ``uband``, ``min_step`` (LSODA). One that the method does not use is warned of, as
            SciPy does, and has no effect.

    Returns:
        The run, whatever its end: where something goes wrong ``success`` is False, and ``status`` and ``message`` name
        the time, the worst component and a remedy.

    Raises:
        ValueError, TypeError: bad arguments, infinite spans, ``rtol`` below 100 eps, ``converged`` without its
            observable, ``deviations`` of a flow that has none, and dense Jacobians that do not fit in memory. Errors of
            the flow itself pass through.

    Cost: LSODA, Radau and BDF build dense n x n Jacobians by n evaluations each, and hold 1, 12 and 6 such matrices;
        the other methods hold 20 to 35 states at the peak, 45 in deviations, and CVODE 45 (75 of up to 10^5
        components), an evaluation included, besides the output.
    """
    plan = Plan.of(
        flow,
        t_span,
        t_eval=t_eval,
        method=method,
        rtol=rtol,
        atol=atol,
        max_steps=max_steps,
        max_seconds=max_seconds,
        events=events,
        max_step=max_step,
        first_step=first_step,
        deviations=deviations,
        options=options,
    )
    plan.options.warn_of_unused(plan.method.name, plan.method.row, stacklevel=3)
    run = Run(plan)
    with reporting(progress, plan.problem.t0, plan.problem.t1) as report:
        return run.until_the_end(report)
