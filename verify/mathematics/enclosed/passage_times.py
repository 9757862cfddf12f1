"""The time to turn round after Eqn 12 in ball arithmetic: a rigorous quadrature and the series of its constant."""

from __future__ import annotations

from verify.judging.enclosing.balls import REAL, Ball, Exact


def passage_integral(start: Exact) -> Ball:
    """``int_start^{pi/2} d delta / (delta sin delta)``, ``kappa T`` of Eqn 12: rigorous quadrature of arb.

    The equation ``delta' = kappa delta sin delta`` has one variable, so that its time is this integral.
    """
    from flint import acb

    value = acb.integral(lambda z, _: 1 / (z * z.sin()), acb(Ball(start).arb), acb((REAL.pi / 2).arb))
    return Ball(value.real)


def constant_term() -> Ball:
    """``2/pi - int_0^{pi/2} (1/(x sin x) - 1/x^2) dx = 0.3449...``, the constant of ``kappa T`` for small starts.

    ``x / sin x - 1 = 2 sum_k (1 - 2^{1-2k}) zeta(2k) (x/pi)^{2k}``, integrated term by term. Each term of the result is
    below a quarter of the one before, so the rest is below a third of the last.
    """
    from flint import arb, ctx

    total, term = Ball(0), Ball(1)
    for k in range(1, ctx.prec // 2 + 8):
        zeta = Ball(arb(2 * k).zeta())
        term = (1 - Ball(2) / 4**k) * zeta * 2 / 4**k / (2 * k - 1)
        total = total + term
    rest = Ball(arb(0).union((term / 3).arb))
    return 2 / REAL.pi - 2 * (total + rest) / REAL.pi


def left_out_bound(start: Exact) -> Ball:
    """``(7 eps^3 / 1080) / (1 - eps^2/pi^2)``, which the terms left out of the expansion stay below."""
    return 7 * Ball(start) ** 3 / 1080 / (1 - (Ball(start) / REAL.pi) ** 2)
