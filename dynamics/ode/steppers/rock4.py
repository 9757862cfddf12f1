"""ROCK4: the fourth-order stabilised method."""

from __future__ import annotations

import numpy as np
from scipy.integrate import RK45

from dynamics.arrays import Vector
from dynamics.ode.steppers.rock4_coefficients import MOST_STAGES, rock4_coefficients, stages_for
from dynamics.ode.steppers.stabilized import Stabilized


class ROCK4(Stabilized):
    """Fourth order: orthogonal Runge-Kutta-Chebyshev, for mildly stiff problems of up to some thousand components.

    Stability interval 0.31 s^2, 6 to 200 stages; the last slope of a step is the first of the next. The last stage of
    a step lies up to 6 per cent behind its end; the step to ``t_bound`` is one of Dormand and Prince, whose stages do
    not, and is short enough to be stable.

    Where it is of use: by measurement CVODE needs a half to a fifth of its time from 100 students (10,000 components)
    on and for two-layer flows, and over long spans a hundredth. It is the quickest, or as good as it, on Theorem 4's
    flow with 20 to 50 students at errors of 1e-5, and on stacks, whose instances it holds each to an error of its own.

    Source: Abdulle, SIAM J. Sci. Comput. 23 (2002), with coefficients computed in
    :mod:`dynamics.ode.steppers.rock4_coefficients`; the last step is SciPy's RK45.
    """

    order = 4
    error_exponent = 4
    calm = 1.0
    settling = 2.6
    """1.25 times this, the longest last step, is within RK45's stability interval of 3.3."""

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

    def _finish(self, h: float) -> tuple[Vector, Vector, Vector]:
        slopes = [self.f]
        for a, c in zip(RK45.A[1:], RK45.C[1:], strict=True):
            stage = self.y + combination(h * a[: len(slopes)], slopes)
            slopes.append(self.fun(self.t + c * h, stage))
        end = self.y + combination(h * RK45.B, slopes)
        slopes.append(self.fun(self.t + h, end))
        return end, slopes[-1], combination(h * RK45.E, slopes)


def combination(weights: Vector, slopes: list[Vector]) -> Vector:
    """``sum_i weights[i] slopes[i]``."""
    total = weights[0] * slopes[0]
    for weight, slope in zip(weights[1:], slopes[1:], strict=True):
        total += weight * slope
    return np.asarray(total)
