"""Enclosures of the ReLU kernels and of their slopes while every weight column stays in a spherical cap.

Each node j has a centre (a unit column) and a radius: the column may be anywhere within that angle of it. What
comes out are bounds that hold for every choice of columns at once, by monotonicity, with room for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair
from dynamics.measures.gaussian_kernels import arc_cosine

ROUNDING_ROOM = 1e-12
"""Relative widening of every bound: the kernels are good to 2e-14, a chain of ten operations on them to less."""

ABSOLUTE_ROOM = 1e-15
"""Absolute widening: the rounding of the biased kernels where thresholds have opposite signs."""

LARGEST_X_SINE_AT = 2.028757838110434
"""Where ``x sin x`` is largest on [0, pi]: the root of ``tan x = -x``."""


@dataclass(frozen=True)
class KernelBounds:
    """Bounds over the caps, each ``(..., n, n)``; row j is the first slot, column k the second.

    ``d_low <= psi_d(w_j, w_k) <= d_high``, ``l_low <= psi_l(w_j, w_k) <= l_high``; ``slope_d``, ``slope_l`` bound the
    tangential gradient in the second slot (per radian); ``across`` bounds ``||P_perp(w_j) w_k||``. On the diagonal the
    pair is a column of the cap and a point on the arc from it to the centre. ``own_l_low (..., n)`` bounds
    ``psi_l(w_j, w_j)`` from below. ``moment``: L_0 is this multiple of the identity.
    """

    d_low: Array
    d_high: Array
    l_low: Array
    l_high: Array
    slope_d: Array
    slope_l: Array
    across: Array
    own_l_low: Array
    moment: float

    def widened(self) -> KernelBounds:
        """The same bounds with room for the rounding of what they were computed from."""

        def lower(x: Array) -> Array:
            return np.maximum(x * (1 - ROUNDING_ROOM) - ABSOLUTE_ROOM, 0.0)

        def upper(x: Array) -> Array:
            return np.asarray(x * (1 + ROUNDING_ROOM) + ABSOLUTE_ROOM)

        return KernelBounds(
            lower(self.d_low), upper(self.d_high), lower(self.l_low), upper(self.l_high),
            upper(self.slope_d), upper(self.slope_l), np.minimum(upper(self.across), 1.0),
            lower(self.own_l_low), self.moment,
        )  # fmt: skip


def spherical_kernel_bounds(variance: float, centres: Array, radii: Array) -> KernelBounds:
    """Kernel bounds for spherically symmetric input with ``E[x x^T] = variance I``.

    Exact in the angle: all four kernels are monotone in it or have one peak.

    Args:
        variance: ``c`` with ``E[x x^T] = c I``.
        centres: unit columns (..., d, n).
        radii: the largest angle of each column to its centre (..., n), radians.
    Cost: O(n^2 d).
    """
    spread = pair_spread(radii)
    supplement = angle_pair(centres, centres)[1]
    low, high = np.maximum(supplement - spread, 0.0), np.minimum(supplement + spread, np.pi)
    own = np.full(radii.shape, variance / 2)
    slope_l = largest_between(low, high, lambda x: x * np.sin(x), LARGEST_X_SINE_AT)
    return KernelBounds(
        d_low=low / (2 * np.pi),
        d_high=high / (2 * np.pi),
        l_low=variance * arc_cosine(low) / (2 * np.pi),
        l_high=variance * arc_cosine(high) / (2 * np.pi),
        slope_d=np.full_like(low, 1 / (2 * np.pi)),
        slope_l=variance * slope_l / (2 * np.pi),
        across=largest_between(low, high, np.sin, np.pi / 2),
        own_l_low=own,
        moment=variance,
    ).widened()


def pair_spread(radii: Array) -> Array:
    """Largest change of each pair's angle, (..., n, n): the sum of both radii; one radius on the diagonal."""
    total = radii[..., :, None] + radii[..., None, :]
    return np.where(np.eye(radii.shape[-1], dtype=bool), radii[..., :, None], total)


def largest_between(low: Array, high: Array, function: Callable[[Array], Array], peak: float) -> Array:
    """Largest value on [low, high] of a function that rises up to ``peak`` and falls after it."""
    return np.asarray(function(np.clip(peak, low, high)))
