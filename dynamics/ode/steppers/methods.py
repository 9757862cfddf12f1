"""The table of integration methods, and what their dense Jacobians cost in memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from scipy.integrate import BDF, LSODA, OdeSolver, Radau

from dynamics.memory import GIB, available_memory
from dynamics.ode.flow import Flow
from dynamics.ode.steppers.cvode import CVODE
from dynamics.ode.steppers.heun_descent import HeunDescent
from dynamics.ode.steppers.instance_norm import InstanceDOP853, InstanceRK45
from dynamics.ode.steppers.rock4 import ROCK4
from dynamics.validation import shown

EVALUATIONS_PER_STEP = 10_000
"""Evaluations after which one step counts as stuck.

The slowest honest step is a rejected one shrunk down to the rounding limit: log2(1e16) = 53 halvings at up to
8 Newton evaluations, or log5(1e16) = 23 attempts at 12 stages. Twenty times that is left for long first steps.
"""


@dataclass(frozen=True)
class Method:
    """One integration method.

    Args:
        solver: a subclass of ``scipy.integrate.OdeSolver``.
        order: of the advancing solution; None where it varies during the run.
        matrices: number of n x n float64 arrays alive at once at the peak (0: no Jacobian).
        rms_norm: whether its error norm is a root mean square over the whole state, in which one instance of a stack
            counts little; a maximum otherwise (LSODA).
        per_instance: whether it takes ``labels`` and then holds each instance of a stack to its own norm.
        shrinks: whether it answers a non-finite right-hand side by a smaller step. LSODA goes on with NaN instead, so
            that the guard has to leave the step by an exception.
        evaluations_per_step: after which one step counts as stuck.
        needs_loss: whether the flow must tell its loss.
        loosest_rtol: relative tolerance beyond which looser ones cost more than it does: both tolerances are then given
            to the method as much tighter as bring ``rtol`` to it.
        options: what it knows besides ``max_step`` and ``first_step``, in SciPy's names; None where that is not known
            (a class of someone else's), and all is given to it.
    """

    solver: type[Any]
    order: int | None
    matrices: int = 0
    rms_norm: bool = True
    per_instance: bool = False
    shrinks: bool = True
    evaluations_per_step: int = EVALUATIONS_PER_STEP
    needs_loss: bool = False
    loosest_rtol: float = math.inf
    options: tuple[str, ...] | None = ()

    def jacobian_bytes(self, n: int) -> int:
        """Peak memory of the dense matrices for a state of length ``n``."""
        return 8 * self.matrices * n * n

    def evaluation_cap(self, n: int) -> int:
        """Evaluations allowed within one step: finite-difference Jacobians take ``n`` each."""
        return self.evaluations_per_step + (50 * n if self.matrices else 0)


METHODS: dict[str, Method] = {
    "RK45": Method(InstanceRK45, order=5, per_instance=True),
    "DOP853": Method(InstanceDOP853, order=8, per_instance=True),
    "LSODA": Method(
        LSODA,
        order=None,
        matrices=1,
        rms_norm=False,
        shrinks=False,
        options=("min_step", "jac", "lband", "uband"),
    ),
    "Radau": Method(Radau, order=5, matrices=12, options=("jac", "jac_sparsity")),
    "BDF": Method(BDF, order=None, matrices=6, options=("jac", "jac_sparsity")),
    "ROCK4": Method(ROCK4, order=4, per_instance=True),
    # Of 30 units of time with 100 students rtol = .1 took 1,424 evaluations and .01 takes 174: long steps are rejected.
    "CVODE": Method(CVODE, order=None, loosest_rtol=1e-2),
}
"""Methods by name. A further one is one more row; the integration loop and its tests go over the table."""


LOSS_CONTROLLED: dict[str, Method] = {
    "HeunDescent": Method(HeunDescent, order=2, rms_norm=False, needs_loss=True)
}
"""Methods for flows that tell their loss, which controls the steps; ``rtol`` does not bound the error of the state."""


def method_named(method: str | type[Any]) -> tuple[str, Method]:
    """Name and row of ``method``: a key of the two tables, or a subclass of ``scipy.integrate.OdeSolver``.

    Raises:
        TypeError: neither a text nor such a class.
        ValueError: a name that is not known.
    """
    if isinstance(method, type) and issubclass(method, OdeSolver):
        return method.__name__, _row_of_class(method)
    if not isinstance(method, str):
        raise TypeError(f"method: expected a name or an OdeSolver subclass, got {shown(method)}")
    known = METHODS | LOSS_CONTROLLED
    if method not in known:
        raise ValueError(f"method: expected 'auto' or one of {', '.join(known)}, got {shown(method)}")
    return method, known[method]


def require_loss(name: str, method: Method, flow: Flow) -> None:
    """Raise ``TypeError`` where the method controls its steps by a loss and the flow tells none."""
    if method.needs_loss and not flow.tells_loss:
        raise TypeError(f"method: {name} expects a flow with with_loss(t, y), got {flow.name}")


def _row_of_class(solver: type[Any]) -> Method:
    for row in (METHODS | LOSS_CONTROLLED).values():
        if issubclass(solver, row.solver):
            return replace(row, solver=solver, options=None)
    return Method(solver, order=None, options=None)


def refuse_oversized_jacobian(name: str, method: Method, n: int) -> None:
    """Raise ``ValueError`` with the estimate where the dense Jacobian takes over half the available memory.

    Half: the other half is for the trajectory, the flow's own arrays and the rest of the program.
    """
    if not method.matrices:
        return
    needed, limit = method.jacobian_bytes(n), available_memory() // 2
    if needed > limit:
        raise ValueError(
            f"method: {name} keeps {method.matrices} dense {n} x {n} matrices, about {needed / GIB:.1f} GiB, and "
            f"only {limit / GIB:.1f} GiB (half of the available memory) may be used; take an explicit method "
            "(DOP853), one without a Jacobian (CVODE) or a smaller problem"
        )
