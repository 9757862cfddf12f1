"""Coefficients of the second-order Runge-Kutta-Chebyshev method (RKC)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

DAMPING = 2 / 13
"""Damping of Sommeijer, Shampine and Verwer, which keeps |R| below about 0.95 away from the origin."""


@dataclass(frozen=True)
class RKCCoefficients:
    """The method of ``stages`` s. With F_j = f(t + c_j h, Y_j), Y_0 = y and Y_1 = Y_0 + first h F_0,

    Y_j = (1 - mu_j - nu_j) Y_0 + mu_j Y_{j-1} + nu_j Y_{j-2} + slope_j h F_{j-1} + start_j h F_0,  j = 2 ... s.

    Arrays have length s + 1 and are indexed by j (entries 0 and 1 unused, save ``times``). ``reach``: |R(z)| <= 1
    on [-reach, 0], about 0.65 s^2.
    """

    stages: int
    reach: float
    first: float
    mu: NDArray[np.float64]
    nu: NDArray[np.float64]
    slope: NDArray[np.float64]
    start: NDArray[np.float64]
    times: NDArray[np.float64]


@cache
def rkc_coefficients(stages: int) -> RKCCoefficients:
    """The RKC coefficients for ``stages >= 2``.

    R_j = 1 - b_j T_j(w0) + b_j T_j(w0 + w1 z) with w0 = 1 + DAMPING/s^2, w1 = T_s'(w0)/T_s''(w0) and
    b_j = T_j''(w0)/T_j'(w0)^2, so that every stage is of second order at its own time.

    Source: Sommeijer, Shampine, Verwer, "RKC: an explicit solver for parabolic PDEs", J. Comput. Appl. Math. 88
    (1998), eqs. (2.1)-(2.8).
    """
    s = stages
    w0 = 1 + DAMPING / s**2
    T, dT, ddT = _chebyshev_polynomials(w0, s)
    w1 = dT[s] / ddT[s]
    b = np.empty(s + 1)
    b[2:] = ddT[2:] / dT[2:] ** 2
    b[:2] = b[2]
    j = np.arange(2, s + 1)
    mu, nu, slope, start, times = np.zeros((5, s + 1))
    mu[j] = 2 * w0 * b[j] / b[j - 1]
    nu[j] = -b[j] / b[j - 2]
    slope[j] = 2 * w1 * b[j] / b[j - 1]
    start[j] = -(1 - b[j - 1] * T[j - 1]) * slope[j]
    times[1] = b[1] * w1
    for k in range(2, s + 1):  # the time of a stage is what y' = 1 gives
        times[k] = mu[k] * times[k - 1] + nu[k] * times[k - 2] + slope[k] + start[k]
    return RKCCoefficients(s, (1 + w0) / w1, float(b[1] * w1), mu, nu, slope, start, times)


def _chebyshev_polynomials(x: float, n: int) -> NDArray[np.float64]:
    """T_j, T_j' and T_j'' at ``x`` for j = 0 ... n, rows of a (3, n + 1) array."""
    values = np.zeros((3, n + 1))
    values[0, :2] = 1.0, x
    values[1, 1] = 1.0
    for j in range(2, n + 1):
        last, before = values[:, j - 1], values[:, j - 2]
        values[:, j] = 2 * x * last - before
        values[1, j] += 2 * last[0]
        values[2, j] += 4 * last[1]
    return values


def stages_for(extent: float, most: int) -> int:
    """Fewest stages (2 ... ``most``) whose interval holds ``extent`` = h times the spectral radius."""
    count = max(2, min(int(np.sqrt(1 + 1.5 * extent)), most))
    while count < most and rkc_coefficients(count).reach < extent:
        count += 1
    return count
