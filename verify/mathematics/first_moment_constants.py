"""Constants of the first-moment kernel ``psi_l`` on balls about the teachers: K_l and C_0, isotropic Gaussian input."""

from __future__ import annotations

import numpy as np

STEEPEST = 1.112834815479359
"""The angle at which ``(pi - t) sin t``, minus the slope of the kernel, is largest: the root of ``tan t = pi - t``."""


def first_moment(theta: float) -> float:
    """``kappa(theta) = sin theta + (pi - theta) cos theta``, which is ``2 pi psi_l`` of unit columns."""
    return _sine_excess(np.pi - theta)


def _sine_excess(x: float) -> float:
    """``sin x - x cos x``, by its series ``x^3/3 - ...`` where the two terms would cancel."""
    if x < 0.1:
        return float(x**3 / 3 * (1 - x**2 / 10 * (1 - x**2 / 28 * (1 - x**2 / 54))))
    return float(np.sin(x) - x * np.cos(x))


def slope(theta: float) -> float:
    """``-kappa'(theta) = (pi - theta) sin theta``."""
    return float((np.pi - theta) * np.sin(theta))


def lipschitz_l_isotropic(alpha_max: float, theta0: float) -> float:
    """Closed-form ``K_l`` of Assumption 2 on the balls of radius theta0, isotropic Gaussian input, unit columns.

    ``K_l = c max_{alpha <= t <= alpha + 2 theta0} (pi - t) sin t / kappa(alpha + theta0)`` with alpha the largest
    teacher-teacher angle (0 for m = 1) and ``c = (theta0/2) / sin(theta0/2)``, arc over chord. It tends to
    ``-kappa'(alpha)/kappa(alpha)``, the best constant, as theta0 -> 0.

    Why: let ``psi_l(w, w_1)`` be one that a lemma starts from, with a teacher among w, w_1: their angle a is at most
    ``A = alpha + theta0``. A step of arc s <= theta0 changes the angle by at most s, to b. As kappa is log-concave
    (``-kappa'/kappa`` rises), the relative change over s, ``|kappa(a) - kappa(b)| / (s kappa(a))``, rises with a for
    fixed s, so it is at most its value at a = A: a mean of ``-kappa'`` over at most ``[A - theta0, A + theta0]``, over
    ``kappa(A)``. Infinite where ``A >= pi``.

    Source: Luck Matters, Assumption 2 (which asserts that K_l exists).
    """
    furthest = alpha_max + theta0
    if furthest >= np.pi:
        return float("inf")
    steepest = float(np.clip(STEEPEST, alpha_max, min(furthest + theta0, np.pi)))
    half = theta0 / 2
    arc_over_chord = half / np.sin(half) if half > 0 else 1.0
    return float(arc_over_chord * slope(steepest) / first_moment(furthest))


def quadratic_fall_off(theta0: float) -> float:
    """Lemma 4's exact ``C_0`` on the ball of radius theta0 < pi: isotropic Gaussian input, unit columns.

    The ratio ``C(t) = (pi - kappa(t)) / (4 sin^2(t/2) kappa(t))`` falls from 1/2 at t = 0 to 0.488 at t = 0.237
    and rises from there on, through 1/2 again at t = 0.479. Its supremum on ``(0, theta0]`` is ``max(1/2, C(theta0))``.
    """
    return max(0.5, fall_off_ratio(theta0)) if theta0 > 0 else 0.5


def fall_off_ratio(theta: float) -> float:
    """``C(t) = |l*_jj - l_jj| / (l*_jj ||dw_j||^2)`` at angle t, without cancellation near 0.

    ``pi - kappa = 2 pi sin^2(t/2) - (sin t - t cos t)``.
    """
    chord = 4 * np.sin(theta / 2) ** 2
    lost = np.pi * chord / 2 - _sine_excess(theta)
    return float(lost / (chord * first_moment(theta)))
