"""Lemma 4 in ball arithmetic: the margin on one instance, and the proof for every angle by subdivision."""

from __future__ import annotations

from typing import Any

from verify.judging.enclosing.balls import REAL, Ball, Exact
from verify.judging.enclosing.enclosure import Attained, Margin
from verify.judging.enclosing.proof import Proof
from verify.mathematics.enclosed.constants import fall_off_ratio, quadratic_fall_off
from verify.mathematics.enclosed.subdivision import all_of, positive_on
from verify.mathematics.enclosed.vectors import kappa

PROOF_BITS = 64
"""Working precision of the subdivision: its intervals, not its rounding, are what is wide."""


def fall_off_margin(theta0: Exact, near: Exact, C_0: Exact = None) -> Margin:
    """``C_0 l* |dw|^2 - (1/2 - l*)`` at the angle ``near theta0``, where ``l* = kappa / 2 pi`` is below ``l = 1/2``.

    It is zero at the teacher, and at the rim of a ball on which C_0 is the ratio at the rim.
    """
    theta = Ball(near) * theta0
    star = kappa(theta) / (2 * REAL.pi)
    constant = quadratic_fall_off(theta0) if C_0 is None else Ball(C_0)
    margin = constant * star * 4 * REAL.sin(theta / 2) ** 2 - (Ball(1) / 2 - star)
    if near == 0:
        return Attained(margin, "δw_j = 0: both sides are zero")
    if C_0 is None and near == 1 and fall_off_ratio(theta0) > Ball(1) / 2:
        return Attained(margin, "C₀ is attained at θ = θ₀")
    return margin


def fall_off_everywhere(*, share: float = 1.0, half_until: float = 0.478, rises_from: float = 0.3) -> Proof:
    """Lemma 4 for every angle: ``C(t) <= share max(1/2, C(theta0))`` for all ``0 < t <= theta0 < pi``.

    ``C = (pi - kappa)/(c kappa)`` with ``c = 4 sin^2(t/2) = 2(1 - cos t)``, ``s = sin t - t cos t``,
    ``pi - kappa = pi c/2 - s``. It is enough that

    * ``C < share/2`` on ``(0, half_until]``. For share = 1, that is ``s (1 + c/2) > pi c^2/4``; divided by t^3 the
      right side is ``pi t (c/t^2)^2 / 4`` and no sign is lost at 0;
    * C rises on ``[rises_from, pi)``, which begins below ``half_until``: the sign of its derivative is that of ``pi (pi
      - t) c - 2 kappa (pi - kappa)``. With ``x = pi - t``, kappa is ``sin x - x cos x``; divided by x the expression
      stays above zero at x = 0.

    Up to ``half_until`` the first half decides. For larger theta0 angles up to it are below 1/2, and the others have
    ``C(t) <= C(theta0)``. (With a share below 1 the claim is false near 0, where C tends to 1/2.)
    """
    from flint import ctx

    with ctx.workprec(PROOF_BITS):
        half = Ball(share)
        first = positive_on(lambda t: _below_half(t, half), 0, Ball(half_until))
        second = positive_on(_rises, 0, REAL.pi - Ball(rises_from))
        if rises_from > half_until:
            second = Proof(False, 0, f"the gap between {half_until} and {rises_from}")
        return all_of(first, second)


def _squared_over(t: Ball) -> Ball:
    """``c / t^2 = (sin(t/2) / (t/2))^2``."""
    return REAL.sinc(t / 2) ** 2


def _cubed_over(t: Ball) -> Ball:
    """``(sin t - t cos t) / t^3``: between 1/3 - t^2/30 and 1/3 where it is an alternating series (t <= 1)."""
    top = Ball(t.arb.upper())
    if top <= Ball(1) / 4:
        return Ball((Ball(1) / 3 - top**2 / 30).arb.union((Ball(1) / 3).arb))
    return (REAL.sin(t) - t * REAL.cos(t)) / t**3


def _below_half(t: Ball, share: Ball) -> Ball:
    """``[share c kappa / 2 - (pi - kappa)] / t^2``, over another t where share = 1; kappa = pi - pi c/2 + s."""
    ratio, cubed = _squared_over(t), _cubed_over(t)
    if share == 1:
        return cubed * (1 + ratio * t**2 / 2) - REAL.pi * t * ratio**2 / 4
    kept = REAL.pi - REAL.pi * ratio * t**2 / 2 + cubed * t**3
    return share * ratio * kept / 2 - (REAL.pi * ratio / 2 - cubed * t)


def _rises(x: Ball) -> Ball:
    """``[pi x c - 2 kappa (pi - kappa)] / x`` with ``c = 2 (1 + cos x)``, ``kappa = sin x - x cos x``."""
    over = REAL.sinc(x) - REAL.cos(x)
    return 2 * REAL.pi * (1 + REAL.cos(x)) - 2 * over * (REAL.pi - x * over)


def order_margin(departure: Any, near: float, nearer: float, order: Exact, allowance: float) -> Ball:
    """What the order of ``departure(distance)`` between two distances exceeds ``order`` by, and the ``allowance``."""
    far, close = Ball(near), Ball(nearer)
    measured = REAL.log(departure(far) / departure(close)) / REAL.log(far / close)
    return Ball(measured - order + Ball(allowance))
