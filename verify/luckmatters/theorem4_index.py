"""Theorem 4's proof as first printed (v1): the index of the overlap in (36) and (38)."""

from __future__ import annotations

import math

import mpmath as mp

from verify.judging import Assumption, Context, Evidence
from verify.luckmatters.lemma2 import overlaps_of
from verify.luckmatters.theorem4 import THEOREM4
from verify.mathematics.families.near_pairs import NearPair, isotropic_pairs, nodes_in
from verify.mathematics.precise.kernels import DIGITS


def a_step_and_a_constant(pair: NearPair) -> tuple[Assumption, ...]:
    """Isotropic input, a student k that is off its teacher, and a finite K_d."""
    return (
        Assumption.equal("isotropic input: b", pair.threshold),
        Assumption.above("student k off its teacher: angle / θ₀", pair.near_k, 1e-3),
        Assumption.above("K_d finite: π − α − θ₀", math.pi - pair.angle - pair.theta0, 1e-6, "rad"),
    )


@THEOREM4.claim(
    "printed",
    part="index",
    expected="refuted",
    on=NearPair,
    draw=isotropic_pairs,
    assume=a_step_and_a_constant,
    place="Eqn 36, second inequality, and Eqn 38",
    version="v1",
    section="8.5",
    compares=("(1 + K_d) d*_jk", "≤", "ε_d (1 + K_d) [1 + 2 K_d sin(θ₀/2)]² d*_jk"),
    note="mended by the authors in v4",
    telling=lambda pair: pair.near_j > 0 and pair.theta0 >= 0.05,
)
def overlap_is_below_itself(
    pair: NearPair, context: Context, *, own: bool = False, stretch: float = 1.0
) -> Evidence:
    """Theorem 4: the overlap of (36) as first printed

    (1 + K_d) d*_jj' ‖δw_j'‖ ≤ ε_d (1 + K_d) [1 + 2K_d sin(θ₀/2)]² d*_jj' ‖δw_j'‖

    v1 prints d*_jj' on both sides (and in (38)), so that the inequality needs ε_d [1 + 2K_d sin(θ₀/2)]² ≥ 1. Meant is
    d*_jj on the right, as v4 prints: a slip, and nothing depends on it. v4's inequality still misses, barely, where
    ε_d is taken with the larger of the two own overlaps (``lemma2.overlap``).
    """
    # Altered: ``own``: d*_jj on the right, with the right-hand side ``stretch`` times as large.
    o = overlaps_of(pair)
    growth = (1 + 2 * o.K_d * math.sin(pair.theta0 / 2)) ** 2
    left = (1 + o.K_d) * o.star
    right = stretch * o.eps_d * (1 + o.K_d) * growth * (o.own if own else o.star)
    return Evidence.at_most(left, bound=right, tolerance=1e-13 * left, K_d=o.K_d, eps_d=o.eps_d)


@overlap_is_below_itself.confirmed_precisely(digits=DIGITS)
def in_fifty_digits(pair: NearPair, *, own: bool = False, stretch: float = 1.0) -> Evidence:
    """Angles and K_d from their formulas in 50 digits; (pi - angle) / 2 pi for every overlap."""
    with mp.workdps(DIGITS):
        teachers, students = nodes_in(mp.mp, pair)

        def overlap(a: list[mp.mpf], b: list[mp.mpf]) -> mp.mpf:
            chord = mp.sqrt(mp.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True)))
            return (mp.pi - 2 * mp.asin(chord / 2)) / (2 * mp.pi)

        half = mp.mpf(pair.theta0) / 2
        K = half / mp.sin(half) / (mp.pi - mp.mpf(pair.angle) - mp.mpf(pair.theta0))
        star, theirs = overlap(students[0], teachers[1]), overlap(students[0], teachers[0])
        eps = overlap(teachers[0], teachers[1]) / overlap(teachers[0], teachers[0])
        left = (1 + K) * star
        right = stretch * eps * (1 + K) * (1 + 2 * K * mp.sin(half)) ** 2 * (theirs if own else star)
        return Evidence.at_most(float(left), bound=float(right), tolerance=0.0)


STILL = NearPair(theta0=0.2, angle=1.5, near_j=0.0, near_k=1.0)
overlap_is_below_itself.accepts("v4's index, student j on its teacher", STILL, own=True)
# There the left side is 0.7711774486810 of the right one.
overlap_is_below_itself.accepts(
    "v4's index, 0.77117744868871 of it", STILL, own=True, stretch=0.77117744868871
)
overlap_is_below_itself.rejects(
    "v4's index, 0.77117744867329 of it", STILL, own=True, stretch=0.77117744867329
)
overlap_is_below_itself.rejects(
    "nearly all of the overlap shared", NearPair(theta0=0.01, angle=0.2, near_k=1.0)
)
overlap_is_below_itself.excludes("student k at its teacher", NearPair(near_k=0.0), "student k off")
overlap_is_below_itself.excludes(
    "a threshold", NearPair(theta0=0.01, threshold=2.0, near_k=1.0), "isotropic input"
)
overlap_is_below_itself.excludes("a threshold of 0.4", NearPair(threshold=0.4, near_k=1.0), "isotropic input")
overlap_is_below_itself.excludes(
    "caps that reach antiparallel nodes", NearPair(theta0=1.0, angle=2.5, near_k=1.0), "K_d finite"
)
overlap_is_below_itself.includes("student k off its teacher", STILL)

overlap_is_below_itself.errs(
    says="v1, proof of Theorem 4, (36) and (38): the overlap d*_jj' stands on both sides, with a factor ε_d ≪ 1 on the"
    " right",
    true="meant is d*_jj on the right (v4 prints it so); as printed the inequality needs ε_d [1 + 2K_d sin(θ₀/2)]² ≥ 1",
    impact="typographical",
    matters="nothing depends on it: the authors mended it",
)
