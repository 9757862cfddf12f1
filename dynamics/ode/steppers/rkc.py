"""RKC: the second-order stabilised method."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Vector
from dynamics.ode.steppers.rkc_coefficients import rkc_coefficients, stages_for
from dynamics.ode.steppers.stabilized import Stabilized


class RKC(Stabilized):
    """Second order: Runge-Kutta-Chebyshev, the method for relative errors down to about 1e-5.

    Stability interval 0.65 s^2, at most 250 stages. Source: Sommeijer, Shampine, Verwer, J. Comput. Appl. Math. 88
    (1998); see :func:`dynamics.ode.steppers.rkc_coefficients.rkc_coefficients`.
    """

    order = 2
    error_exponent = 3
    most_stages = 250

    def _longest_step(self) -> float:
        return rkc_coefficients(self.most_stages).reach / self.rho if self.rho > 0 else np.inf

    def _advance(self, h: float) -> tuple[Vector, Vector, Vector]:
        c = rkc_coefficients(stages_for(abs(h) * self.rho, self.most_stages))
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
