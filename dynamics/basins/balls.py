"""Ball arithmetic (python-flint) as the recipe uses it: every value is an interval that holds the true number."""

from __future__ import annotations

import math

from flint import arb, ctx

ctx.prec = 64
PI: arb = arb.pi()


def upper(x: arb) -> arb:
    """The upper end, as an exact number."""
    return arb(x.upper())


def lower(x: arb) -> arb:
    """The lower end, as an exact number."""
    return arb(x.lower())


def float_above(x: arb) -> float:
    """A float above every number in the ball (the nearest one to its upper end may be below it)."""
    return math.nextafter(float(x.upper()), math.inf)


def float_below(x: arb) -> float:
    """A float below every number in the ball."""
    return math.nextafter(float(x.lower()), -math.inf)


def arcsine_ratio(z: arb) -> arb:
    """An upper bound of ``A(z)/z``, A = arcsin, which increases on [0, 1] from 1 to pi/2."""
    end = upper(z)
    if not end < 1:
        return PI / 2
    if end < 1e-6:
        return arb(1 + 1e-12)  # A(z)/z <= 1 + z^2/6 + z^4/10 there
    return upper(end.asin() / end)


def angle(u: arb) -> arb:
    """``theta = 2 arcsin(sqrt(u)/2)``, the angle of a node at squared distance u from its teacher."""
    return 2 * (u.sqrt() / 2).asin()
