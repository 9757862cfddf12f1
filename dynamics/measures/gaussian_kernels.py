"""Gaussian integrals behind the ReLU kernels, written so that no digits cancel.

``arc_cosine`` is the degree-one arc-cosine kernel as a function of the supplementary angle.
``quadrant`` is the bivariate normal distribution function, with the two conditional probabilities that the
first moments need.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.special import erf, ndtr, owens_t

from dynamics.arrays import Array

# sin x - x cos x = sum_k (-1)^(k+1) 2k/(2k+1)! x^(2k+1); eleven terms leave 1e-20 at x = 1.
_SERIES = [(-1) ** (k + 1) * 2 * k / math.factorial(2 * k + 1) for k in range(1, 12)]
_SERIES_BELOW = 1.0  # beyond, sin x and x cos x cancel less than 3 times
# Gauss-Legendre on 32 nodes: 1e-16 for the integrand of _far_corner once the corner is 2 or more away.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
_FAR = 2.0
_FAR_BLOCK = 2048  # corners at a time: 512 KiB of integrand stay in cache
# Phi(-39) underflows: thresholds beyond 60 standard deviations are certain, and infinity is one of them.
CERTAIN_THRESHOLD = 60.0


def arc_cosine(supplement: Array) -> Array:
    """``sin x - x cos x`` at ``x = pi - theta``, which is ``sin theta + (pi - theta) cos theta``.

    Relative error of a few ulp on [0, pi]: a series below 1, where the difference would cancel to x^3/3.
    """
    return arc_cosine_from(supplement, np.sin(supplement), -np.cos(supplement))


def arc_cosine_from(supplement: Array, sine: Array, cosine: Array, out: Array | None = None) -> Array:
    """:func:`arc_cosine` where ``sin theta`` and ``cos theta`` are known; ``out`` may be one of them."""
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
    """:func:`_edge_mass` for a corner far away (flat arrays), by quadrature in the distance u from the corner."""
    mass = np.empty_like(h)
    for start in range(0, len(h), _FAR_BLOCK):
        block = slice(start, start + _FAR_BLOCK)
        hs, vs = h[block, None], v[block, None]
        length = 80.0 / (np.sqrt(vs * vs + 80.0) + vs)  # e^-40 of the integrand is left beyond
        u = length * (0.5 + 0.5 * _NODES)
        density = np.exp(-u * (vs + 0.5 * u)) / (hs * hs + (vs + u) ** 2)
        outside = np.exp(-0.5 * (hs * hs + vs * vs)) * hs * length / (4.0 * np.pi)
        mass[block] = outside[:, 0] * np.vecdot(density, _WEIGHTS)
    return mass


def _edge_mass(h: Array, v: Array) -> Array:
    """Normal probability of the region beyond a half-line, seen from the origin.

    The half-line lies at distance h >= 0 and runs from coordinate v to infinity along its line:
    ``(1/2pi) int_v^inf exp(-(h^2+s^2)/2) h/(h^2+s^2) ds = Phi(-h)/2 - T(h, v/h)``, T Owen's function.
    The difference is never formed where it would cancel.
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
    """``P(X < h, Y < k)``, ``P(Y < k | X = h)``, ``P(X < h | Y = k)`` and the squared corner distance."""

    probability: Array
    given_h: Array
    given_k: Array
    corner_squared: Array


def _corner_coordinates(h: Array, k: Array, theta: Array, supplement: Array) -> tuple[Array, Array]:
    """``(rho h - k)/q`` and ``(rho k - h)/q``, where rho = cos theta and q = sin theta, also near rho = +-1.

    ``rho h - k = (h - k) - 2 h sin^2(theta/2) = -(h + k) + 2 h sin^2(supplement/2)``. At q = 0 the value is
    the limit: +-inf, or 0 when the numerator is 0.
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

    All arguments have one shape; ``supplement = pi - theta`` is passed too because either may be tiny. The
    quadrant {X < h, Y < k} is a corner; seen from the origin each of its edges covers an ``_edge_mass``,
    added when the origin is outside that edge and subtracted otherwise.

    Accuracy: relative, about 2e-14, when h and k have one sign (all terms are then positive); when they
    differ, absolute, about 1e-15 times the smaller marginal. theta = 0 and pi give the limits.
    Source: the reduction to Owen's T is Owen (1956); the positive rearrangement is this module's.
    """
    v_h, v_k = _corner_coordinates(h, k, theta, supplement)
    both = (h > 0) & (k > 0)
    # Both thresholds positive: 1 - mass(v) - mass(v) is rewritten by mass(v) = Phi(-h) - mass(-v).
    mass_h = _edge_mass(np.abs(h), np.where(both, -v_h, v_h))
    mass_k = _edge_mass(np.abs(k), np.where(both, -v_k, v_k))
    inside = 0.5 * erf(h / math.sqrt(2.0)) + 0.5 * erf(k / math.sqrt(2.0)) + mass_h + mass_k
    outside = np.where(h > 0, -mass_h, mass_h) + np.where(k > 0, -mass_k, mass_k)
    probability = np.where(both, inside, outside)
    probability = np.where((h == 0) & (k == 0), supplement / (2.0 * np.pi), probability)
    corner_squared = h * h + np.minimum(np.abs(v_h), 1e100) ** 2
    return Quadrant(np.clip(probability, 0.0, 1.0), ndtr(-v_h), ndtr(-v_k), corner_squared)
