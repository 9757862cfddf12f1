"""The constants of the lemmas in balls: K_d, K_l and C_0 for isotropic Gaussian input, on balls about the teachers."""

from __future__ import annotations

from verify.judging.enclosing.balls import REAL, Ball, Exact, largest
from verify.mathematics.enclosed.vectors import kappa


def arc_over_chord(theta0: Exact) -> Ball:
    """``(theta0/2) / sin(theta0/2)``, 1 at 0."""
    return 1 / REAL.sinc(Ball(theta0) / 2)


def lipschitz_d(alpha_max: Exact, theta0: Exact) -> Ball:
    """``K_d = [(theta0/2) / sin(theta0/2)] / (pi - alpha_max - theta0)``."""
    return arc_over_chord(theta0) / (REAL.pi - Ball(alpha_max) - Ball(theta0))


def steepest_angle() -> Ball:
    """The root of ``(pi - t) cos t - sin t`` in (1, 1.25), where ``(pi - t) sin t`` is largest.

    Newton's method gives a hint; the ball is a neighbourhood of it at whose ends the function has opposite signs. It
    falls there, with slope ``-2 cos t - (pi - t) sin t``, so that there is no other root.
    """
    from flint import ctx

    t = Ball(1)
    for _ in range(ctx.prec.bit_length() + 2):
        t = Ball(t.arb.mid())
        t = t + _descent(t) / (2 * REAL.cos(t) + (REAL.pi - t) * REAL.sin(t))
    middle, width = Ball(t.arb.mid()), Ball(1) / 2 ** (ctx.prec - 8)
    if not (_descent(middle - width) > 0 and _descent(middle + width) < 0):
        raise ArithmeticError("the steepest angle was not enclosed")
    return Ball((middle - width).arb.union((middle + width).arb))


def _descent(t: Ball) -> Ball:
    return (REAL.pi - t) * REAL.cos(t) - REAL.sin(t)


def lipschitz_l(alpha_max: Exact, theta0: Exact) -> Ball:
    """``K_l = c max_{alpha <= t <= alpha + 2 theta0} (pi - t) sin t / kappa(alpha + theta0)``, t at most pi."""
    furthest, top = Ball(alpha_max) + theta0, steepest_angle()
    end = furthest + theta0
    steepest = Ball(alpha_max) if alpha_max >= top else min(top, end)
    slope = (REAL.pi - steepest) * REAL.sin(steepest)
    return arc_over_chord(theta0) * slope / kappa(furthest)


def fall_off_ratio(theta: Exact) -> Ball:
    """``(pi - kappa) / (4 sin^2(theta/2) kappa)`` for theta > 0."""
    own = kappa(theta)
    return (REAL.pi - own) / (4 * REAL.sin(Ball(theta) / 2) ** 2 * own)


def quadratic_fall_off(theta0: Exact) -> Ball:
    """Lemma 4's ``C_0 = max(1/2, C(theta0))``."""
    return largest(Ball(1) / 2, fall_off_ratio(theta0))
