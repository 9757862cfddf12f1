"""Gaussian integrals behind the ReLU kernels, written so that no digits cancel.

``arc_cosine`` is the arc-cosine kernel of degree one as a function of the supplementary angle. ``quadrant`` is the
bivariate normal distribution function, with the two conditional probabilities that the first moments need.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import erf, ndtr, owens_t

from dynamics.arrays import Array

# sin x - x cos x = sum_{k >= 1} (-1)^(k+1) 2k/(2k+1)! x^(2k+1); what follows eleven terms is 1e-20 at x = 1.
_SERIES = [(-1) ** (k + 1) * 2 * k / math.factorial(2 * k + 1) for k in range(1, 12)]
# Beyond, the difference of sin x and x cos x is at least a third of sin x.
_SERIES_BELOW = 1.0
# Gauss-Legendre with 32 nodes has an error of 1e-16 for the integrand of _far_corner, whose corner is _FAR away.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_FAR = 2.0
_FAR_BLOCK = 2048  # corners at a time: 512 KiB of integrand stay in cache
# Phi(-39) underflows: a gate with a threshold beyond 60 standard deviations, infinity included, is certain.
CERTAIN_THRESHOLD = 60.0


def arc_cosine(supplement: Array) -> Array:
    """``sin theta + (pi - theta) cos theta = sin x - x cos x`` with ``x = pi - theta``.

    A series below x = 1, where the difference would cancel to x^3 / 3. Accuracy: a few ulp on [0, pi].

    Args:
        supplement: ``x``, radians, any shape.
    """
    return arc_cosine_from(supplement, np.sin(supplement), -np.cos(supplement))


def arc_cosine_from(supplement: Array, sine: Array, cosine: Array, out: Array | None = None) -> Array:
    """:func:`arc_cosine` where ``sin theta`` and ``cos theta`` are known too; ``out`` may be one of the arguments."""
    value = np.asarray(np.multiply(supplement, cosine, out=out))
    value += sine
    small = np.flatnonzero(supplement < _SERIES_BELOW)
    if small.size:
        x = supplement.reshape(-1)[small]
        square = x * x
        total = np.zeros_like(x)
        for coefficient in reversed(_SERIES):
            total *= square
            total += coefficient
        value.reshape(-1)[small] = x * square * total
    return value


def _far_corner(h: Array, v: Array) -> Array:
    """:func:`_edge_mass` for corners at least ``_FAR`` away, (count,): quadrature in the distance u from the corner."""
    mass = np.empty_like(h)
    for start in range(0, len(h), _FAR_BLOCK):
        block = slice(start, start + _FAR_BLOCK)
        hs, vs = h[block, None], v[block, None]
        length = 80.0 / (np.sqrt(vs * vs + 80.0) + vs)  # where exp(-u (v + u/2)) has fallen to exp(-40)
        u = length * (0.5 + 0.5 * _NODES)
        density = np.exp(-u * (vs + 0.5 * u)) / (hs * hs + (vs + u) ** 2)
        outside = np.exp(-0.5 * (hs * hs + vs * vs)) * hs * length / (4.0 * np.pi)
        mass[block] = outside[:, 0] * np.vecdot(density, _WEIGHTS)
    return mass


def _edge_mass(h: Array, v: Array) -> Array:
    """Normal probability of the points that a half-line hides from the origin.

    ``(1/2pi) int_v^inf exp(-(h^2+s^2)/2) h/(h^2+s^2) ds = Phi(-h)/2 - T(h, v/h)`` with T Owen's function, formed in
    one of three ways so that the difference never cancels.

    Args:
        h: distance of the line from the origin, >= 0.
        v: coordinate along the line, from the foot of the perpendicular, at which the half-line begins.
    """
    value = np.where(np.isnan(v), np.nan, 0.0)
    w = np.abs(v)
    far = (np.hypot(h, w) >= _FAR) & (w < CERTAIN_THRESHOLD) & (h > 0)
    steep = ~far & (w > h) & (w < CERTAIN_THRESHOLD)
    flat = ~far & (w <= h) & (h > 0) & (w < CERTAIN_THRESHOLD)
    value[far] = _far_corner(h[far], w[far])
    value[flat] = 0.5 * ndtr(-h[flat]) - owens_t(h[flat], w[flat] / h[flat])
    hs, ws = h[steep], w[steep]
    value[steep] = owens_t(ws, hs / ws) - 0.5 * ndtr(-ws) * erf(hs / math.sqrt(2.0))
    return np.where(v < 0, ndtr(-h) - value, value)


class Quadrant(NamedTuple):
    """``P(X < h, Y < k)``, ``P(Y < k | X = h)``, ``P(X < h | Y = k)`` and the squared distance of the corner.

    The corner is that of the quadrant {X < h, Y < k} once X and Y are made independent.
    """

    probability: Array
    given_h: Array
    given_k: Array
    corner_squared: Array


def _corner_coordinates(h: Array, k: Array, theta: Array, supplement: Array) -> tuple[Array, Array]:
    """``(rho h - k) / q`` and ``(rho k - h) / q`` with rho = cos theta and q = sin theta, accurate near rho = +-1.

    ``rho h - k = (h - k) - 2 h sin^2(theta/2) = -(h + k) + 2 h sin^2(supplement/2)``. At q = 0 the limits: +-inf, or 0
    when the numerator is 0.
    """
    acute = theta <= supplement
    narrow = np.where(acute, theta, supplement)
    side = np.where(acute, 1.0, -1.0)
    q, half = np.sin(narrow), np.tan(0.5 * narrow)
    gap = h - side * k
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        slope = np.where(gap == 0.0, 0.0, gap / q)
    return np.asarray(side * slope - side * h * half), np.asarray(-slope - side * k * half)


def quadrant(h: Array, k: Array, theta: Array, supplement: Array) -> Quadrant:
    """Bivariate normal distribution function at correlation ``cos theta``, with its conditionals.

    The quadrant {X < h, Y < k} is a corner of the plane; each of its two edges hides an ``_edge_mass`` from the origin,
    which is added when the origin is outside that edge and subtracted when it is inside.

    Accuracy: relative, about 2e-14, when h and k have one sign (all terms are then positive); when they differ,
    absolute, about 1e-15 times the smaller marginal. theta = 0 and pi give the limits.

    Args:
        h, k: thresholds in standard deviations.
        theta, supplement: ``theta`` and ``pi - theta`` in radians, both because either may be tiny. All four arrays
            are of one shape.
    Cost: two evaluations of Owen's T, and 32 exponentials where a corner is far.
    Source: the reduction to Owen's T is Owen (1956); the positive rearrangement is this module's.
    """
    v_h, v_k = _corner_coordinates(h, k, theta, supplement)
    both = (h > 0) & (k > 0)
    # With both thresholds positive, 1 - mass(v_h) - mass(v_k) is rewritten by mass(v) = Phi(-h) - mass(-v).
    mass_h = _edge_mass(np.abs(h), np.where(both, -v_h, v_h))
    mass_k = _edge_mass(np.abs(k), np.where(both, -v_k, v_k))
    inside = 0.5 * erf(h / math.sqrt(2.0)) + 0.5 * erf(k / math.sqrt(2.0)) + mass_h + mass_k
    outside = np.where(h > 0, -mass_h, mass_h) + np.where(k > 0, -mass_k, mass_k)
    probability = np.where(both, inside, outside)
    probability = np.where((h == 0) & (k == 0), supplement / (2.0 * np.pi), probability)
    corner_squared = h * h + np.minimum(np.abs(v_h), 1e100) ** 2
    return Quadrant(np.clip(probability, 0.0, 1.0), ndtr(-v_h), ndtr(-v_k), corner_squared)
