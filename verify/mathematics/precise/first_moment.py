"""The first-moment kernel in mpmath, by other formulas than ``dynamics``: for confirming counterexamples."""

from __future__ import annotations

from typing import Any

import mpmath as mp

from verify.mathematics.precise.kernels import angle, dot, psi_d_biased, psi_d_isotropic

__all__ = ["difference", "length", "psi_d", "psi_l", "psi_l_biased", "psi_l_isotropic", "relative_slope"]


def length(a: Any) -> Any:
    """Euclidean norm."""
    return mp.sqrt(dot(a, a))


def difference(a: Any, b: Any) -> Any:
    """``a - b`` as an mpmath vector."""
    return mp.matrix(a) - mp.matrix(b)


def psi_d(a: Any, b: Any, *, biased: bool) -> Any:
    """``P(both gates open)`` for isotropic Gaussian input, or for columns that carry a bias."""
    a, b = mp.matrix(a), mp.matrix(b)
    return psi_d_biased(a, b) if biased else psi_d_isotropic(a, b)


def psi_l(a: Any, b: Any, *, biased: bool) -> Any:
    """``E[relu relu]`` likewise."""
    a, b = mp.matrix(a), mp.matrix(b)
    return psi_l_biased(a, b) if biased else psi_l_isotropic(a, b)


def psi_l_isotropic(a: Any, b: Any) -> Any:
    """``E[relu(a.x) relu(b.x)]``, ``x ~ N(0, I)``."""
    theta = angle(a, b)
    return length(a) * length(b) * (mp.sin(theta) + (mp.pi - theta) * mp.cos(theta)) / (2 * mp.pi)


def psi_l_biased(a: Any, b: Any) -> Any:
    """``E[relu(a.x) relu(b.x)]`` for ``x = (z, 1)``, z standard normal: one quadrature along the direction of a."""
    last = len(a) - 1
    direction, other = mp.matrix(a[:last]), mp.matrix(b[:last])
    size = length(direction)
    along = dot(direction, other) / size
    rest = other - direction * (along / size)
    across = length(rest)

    def slice_moment(z: Any) -> Any:
        return mp.npdf(z) * (size * z + a[last]) * _mean_of_positive_part(b[last] + along * z, across)

    start = -a[last] / size
    # The other node's edge, a step of width across / along, is made a break point, or it would not be seen.
    edge, width = (-b[last] / along, across / along) if along > 0 else (start, mp.mpf(1))
    stops = {edge - 8 * width, edge, edge + 8 * width, start + 2, start + 6}
    return mp.quad(slice_moment, [start, *sorted(stop for stop in stops if stop > start), mp.inf])


def _mean_of_positive_part(mean: Any, deviation: Any) -> Any:
    """``E[relu(y)]`` for ``y ~ N(mean, deviation^2)``."""
    if deviation == 0:
        return max(mean, mp.mpf(0))
    ratio = mean / deviation
    return mean * mp.ncdf(ratio) + deviation * mp.npdf(ratio)


def relative_slope(value: Any, moved: Any, distance: Any) -> Any:
    """``|value - moved| / (value distance)``: the constant that Assumption 2 needs for one step; 0 for no step."""
    return abs(value - moved) / (value * distance) if distance else mp.mpf(0)
