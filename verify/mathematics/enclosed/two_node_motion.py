"""Theorem 7's identities on two nodes in rational arithmetic: the doubles of an instance are fractions.

Roots of the norms are taken out as factors, after which both sides are rational in w, r and xi. The derivative along
``w' = r + xi w`` is written out once: ``d(a.b) = a'.b + a.b'`` and ``d|w| = w.w'/|w|``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.judging.enclosing.balls import REAL, Ball, Exact, least

Rationals = list[Fraction]


def rationals(values: Any) -> Rationals:
    """Floats as the fractions that they are."""
    return [Fraction(float(value)) for value in values]


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """Inner product."""
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


@dataclass(frozen=True)
class RationalMotion:
    """``w, r`` and ``xi`` of two nodes."""

    w: tuple[Rationals, Rationals]
    r: tuple[Rationals, Rationals]
    xi: Rationals

    def speed(self, k: int) -> Rationals:
        """``w' = r + xi w``."""
        return [a + self.xi[k] * b for a, b in zip(self.r[k], self.w[k], strict=True)]

    def growth(self, k: int) -> Fraction:
        """``d ln|w| / dt``."""
        return dot(self.w[k], self.speed(k)) / dot(self.w[k], self.w[k])

    def across(self, k: int) -> Rationals:
        """``P_perp(w) r``."""
        along = dot(self.w[k], self.r[k]) / dot(self.w[k], self.w[k])
        return [a - along * b for a, b in zip(self.r[k], self.w[k], strict=True)]

    def direction_gap(self, with_norm: bool, factor: Fraction) -> Fraction | Ball:
        """Minus ``| |w| dw̄/dt - factor P_perp r |``, largest entry; without 1/|w| the claim is off by a root."""
        gaps: list[Any] = []
        for k in (0, 1):
            growth = self.growth(k)
            turned = [a - growth * b for a, b in zip(self.speed(k), self.w[k], strict=True)]
            length = 1 if with_norm else REAL.sqrt(Ball(dot(self.w[k], self.w[k])))
            gaps += [_minus_size(a, factor * b, length) for a, b in zip(turned, self.across(k), strict=True)]
        return min(gaps) if with_norm else least(*gaps)

    def cosine_gap(self, second: Fraction) -> Fraction:
        """Minus the difference of both sides of ``d(w̄_1.w̄_2)/dt``, times ``|w_1||w_2|``."""
        (a, b), (da, db) = self.w, (self.speed(0), self.speed(1))
        moved = dot(da, b) + dot(a, db) - dot(a, b) * (self.growth(0) + self.growth(1))
        return -abs(moved - dot(b, self.across(0)) - second * dot(a, self.across(1)))

    def norm_ratio_gap(self, with_xi: bool, factor: Fraction) -> Fraction:
        """Minus the difference of both sides of ``d ln(|w_1|/|w_2|)/dt``."""
        claimed = [
            dot(self.w[k], self.r[k]) / dot(self.w[k], self.w[k]) + (self.xi[k] if with_xi else 0)
            for k in (0, 1)
        ]
        return -abs(self.growth(0) - self.growth(1) - factor * (claimed[0] - claimed[1]))


def _minus_size(measured: Fraction, claimed: Fraction, length: Any) -> Any:
    return -abs(measured - claimed) if length == 1 else -abs(Ball(measured) - Ball(claimed) * length)


def half_angle_gap(
    w: Sequence[Rationals], u: Rationals, rho: Rationals, xi: Rationals, sign: Exact
) -> Fraction | Ball:
    """Minus the difference of both sides of the half-angle law of two nodes pulled along u, ``r_k = rho_k u``.

    Of one node ``d ln tan(theta/2)/dt = -(cos theta)'/sin^2 theta``, and ``(cos theta)' = [w'.u - (w.u) d ln|w|] /
    (|w||u|)``: times ``|w|/|u|`` it is rational, and must be ``-rho``. That done, the law holds with the sign 1, and an
    altered sign is off by the rates.
    """
    pulled = tuple([p * x for x in u] for p in rho)
    motion = RationalMotion((w[0], w[1]), (pulled[0], pulled[1]), xi)
    squared, off, rates = dot(u, u), Fraction(0), []
    for k in (0, 1):
        moved = dot(motion.speed(k), u) - dot(w[k], u) * motion.growth(k)
        sine_squared = 1 - dot(w[k], u) ** 2 / (dot(w[k], w[k]) * squared)
        off = max(off, abs(-moved / squared / sine_squared + rho[k]))
        rates.append(Ball(rho[k]) * REAL.sqrt(Ball(squared / dot(w[k], w[k]))))
    if sign == 1:
        return -off
    return -abs((1 - Ball(sign)) * (rates[1] - rates[0])) - Ball(off)
