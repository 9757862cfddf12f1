"""The margins of Lemmas 2 and 3 on pairs of nodes under isotropic Gaussian input, in ball arithmetic.

Every function is of a pair whose numbers are balls and returns None for pairs with a threshold, whose kernels have no
closed form here. Source: Luck Matters, Lemmas 2 and 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from verify.judging.enclosing.balls import REAL, Ball, Exact
from verify.judging.enclosing.enclosure import Attained, Margin
from verify.mathematics.enclosed.constants import lipschitz_d, lipschitz_l
from verify.mathematics.enclosed.vectors import kappa, length, psi_d, psi_l
from verify.mathematics.families.near_pairs import NearPair, nodes_in

AT_ITS_TEACHER = "student {} sits on its teacher: both sides are the same"


def chord(near: Exact, theta0: Exact) -> Ball:
    """``||dw|| = 2 sin(near theta0 / 2)``."""
    return 2 * REAL.sin(Ball(near) * theta0 / 2)


def modulated_difference(pair: NearPair, share_of_K: Exact) -> Margin | None:
    """``(1 + share K_d) d*_jk |dw_k| - |w*_k d*_jk - w_k d_jk|`` (19)."""
    if pair.threshold != 0:
        return None
    (_, teacher_k), (student_j, student_k) = nodes_in(REAL, pair)
    star, own = psi_d(student_j, teacher_k), psi_d(student_j, student_k)
    K = lipschitz_d(pair.angle, pair.theta0)
    shift = [Ball(w) * (star - own) + (Ball(t) - w) * star for t, w in zip(teacher_k, student_k, strict=True)]
    margin = (1 + share_of_K * K) * star * chord(pair.near_k, pair.theta0) - length(shift)
    return Attained(margin, AT_ITS_TEACHER.format("k")) if pair.near_k == 0 else margin


def overlap(pair: NearPair, steps: Sequence[Exact], share_of_eps: Exact) -> Margin | None:
    """``share eps_d (1 + K_d step)(1 + K_d step) d*_jj - d*_jk`` for the two ``steps`` (20)."""
    if pair.threshold != 0:
        return None
    (teacher_j, teacher_k), (student_j, _) = nodes_in(REAL, pair)
    star, own = psi_d(student_j, teacher_k), psi_d(student_j, teacher_j)
    K = lipschitz_d(pair.angle, pair.theta0)
    bound = share_of_eps * 2 * psi_d(teacher_j, teacher_k) * own
    for step in steps:
        bound = bound * (1 + K * step)
    still = pair.near_j == 0 and all(step == 0 for step in steps) and share_of_eps == 1
    return Attained(bound - star, AT_ITS_TEACHER.format("j")) if still else bound - star


def weighted_difference(pair: Any, bound_of: Any) -> Ball:
    """``bound - |v*_k l*_jk - v_k l_jk|`` (30).

    ``pair`` has fan-outs besides; ``bound_of(l*_jk, K_l, |dw_k|)`` is the bound.
    """
    (_, teacher_k), (student_j, student_k) = nodes_in(REAL, pair)
    star, own = psi_l(student_j, teacher_k), psi_l(student_j, student_k)
    fan_out = (pair.strength, Ball(0))
    moved = (pair.shift * REAL.cos(pair.bearing), pair.shift * REAL.sin(pair.bearing))
    difference = [v * (star - own) - dv * own for v, dv in zip(fan_out, moved, strict=True)]
    K = lipschitz_l(pair.angle, pair.theta0)
    return Ball(bound_of(star, K, chord(pair.near_k, pair.theta0))) - length(difference)


def fan_outs_left_out(pair: Any) -> Margin | None:
    """``(1 + K_l) l*_jk |dw_k| - |Delta q_jk|``, Lemma 3 as printed."""
    if pair.threshold != 0:
        return None
    margin = weighted_difference(pair, lambda star, K, step: (1 + K) * star * step)
    still = pair.near_k == 0 and pair.shift == 0
    return Attained(margin, "nothing of node k moves: both sides are zero") if still else margin


def fan_outs_kept(pair: Any, growth: bool, share_of_K: Exact) -> Margin | None:
    """``l*_jk (K_l |dw_k| |v*_k| + (1 + K_l |dw_k|) |dv_k|) - |Delta q_jk|``, Lemma 3 corrected."""
    if pair.threshold != 0:
        return None

    def bound(star: Ball, K: Ball, step: Ball) -> Ball:
        reach = share_of_K * K * step
        return star * Ball(reach * pair.strength + (1 + reach if growth else 1) * pair.shift)

    margin = weighted_difference(pair, bound)
    if pair.near_k == 0:
        return Attained(margin, "student k sits on its teacher: both sides are l*_jk ‖δv_k‖")
    if pair.strength == 0 and pair.shift == 0:
        return Attained(margin, "no fan-outs: both sides are zero")
    return margin


def weighted_overlap(pair: NearPair, factors: int, share_of_eps: Exact) -> Margin | None:
    """``share eps_l (1 + K_l |dw_j|)^factors l*_jj - l*_jk``, Lemma 3 (31) corrected."""
    if pair.threshold != 0:
        return None
    (teacher_j, teacher_k), (student_j, _) = nodes_in(REAL, pair)
    K, step = lipschitz_l(pair.angle, pair.theta0), chord(pair.near_j, pair.theta0)
    eps = kappa(pair.angle) / REAL.pi
    bound = share_of_eps * eps * (1 + K * step) ** factors * psi_l(student_j, teacher_j)
    margin = bound - psi_l(student_j, teacher_k)
    still = pair.near_j == 0 and share_of_eps == 1
    return Attained(margin, AT_ITS_TEACHER.format("j")) if still else margin
