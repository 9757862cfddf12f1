"""The control of a stabilised explicit method: steps as long as its stages keep stable, and error control.

It is a subclass of ``scipy.integrate.OdeSolver`` and works as ``solve_ivp(..., method=ROCK4)`` too.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
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
from dynamics.ode.flow import Labels
from dynamics.ode.steppers.cubic_hermite import CubicHermite
from dynamics.ode.steppers.instance_norm import InstanceNorm
from dynamics.ode.steppers.spectral_radius import SpectralRadius

STEPS_BETWEEN_ESTIMATES = 25
"""Accepted steps after which the spectral radius is estimated anew."""


STRETCH = 1.2
"""A step may be so much longer where it then ends the run, which saves a last short one."""


class Stabilized(OdeSolver):  # type: ignore[misc]
    """Base of stabilised methods; a subclass supplies one step (:meth:`_advance`, :meth:`_finish`).

    Meant for problems whose Jacobian has its fast eigenvalues near the negative real axis (gradient flows,
    diffusion), of any size: memory is a few vectors of length n. The number of stages s of a step is the smallest
    whose stability interval, which grows like s^2, holds h times the spectral radius rho. So the cost over a span T
    grows like sqrt(rho T), where that of RK45 grows like rho T. Fast eigenvalues near the imaginary axis lie outside
    the interval.

    Error control: root mean square of ``estimate / (atol + rtol max|y|)`` at most 1, with proportional-integral step
    selection. A non-finite estimate shrinks the step; below the rounding limit the step fails, as SciPy's methods do.
    Dense output: cubic Hermite through both ends of the step, off by O(h^4). At loose tolerances fast modes are still
    in the slopes at the ends, so that values between steps are less accurate than the steps.

    Args:
        fun, t0, y0, t_bound, max_step, rtol, atol, first_step: as in SciPy's solvers.
        labels: the instance of each component, where y is a stack of problems; the root mean square of the worst
            instance then counts.

    ``n_estimates``: how often the spectral radius was estimated (at the start, every 25 steps, after a rejection);
    ``rho``: the estimate in use.
    """

    t: float
    y: Vector
    direction: float
    t_bound: float
    error_exponent: int
    """The estimate behaves like h to this power."""
    calm: float
    """A radius times the rest of the span below which stability is no matter for the fewest stages."""
    settling: float
    """``h rho`` of each of the two steps before ``t_bound``."""

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
        labels: Labels | None = None,
        **extraneous: Any,
    ) -> None:
        warn_extraneous(extraneous)
        super().__init__(fun, t0, y0, t_bound, vectorized, support_complex=True)
        self.max_step = validate_max_step(max_step)
        self.rtol, self.atol = validate_tol(rtol, atol, self.n)
        self.norm = InstanceNorm(labels)
        self.f = np.asarray(self.fun(self.t, self.y))
        self.radius = SpectralRadius()
        self.n_estimates = 0
        self._age = 0
        self._last_error = 1.0
        if self.n:
            self._estimate_radius()
        self.h_abs = (
            self._first_step() if first_step is None else validate_first_step(first_step, t0, t_bound)
        )
        self.y_old, self.f_old = self.y, self.f

    @property
    def rho(self) -> float:
        return self.radius.value

    @abstractmethod
    def _advance(self, h: float) -> tuple[Vector, Vector, Vector]:
        """State and slope at the end of a step ``h``, and the error estimate."""

    @abstractmethod
    def _finish(self, h: float) -> tuple[Vector, Vector, Vector]:
        """As :meth:`_advance`, for the step to ``t_bound``: no evaluation lies beyond."""

    @abstractmethod
    def _longest_step(self) -> float:
        """The longest step that the largest number of stages keeps stable."""

    def _estimate_radius(self) -> None:
        with np.errstate(all="ignore"):
            calm = self.calm / max(abs(self.t_bound - self.t), np.finfo(float).tiny)
            self.radius.estimate(self.fun, self.t, self.y, self.f, calm)
        self.n_estimates += 1
        self._age = 0

    def _norm(self, error: Vector, *states: Vector) -> float:
        scale = self.atol + self.rtol * np.max(np.abs(states), axis=0)
        return self.norm(error / scale)

    def _first_step(self) -> float:
        """SciPy's guess, which takes one evaluation."""
        span = abs(self.t_bound - self.t)
        if span == 0 or not self.n:
            return span
        with np.errstate(all="ignore"):
            guess = select_initial_step(
                self.fun,
                self.t,
                self.y,
                self.t_bound,
                self.max_step,
                self.f,
                self.direction,
                self.error_exponent - 1,
                self.rtol,
                self.atol,
            )
        return float(guess) if np.isfinite(guess) else min(span, self.max_step)

    def _step_impl(self) -> tuple[bool, str | None]:
        if not self.n:
            self.t = self.t_bound
            return True, None
        smallest = 10 * abs(np.nextafter(self.t, self.direction * np.inf) - self.t)
        h_abs = self.max_step if self.h_abs > self.max_step else max(self.h_abs, smallest)
        if self._age >= STEPS_BETWEEN_ESTIMATES:
            self._estimate_radius()
        rejected = False
        while h_abs >= smallest:
            t_new = self._end_of_step(h_abs)
            h_abs = abs(t_new - self.t)
            with np.errstate(all="ignore"):
                advance = self._finish if t_new == self.t_bound else self._advance
                y_new, f_new, estimate = advance(t_new - self.t)
                error = self._norm(estimate, self.y, y_new)
            if error <= 1 and np.isfinite(f_new).all():
                self._accept(t_new, y_new, f_new, h_abs * self._growth(error, rejected))
                return True, None
            h_abs *= self._shrink(error)
            rejected = True
            if self._age > 0:
                self._estimate_radius()
        return False, self.TOO_SMALL_STEP

    def _end_of_step(self, h_abs: float) -> float:
        """The end of a step of ``h_abs``, or of as much of it as is stable and within the span."""
        longest, left = self._longest_step(), abs(self.t_bound - self.t)
        h = self._settled(min(h_abs, longest))
        return (
            self.t_bound if left <= min(STRETCH * h, longest, self.max_step) else self.t + self.direction * h
        )

    def _settled(self, h: float) -> float:
        """``h``, cut so that the last two steps before ``t_bound`` have ``h rho <= settling``.

        A long step leaves an error of O(h^2) in the fast modes (order reduction), larger than the rest of the error at
        the end of the run. Over two steps of a few 1/rho it decays; they cost about ten evaluations.
        """
        left = abs(self.t_bound - self.t)
        short = self.settling / self.rho if self.rho > 0 else 0.0
        if left > 2.5 * short:
            return min(h, left - 2 * short)
        return min(h, left / 2) if left > 1.25 * short else h

    def _shrink(self, error: float) -> float:
        if not np.isfinite(error):
            return 0.1
        return float(max(0.1, 0.8 * math.pow(max(error, 1.0), -1 / self.error_exponent)))

    def _growth(self, error: float, rejected: bool) -> float:
        """Proportional-integral control (Gustafsson): err^(-0.7/k) last^(0.4/k), within 0.2 ... 5."""
        error = max(error, 1e-10)
        k = self.error_exponent
        factor = 0.9 * error ** (-0.7 / k) * self._last_error ** (0.4 / k)
        self._last_error = error
        return float(np.clip(factor, 0.2, 1.0 if rejected else 5.0))

    def _accept(self, t: float, y: Vector, f: Vector, h_next: float) -> None:
        self.y_old, self.f_old = self.y, self.f
        self.t, self.y, self.f = t, y, f
        self.h_abs = h_next
        self._age += 1

    def _dense_output_impl(self) -> DenseOutput:
        return CubicHermite(self.t_old, self.t, self.y_old, self.y, self.f_old, self.f)
