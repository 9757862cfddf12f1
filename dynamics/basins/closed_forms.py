"""Contraction rates in closed form: one teacher, two teachers, and Theorem A for any number, near the teachers.

Each is a lower bound of ``-R'/R`` on the ball ``||W - W*||_F <= R`` for exactly orthonormal teachers and falls with R.
Evaluated in 30 digits and rounded down, so that the float returned is below the bound. docs/theorems.md proves them.
"""

from __future__ import annotations

import math

import mpmath as mp

DIGITS = 30

TRIED = 64
"""Values of tau tried for two teachers: each gives a valid bound, the best is returned."""


def rounded_down(value: mp.mpf) -> float:
    """A float below ``value``, whose error is some units of the thirtieth digit."""
    return math.nextafter(float(value), -math.inf)


def one_teacher(radius: float) -> float:
    """m = 1, 0 <= R < 2: ``(1 - R^2/4)(pi - theta) / 2 pi``, which is the rate itself."""
    with mp.workdps(DIGITS):
        R = mp.mpf(radius)
        return rounded_down((1 - R**2 / 4) * (mp.pi - 2 * mp.asin(R / 2)) / (2 * mp.pi))


def two_teachers(radius: float, *, plane: bool) -> float:
    """m = 2, in the teachers' ``plane`` (d = 2) or not; the bound, negative beyond its radius (0.73 or 0.67).

    ``2 pi rate = (1 - R^2/4)(pi/2 - theta) - R^2 [a/(4(a - 1)) + pi/(32 tau) + P]``, and in the plane
    ``(1 - R^2/4)(pi/2 - theta + a - 1) - a R / sqrt 2 - R^2 [pi/(32 tau) + P]``, ``a = (pi/2)(1 - tau)``,
    ``P = r(v/(1 - v)) / (16 (1 - v))``, ``v = R^2/2``, ``r(z) = arcsin(z)/z``, for any tau with a > 1.
    """
    if radius >= 1:  # v / (1 - v) has reached 1, and the bound is far below 0
        return -1.0
    with mp.workdps(DIGITS):
        R = mp.mpf(radius)
        v = R**2 / 2
        z = v / (1 - v)
        pair = (mp.asin(z) / z if z > 0 else mp.mpf(1)) / (16 * (1 - v))
        own, angle = 1 - R**2 / 4, mp.pi / 2 - 2 * mp.asin(R / 2)

        def bound(tau: mp.mpf) -> mp.mpf:
            a = mp.pi / 2 * (1 - tau)
            shared = mp.pi / (32 * tau) + pair
            if plane:
                return own * (angle + a - 1) - a * R / mp.sqrt(2) - R**2 * shared
            return own * angle - R**2 * (a / (4 * (a - 1)) + shared)

        # Sixty-four shares of the way to a = 1, denser towards 0, where the best one is for small R in the plane.
        shares = [(k / mp.mpf(TRIED)) ** 2 for k in range(1, TRIED)]
        best = max(bound(share * (1 - 2 / mp.pi)) for share in shares)
        return rounded_down(best / (2 * mp.pi))


def any_teachers(radius: float) -> float:
    """Theorem A, any m: exactly ``1/4 - 1/2 pi`` at R = 0; negative beyond its radius 0.4713.

    ``2 pi rate = cos^2(theta/2)(pi/2 - theta - theta/sin theta) - R^2 [1/(8(1 - R^2/2)) + pi/32 + eta]``,
    ``theta = 2 arcsin(R/2)``, ``eta = (pi/2 - 1)(27/2048) R^4/(1 - R^2/2)^3``.
    """
    if radius >= 0.5:
        return -1.0
    with mp.workdps(DIGITS):
        R = mp.mpf(radius)
        theta, near = 2 * mp.asin(R / 2), 1 - R**2 / 2
        eta = (mp.pi / 2 - 1) * 27 / 2048 * R**4 / near**3
        arc = theta / mp.sin(theta) if theta > 0 else mp.mpf(1)
        own = mp.cos(theta / 2) ** 2 * (mp.pi / 2 - theta - arc)
        return rounded_down((own - R**2 * (1 / (8 * near) + mp.pi / 32 + eta)) / (2 * mp.pi))
