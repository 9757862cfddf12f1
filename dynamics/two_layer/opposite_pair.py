"""Two irrelevant nodes with opposite fan-outs, in closed form: what they keep when they merge.

``w_1, w_2`` at angle phi and equal angles to every other node, fan-outs ``v_1 = -v_2`` of norm v, orthogonal to all
other fan-outs, the relevant students on their teachers. Then nothing else moves, ``J = omega^2 v^2 (1/2 - kappa(phi))``
with ``omega = ||w_1|| = ||w_2||``, and

    phi' = -v^2 (pi - phi) sin phi / pi,   v' = -omega^2 v (1/2 - kappa(phi)).

With ``q(phi) = integral of [pi - sin t - (pi - t) cos t] / [(pi - t) sin t]`` from 0 to phi, Theorem 5's flow on unit
columns (omega = 1) conserves ``v^2 - q(phi)``; the flow as printed, without projection, conserves
``omega^2 (pi - phi) exp(-q(phi))``, and so ``v^2`` minus the integral of ``omega^2 dq`` along phi (docs/theorems.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.integrate import quad

from dynamics.validation import number, shown

SMALL = 1e-4
"""Angle below which the slope of q is three terms of its series; the next is 2e-13 of it, the formula loses more."""


def slope(t: float) -> float:
    """``dq/dphi`` at the angle t, 0 <= t < pi: ``t/2`` near 0, ``pi/(pi - t)^2`` near pi."""
    if t < SMALL:
        return t / 2 + t**2 / (6 * math.pi) + t**3 * (1 / 24 + 1 / (6 * math.pi**2))
    falling = math.sin(t) - t * math.cos(t)
    return (2 * math.pi * math.sin(t / 2) ** 2 - falling) / ((math.pi - t) * math.sin(t))


def lost_square(angle: float, *, projected: bool = True) -> float:
    """What a pair that merges from ``angle`` loses of ``v^2``: ``q(angle)`` where columns stay unit, less where not.

    Args:
        angle: phi_0 between the two nodes, from 0 to pi, pi excluded.
        projected: Theorem 5's flow on unit columns; False: the flow as printed, from unit columns.
    Returns:
        ``v_0^2 - v_inf^2`` if ``v_0^2`` is larger than this; its root is the threshold of v_0, 0.911456 (0.681050 as
        printed) at phi_0 = pi/2 and about phi_0/2 for small angles.
    Raises:
        ValueError: an angle outside the range.
    Cost: quadrature, below a millisecond (printed: some).
    Source: our own, docs/theorems.md.
    """
    angle = number("angle", angle, least=0)
    if not angle < math.pi:
        raise ValueError(f"angle: expected 0 <= angle < pi, got {shown(angle)}")
    whole = _integral(slope, angle)
    if projected:
        return whole

    def weighted(t: float) -> float:
        return slope(t) * math.exp(_integral(slope, t) - whole) * (math.pi - angle) / (math.pi - t)

    return _integral(weighted, angle)


def remaining_fan_out(size: float, angle: float, *, projected: bool = True) -> float:
    """``||v_r||`` in the end of a pair that starts at fan-outs ``size``: ``sqrt(size^2 - lost_square)``, 0 below."""
    return math.sqrt(max(size**2 - lost_square(angle, projected=projected), 0.0))


def _integral(f: Callable[[float], float], angle: float) -> float:
    return float(quad(f, 0.0, angle, epsabs=1e-14, epsrel=1e-12, limit=200)[0])
