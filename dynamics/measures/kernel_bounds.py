"""Enclosures of the ReLU kernels and of their slopes while every weight column stays in a spherical cap.

Each node j has a centre (a unit column) and a radius: the column may be anywhere within that angle of it. What
comes out are bounds that hold for every choice of columns at once, by monotonicity, rounded outward at each step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair
from dynamics.geometry.columns import norms
from dynamics.measures.gaussian_kernels import arc_cosine
from dynamics.measures.outward import ELEMENTARY, above, angle_ulps, below
from dynamics.validation import broadcast_lead, real_array

ARC_COSINE = 24.0
"""Ulps of :func:`~dynamics.measures.gaussian_kernels.arc_cosine`: at x = 1, where most cancels, its two terms are .84
and .54 and their difference .30, each with an elementary function's 4 ulp: 20 in all; the series has 5."""

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


def checked_caps(dim: int, centres: Array, radii: Array) -> tuple[Array, Array]:
    """Centres (..., dim, n) and radii (..., n) as float64; raises ValueError or TypeError for no caps."""
    centres, radii = real_array("centres", centres), real_array("radii", radii)
    if centres.ndim < 2 or 0 in centres.shape or centres.shape[-2] != dim:
        raise ValueError(f"centres: expected shape (..., {dim}, n), got {centres.shape}")
    if radii.shape[-1:] != centres.shape[-1:] or (radii < 0).any():
        raise ValueError(
            f"radii: expected {centres.shape[-1]} angles >= 0, one a column, got shape {radii.shape} with least"
            f" {radii.min(initial=np.inf):g}"
        )
    broadcast_lead({"centres": centres, "radii": radii[..., None, :]}, trailing=2)
    if not np.abs(norms(centres) - 1).max(initial=0.0) < 1e-6:
        raise ValueError(
            f"centres: expected unit columns, got norms from {norms(centres).min():g} to {norms(centres).max():g}"
        )
    return centres, radii


def spherical_kernel_bounds(variance: float, centres: Array, radii: Array) -> KernelBounds:
    """Kernel bounds for spherically symmetric input with ``E[x x^T] = variance I``.

    Exact in the angle: all four kernels are monotone in it or have one peak.

    Args:
        variance: ``c`` with ``E[x x^T] = c I``.
        centres: unit columns (..., d, n).
        radii: the largest angle of each column to its centre (..., n), radians.
    Cost: O(n^2 d).
    """
    low, high = angle_range(angle_pair(centres, centres)[1], radii, centres.shape[-2])
    full, half = 2 * np.pi, ELEMENTARY + 2
    steepest = largest_between(low, high, lambda x: x * np.sin(x), LARGEST_X_SINE_AT)
    return KernelBounds(
        d_low=np.maximum(below(low / full, 2), 0.0),
        d_high=above(high / full, 2),
        l_low=np.maximum(below(variance * arc_cosine(low) / full, ARC_COSINE + 3), 0.0),
        l_high=above(variance * arc_cosine(high) / full, ARC_COSINE + 3),
        slope_d=np.full_like(low, above(1 / full, 2)),
        slope_l=above(variance * steepest / full, half + 2),
        across=np.minimum(above(largest_between(low, high, np.sin, np.pi / 2), half), 1.0),
        own_l_low=np.full(radii.shape, variance / 2),
        moment=variance,
    )


def angle_range(angle: Array, radii: Array, dim: int) -> tuple[Array, Array]:
    """Least and largest angle (..., n, n) between columns of length ``dim`` that leave their centres by ``radii``.

    Ends lie outward, but within [0, np.pi]: the float np.pi is below pi by a quarter of an ulp, and all that is
    evaluated at it has a room of ulps. On the diagonal only one of the two moves. ``angle`` may be the supplement.
    """
    spread, ulps = above(pair_spread(radii)), angle_ulps(dim)
    low = np.maximum(below(below(angle, ulps) - spread), 0.0)
    return low, np.minimum(above(above(angle, ulps) + spread), np.pi)


def pair_spread(radii: Array) -> Array:
    """Largest change of each pair's angle, (..., n, n): the sum of both radii; one radius on the diagonal."""
    total = radii[..., :, None] + radii[..., None, :]
    return np.where(np.eye(radii.shape[-1], dtype=bool), radii[..., :, None], total)


def largest_between(low: Array, high: Array, function: Callable[[Array], Array], peak: float) -> Array:
    """Largest value on [low, high] of a function that rises up to ``peak`` and falls after it."""
    return np.asarray(function(np.clip(peak, low, high)))
