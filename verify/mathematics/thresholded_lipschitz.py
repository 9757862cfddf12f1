"""An upper bound of Assumption 2's ``K_d`` on balls about thresholded orthogonal teachers, by subdivision."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.measures.biased_gaussian import BiasedGaussian

RADII = 4
"""Steps in the radius of the ball over which the path from the teacher is integrated."""

ACCURACY = 0.02
"""The slope is bounded within this share of the largest one found."""

CELLS, ROUNDS, AXES = 40_000, 16, 3
"""Most cells at once, most halvings of all three sides, and their number; reaching either only loosens the bound."""

ROUNDING = 1e-9
"""Far above the relative error of the kernel, 1e-13."""


def lipschitz_d_thresholded(threshold: float, m: int, theta0: float) -> float:
    """``K_d`` on the balls of radius theta0 about thresholded orthogonal teachers, Gaussian input with bias.

    An upper bound of ``|psi_d(w, w_1) - psi_d(w, w_2)| / (psi_d(w, w_1) ||w_1 - w_2||)`` over the uses that Lemma 2 and
    Theorem 4 make of Assumption 2: from a teacher to its student and back, seen from a teacher or a student near
    another (or the same) teacher. On the way from the teacher, ``log psi_d`` changes by at most
    ``A = int_0^theta0 L(s) ds``, L(s) its largest slope within s of the teacher, so ``K_d = (e^A - 1) / chord``. L is
    bounded on cells of (latitude of w, latitude of the moved node, angle between their directions) by what is monotone
    in them, and the cells are halved until the bound is within 2 % of a value of the slope. Infinite where a ball
    reaches the pole of the bias axis. Cost: some 10^5 kernel values, kept once found, for all m > 1 together.
    """
    return _lipschitz_d(threshold, _azimuths(m), theta0)


@lru_cache(maxsize=4096)
def _lipschitz_d(threshold: float, azimuths: tuple[float, ...], theta0: float) -> float:
    if not 0 <= math.sin(theta0) * math.hypot(1.0, threshold) < 1 or theta0 >= math.pi / 2:
        return math.inf
    if theta0 == 0:
        return max(largest_slope(threshold, azimuth, 0.0, 0.0) for azimuth in azimuths)
    ends = theta0 * np.arange(1, RADII + 1) / RADII
    change = max(
        sum(largest_slope(threshold, azimuth, theta0, float(s)) for s in ends) * theta0 / RADII
        for azimuth in azimuths
    )
    return math.expm1(change) / (2 * math.sin(theta0 / 2)) if change < 700 else math.inf


def _azimuths(m: int) -> tuple[float, ...]:
    return (0.0, math.pi / 2) if m > 1 else (0.0,)


def largest_slope(threshold: float, azimuth: float, near: float, moved: float) -> float:
    """Upper bound of ``|grad_v log psi_d(w, v)|``, w within ``near`` of a teacher, v within ``moved`` of another.

    ``azimuth``: the angle between the directions of the two teachers.
    """
    latitude = -math.atan(threshold)
    turns = _widest_turn(latitude, near), _widest_turn(latitude, moved)
    lowest, highest = max(azimuth - sum(turns), 0.0), min(azimuth + sum(turns), math.pi)
    cells = np.array(
        [
            [latitude - near, latitude - moved, lowest],
            [latitude + near, latitude + moved, highest],
        ]
    )[:, :, None]
    found = settled = 0.0
    for _ in range(ROUNDS):
        cells = _halved(cells)
        cells = _reached(cells, latitude, azimuth, near, moved)
        bounds = _slope_bounds(cells)
        middle = cells.mean(axis=0)
        found = max(found, float(_slope_bounds(np.stack([middle, middle])).max()))
        open_cells = bounds > found * (1 + ACCURACY)
        settled = max(settled, float(bounds[~open_cells].max(initial=0.0)))
        cells = cells[..., open_cells]
        if cells.shape[-1] == 0 or cells.shape[-1] * 2**AXES > CELLS:
            break
    left = float(_slope_bounds(cells).max(initial=0.0)) if cells.shape[-1] else 0.0
    return max(settled, left) * (1 + ROUNDING)


def _widest_turn(latitude: float, radius: float) -> float:
    return math.asin(min(1.0, math.sin(radius) / math.cos(latitude)))


def _halved(cells: Array) -> Array:
    """Every cell ``(2 ends, 3 coordinates, count)`` cut in two along each coordinate."""
    for axis in range(AXES):
        lower, upper = cells.copy(), cells.copy()
        middle = cells[:, axis].mean(axis=0)
        lower[1, axis], upper[0, axis] = middle, middle
        cells = np.concatenate([lower, upper], axis=-1)
    return cells


def _reached(cells: Array, latitude: float, azimuth: float, near: float, moved: float) -> Array:
    """The cells that may hold a pair of nodes of the two balls: others turn farther than their latitudes allow."""
    turn = sum(
        _largest_turn(latitude, radius, cells[0, axis], cells[1, axis])
        for axis, radius in enumerate((near, moved))
    )
    slack = 1e-12
    inside = (cells[0, 2] <= azimuth + turn + slack) & (cells[1, 2] >= azimuth - turn - slack)
    return np.asarray(cells[..., inside])


def _largest_turn(latitude: float, radius: float, low: Array, high: Array) -> Array:
    """The largest angle between the directions of a ball's centre and of its points at latitudes in [low, high]."""
    if radius == 0:
        return np.zeros_like(low)
    at = np.clip(math.asin(max(-1.0, math.sin(latitude) / math.cos(radius))), low, high)
    room = math.sin(radius / 2) ** 2 - np.sin((at - latitude) / 2) ** 2
    return np.asarray(2 * np.arcsin(np.sqrt(np.clip(room / (np.cos(at) * math.cos(latitude)), 0.0, 1.0))))


def _slope_bounds(cells: Array) -> Array:
    """Upper bound of ``|grad_v log psi_d|`` on each cell; on a cell without extent its value.

    ``psi_d = Phi2(h, k; rho)`` rises in all three. Along a meridian its slope is
    ``(1 + k^2) phi(k) Phi((h - rho k) / sin a)``, along a parallel ``sqrt(1 + k^2) exp(-q/2) / 2 pi`` with
    ``q = (h - k)^2 / 2(1 - rho) + (h + k)^2 / 2(1 + rho)``.
    """
    (h_low, k_low), (h_high, k_high) = np.tan(cells[:, :2])
    angle_low, angle_high = cells[0, 2], cells[1, 2]
    rho_low, rho_high = np.cos(angle_high), np.cos(angle_low)
    share = _activation(h_low, k_low, angle_high)
    least, most = _sizes(k_low, k_high)
    steepest = np.clip(1.0, least, most)  # (1 + k^2) phi(k) is largest at |k| = 1
    meridian = (1 + steepest**2) * np.exp(-(steepest**2) / 2) / math.sqrt(2 * math.pi)
    meridian = meridian * ndtr(
        _largest_argument(h_high, k_low, k_high, rho_low, rho_high, angle_low, angle_high)
    )
    apart = _sizes(h_low - k_high, h_high - k_low)[0]
    together = _sizes(h_low + k_low, h_high + k_high)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(apart > 0, apart**2 / (1 - rho_low), 0.0) + np.where(
            together > 0, together**2 / (1 + rho_high), 0.0
        )
    parallel = np.sqrt(1 + most**2) * np.exp(-q / 4) / (2 * math.pi)
    slope = np.hypot(meridian, parallel)
    with np.errstate(over="ignore"):  # beyond the largest float the bound is infinite
        return np.asarray(np.divide(slope, share, out=np.full_like(slope, np.inf), where=share > 0))


def _sizes(low: Array, high: Array) -> tuple[Array, Array]:
    """Least and largest absolute value in [low, high]."""
    least = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    return least, np.maximum(np.abs(low), np.abs(high))


def _largest_argument(
    h_high: Array,
    k_low: Array,
    k_high: Array,
    rho_low: Array,
    rho_high: Array,
    angle_low: Array,
    angle_high: Array,
) -> Array:
    """Largest ``(h - rho k) / sin a`` on the cells; infinite where it cannot be bounded."""
    products = np.stack([rho * k for rho in (rho_low, rho_high) for k in (k_low, k_high)])
    top = h_high - products.min(axis=0)
    sines = np.sin(np.stack([angle_low, angle_high]))
    widest = np.where((angle_low <= np.pi / 2) & (angle_high >= np.pi / 2), 1.0, sines.max(axis=0))
    below = np.where(top >= 0, sines.min(axis=0), widest)
    return np.asarray(np.divide(top, below, out=np.full_like(top, np.inf), where=below > 0))


def _activation(h: Array, k: Array, angle: Array) -> Array:
    """``P(z_1 + h > 0, z_2 + k > 0)`` for standard normals of correlation ``cos angle``, elementwise."""
    zero, one = np.zeros_like(h), np.ones_like(h)
    first = np.stack([one, zero, h], axis=-1)[..., None]
    second = np.stack([np.cos(angle), np.sin(angle), k], axis=-1)[..., None]
    return np.asarray(BiasedGaussian(2).psi_d(first, second)[..., 0, 0])
