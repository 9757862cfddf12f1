"""Heun's method with its steps controlled by the loss: for gradient flows whose field jumps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import DenseOutput, OdeSolver
from scipy.integrate._ivp.common import validate_first_step, validate_max_step, warn_extraneous

from dynamics.arrays import Vector
from dynamics.ode.steppers.cubic_hermite import CubicHermite

STEP_GROWTH = 1.2
"""Factor from a step that used less than a quarter of its tolerance to the next; a step that fails is halved."""

FIRST_STEP_CHANGE = 0.01
"""Share of the loss, or of the state's norm, that the first step is meant to change."""


class HeunDescent(OdeSolver):  # type: ignore[misc]
    """Second-order steps ``y + h/2 (f(y) + f(y + h f(y)))``, accepted when the loss changes as the flow says it does:

    ``|J_1 - J_0 - h/2 (J_0' + J_1')| <= sqrt(rtol) J_0 + atol`` in every instance, with ``J' = <grad J, y'>``.

    Meant for gradient flows whose field jumps across many surfaces, such as those of networks with kinks on samples.
    The usual error estimate compares formulas that assume derivatives of the field. At a jump they differ by h times
    the jump, whatever their order, so that at a tight tolerance the step is rejected until h is tiny, at every
    crossing. The loss has no jump: a crossing moves its balance by h times the jump of J' alone. Where the field
    points to a surface from both sides, the steps alternate between the sides and follow the mean of the two fields;
    their length is the tolerance over the jump.

    The tolerance is one on the loss over a step. Where the field is smooth h behaves like rtol^(1/6) and the error of
    the state like rtol^(1/3); each crossing adds h times its jump.

    Steps that fail are halved, others grow by :data:`STEP_GROWTH`. Cost: 2 evaluations a step. Stable for h times the
    spectral radius below 2, beyond which the loss rises and the step fails. Dense output: cubic Hermite.

    Args:
        fun: the field, with ``fun.with_loss(t, y) -> (y', J, J')``, losses of any shape.
        t0, y0, t_bound, max_step, rtol, atol, first_step: as in SciPy's solvers.

    Raises:
        TypeError: ``fun`` has no ``with_loss``.
        ValueError: step bounds that are not positive.
    """

    t: float
    y: Vector
    direction: float
    t_bound: float

    def __init__(
        self,
        fun: Callable[[float, Vector], Vector],
        t0: float,
        y0: Vector,
        t_bound: float,
        max_step: float = np.inf,
        rtol: float = 1e-3,
        atol: float = 1e-6,
        vectorized: bool = False,
        first_step: float | None = None,
        **extraneous: Any,
    ) -> None:
        warn_extraneous(extraneous)
        if not hasattr(fun, "with_loss"):
            raise TypeError("HeunDescent: expected a field with with_loss(t, y) -> (y', J, J')")
        super().__init__(fun, t0, y0, t_bound, vectorized, support_complex=False)
        self.with_loss = fun.with_loss
        self.max_step, self.tolerance, self.atol = validate_max_step(max_step), math.sqrt(rtol), atol
        self.f, self.loss, self.slope = self._evaluate(self.t, self.y)
        self.n_rejected = 0
        self.h_abs = (
            self._first_step() if first_step is None else validate_first_step(first_step, t0, t_bound)
        )
        self.t_old, self.y_old, self.f_old = self.t, self.y, self.f

    def _evaluate(self, t: float, y: Vector) -> tuple[Vector, Vector, Vector]:
        self.nfev += 1
        f, loss, slope = self.with_loss(t, y)
        return f, np.asarray(loss), np.asarray(slope)

    def _first_step(self) -> float:
        """The step by which neither a loss nor the state changes much."""
        span = min(abs(self.t_bound - self.t), self.max_step)
        with np.errstate(all="ignore"):
            of_loss = np.min(self.loss / np.abs(self.slope), initial=np.inf, where=self.slope != 0)
            of_state = np.linalg.norm(self.y) / np.linalg.norm(self.f)
        return float(np.nanmin([span, FIRST_STEP_CHANGE * of_loss, FIRST_STEP_CHANGE * of_state]))

    def _step_impl(self) -> tuple[bool, str | None]:
        smallest = 10 * abs(np.nextafter(self.t, self.direction * np.inf) - self.t)
        h_abs = float(np.clip(self.h_abs, smallest, self.max_step))
        while True:
            if not h_abs >= smallest:
                return False, self.TOO_SMALL_STEP
            t = self.t + self.direction * h_abs
            if self.direction * (t - self.t_bound) > 0:
                t = self.t_bound
            with np.errstate(all="ignore"):
                y, reached, imbalance = self._attempt(t)
            if imbalance <= 1:
                break
            h_abs = abs(t - self.t) / 2
            self.n_rejected += 1
        self.t_old, self.y_old, self.f_old = self.t, self.y, self.f
        # The last step is cut to end the span; its length says nothing about the next one.
        self.h_abs = h_abs * (STEP_GROWTH if imbalance < 0.25 else 1.0)
        self.t, self.y = t, y
        self.f, self.loss, self.slope = reached
        return True, None

    def _attempt(self, t: float) -> tuple[Vector, tuple[Vector, Vector, Vector], float]:
        """The state at ``t``, what :meth:`_evaluate` finds there, and the worst imbalance over its tolerance."""
        h = t - self.t
        ahead = self.fun(t, self.y + h * self.f)
        y = self.y + 0.5 * h * (self.f + ahead)
        reached = f, loss, slope = self._evaluate(t, y)
        imbalance = np.abs(loss - self.loss - 0.5 * h * (self.slope + slope))
        worst = float(np.max(imbalance / (self.tolerance * self.loss + self.atol)))
        return y, reached, worst if np.isfinite(f).all() else np.inf

    def _dense_output_impl(self) -> DenseOutput:
        return CubicHermite(self.t_old, self.t, self.y_old, self.y, self.f_old, self.f)
