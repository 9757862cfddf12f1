"""Bivariate normal integrals in ball arithmetic: every result is an interval that holds the true number.

z, y are standard normals of correlation ``cos theta``; h, k thresholds. At ``theta = 0`` the limits are taken.
"""

from __future__ import annotations

from flint import acb, arb


def density(x: arb) -> arb:
    """``exp(-x^2/2) / sqrt(2 pi)``."""
    return (-x * x / 2).exp() / (2 * arb.pi()).sqrt()


def distribution(x: arb) -> arb:
    """``P(z < x)``, without cancellation in the tail."""
    return (-x / arb(2).sqrt()).erfc() / 2


def both_active(h: arb, k: arb, theta: arb) -> arb:
    """``P(z + h > 0, y + k > 0)`` for theta in [0, pi).

    Its derivative in theta is ``-exp(-Q/2)/2pi``, ``Q = (h - k)^2/(4 sin^2(t/2)) + (h + k)^2/(4 cos^2(t/2))``
    (Plackett), integrated from the independent pair at pi/2.
    """
    if theta.is_zero():
        return distribution(h.min(k))
    apart, together = acb((h - k) ** 2 / 8), acb((h + k) ** 2 / 8)

    def integrand(t: acb, _: bool) -> acb:  # meromorphic inside the exponential: poles give non-finite balls
        return (-(apart / (t / 2).sin() ** 2 + together / (t / 2).cos() ** 2)).exp()

    area = acb.integral(integrand, acb(theta), acb.pi() / 2).real
    return (distribution(h) * distribution(k) + area / (2 * arb.pi())).nonnegative_part()


def one_relu(h: arb, k: arb, theta: arb) -> arb:
    """``E[relu(z + h) 1{y + k > 0}]``."""
    if theta.is_zero():
        least = h.min(k)
        return h * distribution(least) + density(least)
    given_h, given_k = _conditionals(h, k, theta)
    return h * both_active(h, k, theta) + density(h) * given_h + theta.cos() * density(k) * given_k


def two_relus(h: arb, k: arb, theta: arb) -> arb:
    """``E[relu(z + h) relu(y + k)]``."""
    if theta.is_zero():
        least = h.min(k)
        return (1 + h * k) * distribution(least) + (h + k - least) * density(least)
    given_h, given_k = _conditionals(h, k, theta)
    c, s = theta.cos(), theta.sin()
    apart, together = (h - k) / (theta / 2).sin(), (h + k) / (theta / 2).cos()
    corner = (-(apart**2 + together**2) / 8).exp() * s / (2 * arb.pi())
    sides = k * density(h) * given_h + h * density(k) * given_k
    return (c + h * k) * both_active(h, k, theta) + sides + corner


def _conditionals(h: arb, k: arb, theta: arb) -> tuple[arb, arb]:
    """``P(y + k > 0 | z = -h)`` and ``P(z + h > 0 | y = -k)``."""
    c, s = theta.cos(), theta.sin()
    return distribution((k - c * h) / s), distribution((h - c * k) / s)
