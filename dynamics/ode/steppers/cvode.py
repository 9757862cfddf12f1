"""CVODE: backward differentiation formulas whose linear systems are solved by GMRES, as a method of ``integrate``."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.integrate import DenseOutput, OdeSolver
from scipy.integrate._ivp.common import (
    select_initial_step,
    validate_first_step,
    validate_max_step,
    validate_tol,
    warn_extraneous,
)

from dynamics.arrays import Vector
from dynamics.ode.steppers.polynomial_output import PolynomialOutput, nodes_of

HIGHEST_ORDER = 5
"""Of the formulas, and so the degree of the polynomial over a step."""

CAUTION = 0.7
"""Share of the tolerances that SUNDIALS is given, so that errors come out as with SciPy's methods."""

FIRST_STEP = 4.0
"""The first step in units of SciPy's guess, which is for methods of order above one.

One that is too long is noticed and costs a rejected step."""

KRYLOV_DIMENSION, OF_LARGE_STATES, LARGE = 50, 20, 100_000
"""Largest dimension of the Krylov spaces, and that for states of more than so many components, for memory's sake.

A step rarely takes more than two; a spectrum in few clusters needs no more. Late steps of a flow with shared teachers
take some twenty: of 10^5 units of time 21,600 evaluations with 20 dimensions, 13,300 with 50, 13,100 with 100."""


class CVODE(OdeSolver):  # type: ignore[misc]
    """Variable-order BDF (1 to 5) of SUNDIALS, with Newton's equations solved by GMRES on difference quotients.

    Meant for stiff problems of any size with smooth fields: no Jacobian is formed, a step takes two to four evaluations
    and no stability limit, so that the cost hardly depends on the number of components or on the span. Memory is some
    40 vectors of length n.

    Error control: a root mean square over the whole state. A state of a stack counts as a whole. Norms that the field
    conserves drift within the tolerance over each step, and so along a run.

    Dense output: the method's own polynomial over a step, of degree 5, through both of its ends.

    Args:
        fun, t0, y0, t_bound, max_step, rtol, atol, first_step: as in SciPy's solvers.
    Source: Hindmarsh et al., SUNDIALS, ACM TOMS 31 (2005); the wrapper is scikit-sundae.
    """

    t: float
    y: Vector
    direction: float
    t_bound: float
    n: int

    def __init__(
        self,
        fun: Callable[[float, Vector], Vector],
        t0: float,
        y0: Vector,
        t_bound: float,
        max_step: float = np.inf,
        rtol: float = 1e-3,
        atol: float | Vector = 1e-6,
        vectorized: bool = False,
        first_step: float | None = None,
        **extraneous: Any,
    ) -> None:
        warn_extraneous(extraneous)
        super().__init__(fun, t0, y0, t_bound, vectorized, support_complex=True)
        self.t0, self.y_old = t0, self.y
        self.max_step = validate_max_step(max_step)
        self.rtol, self.atol = validate_tol(rtol, atol, self.n)
        self._known = (t0, self.fun(t0, self.y))
        self._first_step = (
            self._guessed_step() if first_step is None else validate_first_step(first_step, t0, t_bound)
        )
        self._stepper: Any = None

    def _guessed_step(self) -> float:
        """SUNDIALS' own guess takes up to four evaluations, this one takes one."""
        f0, tolerances = self._known[1], (CAUTION * self.rtol, CAUTION * self.atol)
        guess = select_initial_step(
            self.fun, self.t, self.y, self.t_bound, self.max_step, f0, self.direction, 1, *tolerances
        )
        return float(min(FIRST_STEP * guess, abs(self.t_bound - self.t0), self.max_step))

    def _started(self, longest: float, smallest: float) -> Any:
        """SUNDIALS' integrator at the start, with time counted from there so that it always runs forwards."""
        # Imported here: it takes some tenths of a second, which other methods need not wait for.
        from sksundae import cvode

        start = self._as_real(self.y)
        # A number where it is one: the wrapper looks at every entry of an array.
        self._scale = CAUTION * (
            float(self.atol) if np.ndim(self.atol) == 0 else np.repeat(self.atol, start.size // self.n)
        )
        self._weights, self._ahead = np.empty_like(start), np.empty_like(start)
        stepper = cvode.CVODE(
            self._fill,
            method="BDF",
            linsolver="gmres",
            krylov_dim=min(KRYLOV_DIMENSION if start.size <= LARGE else OF_LARGE_STATES, start.size),
            jactimes=cvode.CVODEJacTimes(self._weigh, self._product),
            rtol=CAUTION * float(self.rtol),
            atol=self._scale,
            max_step=0.0 if np.isinf(longest) else longest,
            first_step=max(min(self._first_step, longest), smallest),
        )
        with _silent():
            stepper.init_step(0.0, start)
        return stepper

    def _as_real(self, y: Any) -> Vector:
        """``y`` as SUNDIALS has it: real and imaginary parts in turn where the state is complex."""
        return np.ascontiguousarray(y).view(np.float64)

    def _time(self, elapsed: float) -> float:
        """The problem's time, exact at the end of the span."""
        if elapsed >= abs(self.t_bound - self.t0):
            return self.t_bound
        return self.t0 + self.direction * elapsed

    def _fill(self, elapsed: float, y: Vector, yp: Vector) -> None:
        t, known = self._time(elapsed), self._known
        state = y.copy().view(self.y.dtype)  # the memory behind y is SUNDIALS' own, and changes
        slope = known[1] if t == known[0] and np.array_equal(state, self.y) else self.fun(t, state)
        yp[:] = self.direction * self._as_real(slope)

    def _weigh(self, elapsed: float, y: Vector, yp: Vector) -> None:
        """Before each solve: what a component's change is worth at ``y``, against its tolerance."""
        weights = np.abs(y, out=self._weights)
        weights *= CAUTION * self.rtol
        weights += self._scale
        np.reciprocal(weights, out=weights)

    def _product(self, elapsed: float, y: Vector, yp: Vector, v: Vector, Jv: Vector) -> None:
        """The Jacobian times ``v``, by a difference over a step of norm 1.

        That evaluation does not count in the solver's ``nfev``, as those for SciPy's Jacobians do not.
        """
        ahead = np.multiply(v, self._weights, out=self._ahead)
        size = math.sqrt(np.dot(ahead, ahead) / ahead.size)
        if size == 0:
            Jv[:] = 0.0
            return
        np.multiply(v, 1 / size, out=ahead)
        ahead += y
        slope = self.fun_single(self._time(elapsed), ahead.copy().view(self.y.dtype))
        np.multiply(self._as_real(slope), self.direction, out=Jv)
        Jv -= yp
        Jv *= size

    def _step_impl(self) -> tuple[bool, str | None]:
        smallest = 10 * abs(np.nextafter(self.t, self.direction * np.inf) - self.t)
        if self.n == 0:
            self.t = self.t_bound
            return True, None
        if self._stepper is None:
            self._stepper = self._started(max(self.max_step, smallest), smallest)
        elif self.max_step < smallest:
            return False, self.TOO_SMALL_STEP
        result = self._onwards()
        if result.success and self._time(result.t) == self.t:
            result = self._onwards()  # after a dense output it first says again where it is
        if not result.success:
            return False, f"SUNDIALS: {result.message}"
        if self._time(result.t) == self.t:
            return False, self.TOO_SMALL_STEP
        self.y_old, self.t, self.y = self.y, self._time(result.t), result.y.view(self.y.dtype)
        return True, None

    def _onwards(self) -> Any:
        """SUNDIALS' next step, not beyond the end of the span."""
        span = abs(self.t_bound - self.t0)
        if np.isinf(span):  # its first step is guessed from the span
            return self._stepper.step(abs(self.t - self.t0) + max(1.0, abs(self.t0)), "onestep", None)
        return self._stepper.step(span, "onestep", span)

    def _dense_output_impl(self) -> DenseOutput:
        t_old = float(self.t_old)
        nodes = nodes_of(t_old, self.t, HIGHEST_ORDER)
        inside = [self._stepper.step(abs(t - self.t0), "normal", None).y for t in nodes[1:-1]]
        states = [self.y_old, *(y.view(self.y.dtype) for y in inside), self.y]
        return PolynomialOutput(t_old, self.t, nodes, np.stack(states))


@contextmanager
def _silent() -> Iterator[None]:
    """While SUNDIALS sets its log up: nowhere. It writes warnings to standard output by default."""
    names = ("SUNLOGGER_ERROR_FILENAME", "SUNLOGGER_WARNING_FILENAME")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, os.devnull))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
