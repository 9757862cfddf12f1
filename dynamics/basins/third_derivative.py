"""How fast the Hessian of the loss changes, in ball arithmetic: the third derivative of a pair's kernel.

``kappa(w, u) = (sin theta + (pi - theta) cos theta) / 2 pi`` on two spheres; c = cos theta, g = (pi - theta) sin theta.
On a geodesic of velocities ``a, b`` with components ``a_1, b_1`` in the plane of (w, u) (each away from the other node)
and A, B across it, and ``x, y`` likewise carried along, ``p = a_1 + b_1``, ``q = x_1 + y_1``:

    2 pi d/ds Hess kappa (x, y) = p q^2 (2c + g) + p [(c + g)(|X|^2 + |Y|^2) - 2 X.Y]
        + 2q [c (A.X + B.Y) - X.B - A.Y] + 2g [(A.X) y_1 + (B.Y) x_1]

without a singularity at theta = 0 or pi. docs/theorems.md derives it and the two bounds below.
"""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb

from dynamics.basins.balls import PI, upper

PARTS = 8
"""Pieces of an interval of angles: the bounds are taken on each."""


@dataclass(frozen=True)
class CubicBounds:
    """Along geodesics of speeds |x|, |y|: the third derivative is at most ``both (|x| + |y|)^3`` or ``one |x|^3``."""

    both: arb
    one: arb


def cubic_bounds(low: arb, high: arb) -> CubicBounds:
    """The largest third derivative of kappa along geodesics with the angle in [low, high], both nodes moving or one."""
    low, high = low.max(arb(0)), high.min(PI)
    both = one = arb(0)
    half = (high - low) / (2 * PARTS)
    for part in range(PARTS):
        theta = low + half * (2 * part + 1) + upper(half) * arb(0, 1)
        c, g = theta.cos(), (PI - theta) * theta.sin()
        in_plane, across = upper(abs(2 * c + g)), upper(abs(3 * c + g))
        mixed = upper(across.max(arb(3)) + 2 * abs(g))
        one = one.max(largest_cubic(in_plane, across))
        both = both.max(largest_cubic(in_plane, mixed))
    return CubicBounds(upper(both / (2 * PI)), upper(one / (2 * PI)))


def largest_cubic(a: arb, b: arb) -> arb:
    """``max x (a x^2 + b (1 - x^2))`` over 0 <= x <= 1, for a, b >= 0; an upper bound where it is not decided."""
    if b < 1.5 * a:
        return a  # increases up to x = 1
    if b > 1.5 * a and b > a:
        return upper(2 * b / 3 * (b / (3 * (b - a))).sqrt())
    return upper(a.max(b))


def largest_change(angles: list[list[arb]], radius: arb) -> arb:
    """L with ``|d^3/ds^3 E| <= L`` on every geodesic of unit speed within ``radius`` of ``W = W*``; an upper bound.

    With C_jk the bound of two students' kernel, t_j the sum of those of student j with all teachers, and
    ``a_j = t_j + sum_k C_jk``, the cubic form ``sum_j a_j x_j^3 + 3 sum_{j != k} C_jk x_j^2 x_k`` is, for unit x, at
    most ``max_j a_j + 3 max_j sqrt(sum_k C_jk^2)``; it is also at most the norm of its unfolding, whose square is at
    most the largest ``a_j A_j + sum_k C_jk A_k + 4 sum_k C_jk^2`` with ``A_j = a_j + sum_k C_jk``.
    """
    m = len(angles)
    apart = radius * arb(2).sqrt()  # both nodes move, by radius together
    C = [[arb(0)] * m for _ in range(m)]
    a = [cubic_bounds(arb(0), radius).one for _ in range(m)]
    for j in range(m):
        for k in range(m):
            if k != j:
                C[j][k] = cubic_bounds(angles[j][k] - apart, angles[j][k] + apart).both
                a[j] += C[j][k] + cubic_bounds(angles[j][k] - radius, angles[j][k] + radius).one
    squares = [sum((c**2 for c in row), arb(0)) for row in C]
    A = [a[j] + sum(C[j], arb(0)) for j in range(m)]
    unfolded = [
        a[j] * A[j] + sum((C[j][k] * A[k] for k in range(m)), arb(0)) + 4 * squares[j] for j in range(m)
    ]
    by_terms = largest(a) + 3 * largest(squares).sqrt()
    return upper(by_terms.min(largest(unfolded).sqrt()))


def largest(values: list[arb]) -> arb:
    """An upper bound of the largest of some non-negative numbers."""
    found = arb(0)
    for value in values:
        found = found.max(upper(value))
    return found
