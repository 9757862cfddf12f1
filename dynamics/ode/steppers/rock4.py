"""ROCK4: the fourth-order stabilised method."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Vector
from dynamics.ode.steppers.rock4_coefficients import MOST_STAGES, rock4_coefficients, stages_for
from dynamics.ode.steppers.stabilized import Stabilized


class ROCK4(Stabilized):
    """Fourth order: orthogonal Runge-Kutta-Chebyshev, for relative errors below about 1e-5.

    Stability interval 0.31 s^2, 6 to 200 stages; the last slope of a step is the first of the next. After Abdulle's
    ROCK4 (SIAM J. Sci. Comput. 23, 2002), with coefficients computed in
    :mod:`dynamics.ode.steppers.rock4_coefficients`.
    """

    order = 4
    error_exponent = 4
    settling = 3.5

    def _longest_step(self) -> float:
        return rock4_coefficients(MOST_STAGES).reach / self.rho if self.rho > 0 else np.inf

    def _advance(self, h: float) -> tuple[Vector, Vector, Vector]:
        c = rock4_coefficients(stages_for(abs(h) * self.rho))
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
            stage = now + combination(h * c.A[i, :i], slopes)
            slopes.append(self.fun(self.t + c.closing_times[i] * h, stage))
        end = now + combination(h * c.b, slopes)
        slopes.append(self.fun(self.t + h, end))
        return end, slopes[-1], combination(h * c.error, slopes)


def combination(weights: Vector, slopes: list[Vector]) -> Vector:
    """``sum_i weights[i] slopes[i]``."""
    total = weights[0] * slopes[0]
    for weight, slope in zip(weights[1:], slopes[1:], strict=True):
        total += weight * slope
    return np.asarray(total)
