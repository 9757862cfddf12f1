"""Stabilised explicit Runge-Kutta methods: as cheap per evaluation as RK45, stable over s^2 times its interval.

Both are subclasses of ``scipy.integrate.OdeSolver`` and work as ``solve_ivp(..., method=RKC)`` too.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import DenseOutput, OdeSolver

from dynamics.arrays import Vector
from dynamics.ode.flow import Labels
from dynamics.ode.steppers import rkc_coefficients as chebyshev
from dynamics.ode.steppers import rock4_coefficients as rock
from dynamics.ode.steppers.instance_norm import InstanceNorm
from dynamics.ode.steppers.spectral_radius import SpectralRadius

EPS = float(np.finfo(float).eps)

STEPS_BETWEEN_ESTIMATES = 25
"""Accepted steps after which the spectral radius is estimated anew (RKC's choice)."""


class Stabilized(OdeSolver):  # type: ignore[misc]
    """Step control around a stabilised method; subclasses supply one step.

    Meant for problems whose Jacobian has its fast eigenvalues near the negative real axis (gradient flows,
    diffusion), of any size: memory is a few vectors of length n. The number of stages s of a step is the smallest
    whose stability interval holds h times the spectral radius, so the cost over a span T grows like sqrt(rho T)
    where that of RK45 grows like rho T. Purely imaginary fast eigenvalues are outside its interval.

    Error control: root mean square of estimate/(atol + rtol max|y|) <= 1, proportional-integral step selection. With
    ``labels`` (the instance of each component, of a stack) the worst instance's own root mean square counts.
    A non-finite estimate shrinks the step; below the rounding limit the step fails, as SciPy's methods do.
    Dense output: cubic Hermite through both ends of the step, O(h^4). At loose tolerances fast modes make its slopes,
    and so the interpolant, less accurate than the steps themselves.

    ``n_estimates``: how often the spectral radius was estimated (at the start, every 25 steps, after a
    rejection); ``rho``: the estimate in use. ``max_step``, ``first_step``, ``rtol``, ``atol`` as in SciPy.
    """

    t: float
    y: Vector
    direction: float
    t_bound: float
    error_exponent: int
    """The estimate behaves like h to this power."""
    settling: float = 0.0
    """Extent (h times rho) of each of the two steps before ``t_bound``; 0 where fast modes need no settling."""

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
        if extraneous:
            raise ValueError(f"{type(self).__name__}: unknown options {', '.join(sorted(extraneous))}")
        super().__init__(fun, t0, y0, t_bound, vectorized, support_complex=False)
        if max_step <= 0:
            raise ValueError(f"max_step: expected a positive number, got {max_step!r}")
        if first_step is not None and not 0 < first_step <= abs(t_bound - t0):
            raise ValueError(f"first_step: expected a number in (0, |t_bound - t0|], got {first_step!r}")
        self.max_step, self.rtol, self.atol = max_step, max(rtol, 100 * EPS), atol
        self.norm = InstanceNorm(labels)
        self.f = np.asarray(self.fun(self.t, self.y))
        self.radius = SpectralRadius()
        self.n_estimates = 0
        self._age = 0
        self._last_error = 1.0
        self._estimate_radius()
        self.h_abs = self._first_step() if first_step is None else first_step
        self.y_old, self.f_old = self.y, self.f

    @property
    def rho(self) -> float:
        return self.radius.value

    @abstractmethod
    def _advance(self, h: float) -> tuple[Vector, Vector, Vector]:
        """State and slope at the end of a step ``h``, and the error estimate."""

    @abstractmethod
    def _longest_step(self) -> float:
        """The longest step that the largest number of stages keeps stable."""

    def _estimate_radius(self) -> None:
        with np.errstate(all="ignore"):
            self.radius.estimate(self.fun, self.t, self.y, self.f)
        self.n_estimates += 1
        self._age = 0

    def _norm(self, error: Vector, *states: Vector) -> float:
        scale = self.atol + self.rtol * np.max(np.abs(states), axis=0)
        return self.norm(error / scale)

    def _first_step(self) -> float:
        """From 1/rho, lengthened or shortened by how much the slope changes over it."""
        span = min(abs(self.t_bound - self.t), self.max_step)
        if span == 0:
            return 0.0
        with np.errstate(all="ignore"):
            h = min(span, 1 / self.rho) if self.rho > 0 else span
            change = self.fun(self.t + self.direction * h, self.y + self.direction * h * self.f) - self.f
            error = self._norm(h * change, self.y)
        if not np.isfinite(error):
            return 0.1 * h
        return min(span, 0.1 * h * math.pow(max(error, 1e-6), -1 / self.error_exponent))

    def _step_impl(self) -> tuple[bool, str | None]:
        smallest = 10 * abs(np.nextafter(self.t, self.direction * np.inf) - self.t)
        h_abs = float(np.clip(self.h_abs, smallest, self.max_step))
        if self._age >= STEPS_BETWEEN_ESTIMATES:
            self._estimate_radius()
        rejected = False
        while True:
            if not h_abs >= smallest:
                return False, self.TOO_SMALL_STEP
            h_abs = self._settled(min(h_abs, self._longest_step()))
            t_new = self.t + self.direction * h_abs
            if self.direction * (t_new - self.t_bound) > 0:
                t_new = self.t_bound
            h = t_new - self.t
            h_abs = abs(h)
            with np.errstate(all="ignore"):
                y_new, f_new, estimate = self._advance(h)
                error = self._norm(estimate, self.y, y_new)
            if error <= 1 and np.isfinite(f_new).all():
                break
            h_abs *= self._shrink(error)
            rejected = True
            if self._age > 0:
                self._estimate_radius()
        self._accept(t_new, y_new, f_new, h_abs * self._growth(error, rejected))
        return True, None

    def _settled(self, h: float) -> float:
        """``h``, cut so that the last two steps before ``t_bound`` are short enough for fast modes to die out.

        A long step leaves a fast mode, which the solution forces slowly, off by h^2 times its second derivative times
        a large constant (order reduction). It decays within a few 1/rho, at the price of ten evaluations or so.
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
        factor = 0.8 * error ** (-0.7 / k) * self._last_error ** (0.4 / k)
        self._last_error = error
        return float(np.clip(factor, 0.2, 1.0 if rejected else 5.0))

    def _accept(self, t: float, y: Vector, f: Vector, h_next: float) -> None:
        self.y_old, self.f_old = self.y, self.f
        self.t, self.y, self.f = t, y, f
        self.h_abs = h_next
        self._age += 1

    def _dense_output_impl(self) -> DenseOutput:
        return CubicHermite(self.t_old, self.t, self.y_old, self.y, self.f_old, self.f)


class RKC(Stabilized):
    """Second order: Runge-Kutta-Chebyshev, the method for relative errors down to about 1e-5.

    Stability interval 0.65 s^2, at most 250 stages. Source: Sommeijer, Shampine, Verwer, J. Comput. Appl. Math. 88
    (1998); see :func:`dynamics.ode.steppers.rkc_coefficients.chebyshev`.
    """

    order = 2
    error_exponent = 3
    most_stages = 250

    def _longest_step(self) -> float:
        return chebyshev.chebyshev(self.most_stages).reach / self.rho if self.rho > 0 else np.inf

    def _advance(self, h: float) -> tuple[Vector, Vector, Vector]:
        c = chebyshev.chebyshev(chebyshev.stages_for(abs(h) * self.rho, self.most_stages))
        y0, f0 = self.y, self.f
        before, now = y0, y0 + (h * c.first) * f0
        for j in range(2, c.stages + 1):
            f = self.fun(self.t + c.times[j - 1] * h, now)
            after = (1 - c.mu[j] - c.nu[j]) * y0
            after += c.mu[j] * now
            after += c.nu[j] * before
            after += (h * c.slope[j]) * f
            after += (h * c.start[j]) * f0
            before, now = now, after
        f1 = self.fun(self.t + h, now)
        return now, f1, 0.8 * (y0 - now) + (0.4 * h) * (f0 + f1)


class ROCK4(Stabilized):
    """Fourth order: orthogonal Runge-Kutta-Chebyshev, for relative errors below about 1e-5.

    Stability interval 0.31 s^2, 6 to 200 stages, the last slope is the first of the next step. After Abdulle's ROCK4
    (SIAM J. Sci. Comput. 23, 2002), with coefficients computed in
    :mod:`dynamics.ode.steppers.rock4_coefficients`.
    """

    order = 4
    error_exponent = 4
    settling = 3.5

    def _longest_step(self) -> float:
        return rock.rock(rock.MOST).reach / self.rho if self.rho > 0 else np.inf

    def _advance(self, h: float) -> tuple[Vector, Vector, Vector]:
        c = rock.rock(rock.stages_for(abs(h) * self.rho))
        now, f = self.y, self.f
        before = now
        for j in range(c.mu.size):
            after = (h * c.mu[j]) * f
            after += c.nu[j] * now
            after -= c.kappa[j] * before
            before, now = now, after
            f = self.fun(self.t + c.times[j + 1] * h, now)
        slopes = [f]
        for i in range(1, 4):
            stage = now + combined(h * c.A[i, :i], slopes)
            slopes.append(self.fun(self.t + c.closing_times[i] * h, stage))
        end = now + combined(h * c.b, slopes)
        slopes.append(self.fun(self.t + h, end))
        return end, slopes[-1], combined(h * c.error, slopes)


def combined(weights: Vector, slopes: list[Vector]) -> Vector:
    """Sum of weight times slope."""
    total = weights[0] * slopes[0]
    for weight, slope in zip(weights[1:], slopes[1:], strict=True):
        total += weight * slope
    return np.asarray(total)


class CubicHermite(DenseOutput):  # type: ignore[misc]
    """The cubic through both ends of a step with their slopes."""

    def __init__(self, t_old: float, t: float, y_old: Vector, y: Vector, f_old: Vector, f: Vector) -> None:
        super().__init__(t_old, t)
        self.h = t - t_old
        self.ends = (y_old, y, f_old, f)

    def _call_impl(self, t: Vector) -> Vector:
        x = np.asarray((t - self.t_old) / self.h)
        y0, y1, f0, f1 = self.ends if x.ndim == 0 else [end[:, None] for end in self.ends]
        value = (1 - x) * y0 + x * y1 + x * (x - 1) * ((1 - 2 * x) * (y1 - y0))
        value += x * (x - 1) * self.h * ((x - 1) * f0 + x * f1)
        return np.asarray(value)
