"""Theorem 4's gamma for zero-bias isotropic input in ball arithmetic, and its vacuity for every m by subdivision."""

from __future__ import annotations

from itertools import combinations

from dynamics.arrays import Array
from verify.judging.enclosing.balls import REAL, Ball, Exact, largest, least
from verify.judging.enclosing.proof import Proof
from verify.mathematics.enclosed.constants import lipschitz_d
from verify.mathematics.enclosed.subdivision import positive_on
from verify.mathematics.enclosed.vectors import angle, exact_columns, unit


def extreme_angles(columns: Array) -> tuple[Ball, Ball]:
    """Smallest and largest angle between two of the float columns (d, m), which are normalised exactly."""
    nodes = [unit(column) for column in exact_columns(columns)]
    apart = [angle(a, b) for a, b in combinations(nodes, 2)]
    return least(*apart), largest(*apart)


def widest_angle(m: int) -> Ball:
    """``arccos(-1/(m-1))``: of m vectors two are within it, for ``|sum w|^2 >= 0``."""
    return REAL.acos(Ball(-1) / (m - 1))


def gamma(m: int, theta0: Exact, alpha_min: Ball, alpha_max: Ball) -> Ball:
    """``cos theta0 - (m-1) eps_d M_d`` with ``eps_d = (pi - alpha_min)/pi`` and the closed-form K_d of the balls."""
    theta0 = Ball(theta0)
    K = lipschitz_d(alpha_max, theta0)
    stretch = 1 + 2 * K * REAL.sin(theta0 / 2)
    M = (1 + K) * stretch**2 / REAL.cos(theta0 / 2)
    return REAL.cos(theta0) - (m - 1) * (REAL.pi - alpha_min) / REAL.pi * M


def gamma_at_best(m: int) -> Ball:
    """``1 - (m-1)[1 + pi - arccos(-1/(m-1))]/pi``, above gamma of any m teachers."""
    return 1 - (m - 1) * (1 + REAL.pi - widest_angle(m)) / REAL.pi


def vacuous_for_every_m(*, fewest: int = 3, lift: float = 0.3) -> Proof:
    """Theorem 4's gamma is below ``-lift`` for every ``m >= fewest``, any teachers, any theta0.

    The reduction to one variable: ``cos theta0 <= 1``; ``M_d >= 1 + K_d`` as its other factors are at least 1;
    ``K_d >= 1/(pi - alpha_max) >= 1/(pi - alpha_min)``, as arc over chord is at least 1. So ``gamma <= 1 - (m-1)(pi -
    alpha_min + 1)/pi``, and ``alpha_min <= arccos(-1/(m-1))``. With ``u = 1/(m-1)`` in ``(0, 1/(fewest-1)]`` and
    ``pi - arccos(-u) = arccos u`` the claim is ``1 + arccos u - (1 + lift) pi u > 0``.
    """
    from flint import ctx

    with ctx.workprec(64):
        steep = (1 + Ball(lift)) * REAL.pi
        return positive_on(lambda u: 1 + REAL.acos(u) - steep * u, 0, Ball(1) / (fewest - 1))
