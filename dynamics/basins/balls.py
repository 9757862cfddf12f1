"""Ball arithmetic (python-flint) as the basins use it: every value is an interval that holds the true number.

The precision of python-flint belongs to the whole process; what is computed here sets it for the time of a call only.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flint import arb, ctx

PRECISION = 64
"""Bits of the midpoints. More make balls narrower, not truer."""

P = ParamSpec("P")
T = TypeVar("T")


def in_balls(function: Callable[P, T]) -> Callable[P, T]:
    """``function`` at PRECISION bits; before and after it the precision is the caller's."""

    @functools.wraps(function)
    def at_precision(*args: P.args, **kwargs: P.kwargs) -> T:
        with ctx.workprec(PRECISION):
            return function(*args, **kwargs)

    return at_precision


PI: arb = in_balls(arb.pi)()


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
