"""Explicit Runge-Kutta methods whose flow makes whole steps by itself: SciPy's step control around them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import OdeSolver

# SciPy's: what a step is multiplied by beside what its error asks for, and the least and the most of it.
_SAFETY, _MIN_FACTOR, _MAX_FACTOR = 0.9, 0.2, 10.0


class WholeSteps(OdeSolver):  # type: ignore[misc]
    """A mixin before RK45 or DOP853: steps of a guarded field that ``makes_steps``, and SciPy's own of any other.

    The method, its error norm, and which steps are accepted and how long the next one is, are the same.
    """

    def __init__(self, fun: Any, *args: Any, **options: Any) -> None:
        super().__init__(fun, *args, **options)
        self._field = fun if getattr(fun, "makes_steps", False) else None
        self._coefficients = tuple(np.array(part, order="C") for part in (self.A, self.B))

    def _step_impl(self: Any) -> tuple[bool, str | None]:
        if self._field is None:
            return super()._step_impl()  # type: ignore[no-any-return]
        least = 10 * abs(np.nextafter(self.t, self.direction * np.inf) - self.t)
        length = min(max(self.h_abs, least), self.max_step)
        rejected = False
        while length >= least:
            t = self.t + length * self.direction
            t = self.t_bound if self.direction * (t - self.t_bound) > 0 else t
            h = t - self.t
            error, y = self._tried(h)
            factor = _MAX_FACTOR if error == 0 else _SAFETY * error**self.error_exponent
            if error < 1:
                self.h_abs = abs(h) * min(1.0 if rejected else _MAX_FACTOR, factor)
                self.h_previous, self.y_old = h, self.y
                self.t, self.y, self.f = t, y, self.K[-1].copy()
                return True, None
            length, rejected = abs(h) * max(_MIN_FACTOR, factor), True
        return False, self.TOO_SMALL_STEP

    def _tried(self: Any, h: float) -> tuple[float, Any]:
        """Error norm and state of a step."""
        self.K[0] = self.f
        y = self._field.step(self.t, self.y, float(h), *self._coefficients, self.K)
        scale = self.atol + np.maximum(np.abs(self.y), np.abs(y)) * self.rtol
        return self._estimate_error_norm(self.K, h, scale), y
