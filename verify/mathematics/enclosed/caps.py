"""Lemma 7 in ball arithmetic: separation of nodes inside their caps, zero-bias isotropic input."""

from __future__ import annotations

from typing import Any

from dynamics.arrays import Array
from verify.judging.enclosing.balls import REAL, Ball, Exact, largest
from verify.mathematics.enclosed.constants import arc_over_chord, steepest_angle
from verify.mathematics.enclosed.vectors import angle_table, kappa


def cap_constants(apart: list[list[Ball]], cap: Exact) -> tuple[Ball, Ball]:
    """``K_l`` and ``K_d`` of Assumption 2 on the caps: largest slope over smallest value, arc over chord.

    ``apart (n, n)``: angles of the centres. A pair's angle moves by both radii, that of a column to the arc from it to
    its centre by one.
    """
    peak = REAL.pi - steepest_angle()
    shares_l, shares_d = [], []
    for j, row in enumerate(apart):
        for k, theta in enumerate(row):
            spread = cap if j == k else 2 * cap
            supplement = REAL.pi if j == k else REAL.pi - theta
            low, high = supplement - spread, supplement if j == k else supplement + spread
            at = low if low >= peak else (min(peak, high))
            shares_l.append(at * REAL.sin(at) / kappa(REAL.pi - low))
            shares_d.append(1 / low)
    stretch = arc_over_chord(cap)
    return largest(*shares_l) * stretch, largest(*shares_d) * stretch


def overlap_ratio(apart: list[list[Ball]], kernel: Any) -> Ball:
    """``max_{j != k} kernel(angle_jk) / kernel(0)`` of unit nodes."""
    off = [kernel(theta) for j, row in enumerate(apart) for k, theta in enumerate(row) if j != k]
    return largest(*off) / Ball(kernel(Ball(0)))


def separation_margin(centres: Array, states: Array, cap: Exact, relevant: int, share_of_M: Exact) -> Ball:
    """One minus the largest of ``d*_jk / (eps_d M_d,jk d*_jj)`` and of the same for l, over all states.

    Args:
        centres: unit columns (d, n), the relevant ones first.
        states: columns (states, d, n), in the caps about them.
        cap: radius of the caps.
        relevant: how many nodes are relevant.
        share_of_M: M is taken times this.
    """
    apart = angle_table(centres, centres)
    K_l, K_d = cap_constants(apart, cap)
    chord, cosine = 2 * REAL.sin(cap / 2), REAL.cos(cap / 2)
    shares = []
    tables = [angle_table(state, centres) for state in states]
    for kernel, K in ((kappa, K_l), (lambda theta: REAL.pi - theta, K_d)):
        reach = [1 + (K * chord if j < relevant else chord) for j in range(len(apart))]
        allowed = Ball(share_of_M) * overlap_ratio(apart, kernel) * (1 + K)
        for table in tables:
            stars = [[kernel(theta) for theta in row] for row in table]
            for j, row in enumerate(stars):
                for k, star in enumerate(row):
                    if j != k:
                        moved = 1 / cosine if k < relevant else 1
                        shares.append(star / (allowed * reach[j] * reach[k] * moved * row[j]))
    return 1 - largest(*shares)


def floor_margin(m: int, theta0: Exact, power_of_K: int, share_of_K: Exact) -> Ball:
    """``(1 - theta0/pi) - (1 - share K_d^power 2 sin(theta0/2))``, K_d the smallest on caps of radius theta0."""
    angle = Ball(theta0)
    widest = REAL.pi / 2 + 2 * angle if m > 1 else angle
    K = arc_over_chord(angle) / (REAL.pi - widest)
    return Ball(share_of_K) * K**power_of_K * 2 * REAL.sin(angle / 2) - angle / REAL.pi
