"""Bounds of the derivatives of a pair's kernel over a range of angles, in ball arithmetic.

``kappa(w, u) = (sin theta + (pi - theta) cos theta) / 2 pi`` on two spheres; c = cos theta, g = (pi - theta) sin theta.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb

from dynamics.basins.balls import PI, upper
from dynamics.basins.third_derivative import cubic_bounds

PARTS = 8
"""Pieces of an interval of angles: the bounds are taken on each."""


@dataclass(frozen=True)
class PairBounds:
    """Over a range of angles, for tangents x at w and y at u, each an upper bound rounded up.

    ``same``, ``mixed``: ``|Hess kappa| <= same (|x|^2 + |y|^2) + 2 mixed |x||y|``. ``one``, ``both``: of the third
    derivative along geodesics, ``one |x|^3`` with u at rest and ``both (|x| + |y|)^3``. ``moved``: of how fast
    ``Hess kappa(x, x)`` changes as u moves, ``moved |x|^2`` times its speed.
    """

    same: float
    mixed: float
    one: float
    both: float
    moved: float


def pair_bounds(low: arb, high: arb) -> PairBounds:
    """The bounds for angles in [low, high], cut to [0, pi]."""
    low, high = low.max(arb(0)), high.min(PI)
    same = mixed = moved = arb(0)
    half = (high - low) / (2 * PARTS)
    for part in range(PARTS):
        theta = low + half * (2 * part + 1) + upper(half) * arb(0, 1)
        c, s, rest = theta.cos(), theta.sin(), PI - theta
        in_plane, across = upper(abs(s - rest * c)), upper(abs(rest * c))
        same = same.max(in_plane).max(across)
        mixed = mixed.max(in_plane).max(upper(abs(rest)))
        moved = moved.max(largest_bilinear(upper(abs(2 * c + rest * s)), upper(abs(c + rest * s)), arb(1)))
    cubic = cubic_bounds(low, high)
    return PairBounds(
        same=above(same / (2 * PI)),
        mixed=above(mixed / (2 * PI)),
        one=above(cubic.one),
        both=above(cubic.both),
        moved=above(moved / (2 * PI)),
    )


def largest_bilinear(a: arb, b: arb, c: arb) -> arb:
    """An upper bound of ``P (a Q^2 + b T^2) + 2 c S Q T`` over unit (P, S) and (Q, T), for a, b, c >= 0.

    With t = Q^2 its square is at most ``(a t + b (1 - t))^2 + 4 c^2 t (1 - t)``, a parabola in t.
    """
    square, linear = (a - b) ** 2 - 4 * c * c, 2 * b * (a - b) + 4 * c * c
    ends = (a * a).max(b * b)
    if square < 0:  # concave: nowhere above its vertex
        return upper(ends.max(b * b - linear**2 / (4 * square)).sqrt())
    if square >= 0:
        return upper(ends.sqrt())
    return upper((b * b + abs(square) + abs(linear)).sqrt())


def above(x: arb) -> float:
    """A float above a ball around a number that is not negative."""
    return float(upper(x)) * (1 + 1e-15) + 1e-300
