"""The constants of the theorems on one family of instances: eps_d, eps_l, K_d, M_d, gamma, d-bar."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.input_measure import InputMeasure

CAP_RADII, CAP_DIRECTIONS, POLISHED = (1e-3, 0.5, 1.0), 16, 4
"""Polar grid on a spherical cap (shares of its radius, directions), and how many of its best points are polished."""


def overlap_ratios(teacher_W: Array, measure: InputMeasure) -> tuple[Array, Array]:
    """Assumption 3's estimators ``(eps_d, eps_l)``: ``max_{j != k} d**_jk / d**_jj``, likewise l; 0 for m = 1.

    ``teacher_W (..., d, m)`` -> two arrays ``(...)``. Source: Luck Matters, Eqn 9.
    """
    off_diagonal = ~np.eye(teacher_W.shape[-1], dtype=bool)
    ratios = []
    for kernel in (measure.psi_d(teacher_W, teacher_W), measure.psi_l(teacher_W, teacher_W)):
        own = np.diagonal(kernel, axis1=-2, axis2=-1)[..., :, None]
        ratios.append(np.max(kernel / own, axis=(-2, -1), where=off_diagonal, initial=0.0))
    return ratios[0], ratios[1]


def lipschitz_d_isotropic(alpha_max: float, theta0: float) -> float:
    """Closed-form ``K_d`` of Assumption 2 on the balls of radius theta0, isotropic Gaussian input.

    ``K_d = [(theta0/2) / sin(theta0/2)] / (pi - alpha_max - theta0)``, alpha_max the largest teacher-teacher angle
    (0 for m = 1): psi_d falls by arc / 2 pi over an arc of at most theta0, from at least
    (pi - alpha_max - theta0) / 2 pi. Infinite where the balls reach antiparallel vectors.
    """
    room = np.pi - alpha_max - theta0
    if room <= 0:
        return float("inf")
    half = theta0 / 2
    return float((half / np.sin(half) if half > 0 else 1.0) / room)


def lipschitz_d_thresholded(threshold: float, m: int, theta0: float) -> float:
    """``K_d`` on the balls of radius theta0 about thresholded orthogonal teachers, Gaussian input with bias.

    The largest ``|psi_d(w, w_1) - psi_d(w, w_2)| / (psi_d(w, w_1) ||w_1 - w_2||)`` over the three uses that Lemma 2 and
    Theorem 4 make of Assumption 2: from a teacher to its student seen from a student near another (or the same)
    teacher, and, seen from a teacher, there and back. A numerical supremum: the best points of polar grids on the
    spherical caps, in the plane of the two directions (out of it the change is of second order), are polished by
    bounded maximisation. Infinite where a cap reaches the pole of the bias axis. Cost: some 10^4 kernel values.
    """
    if not np.isfinite(ball_of_thresholded(threshold, theta0)[2]):
        return float("inf")
    azimuths = (0.0, np.pi / 2) if m > 1 else (0.0,)
    return max(_largest_ratio(threshold, theta0, azimuth) for azimuth in azimuths)


@lru_cache(maxsize=4096)
def _largest_ratio(threshold: float, theta0: float, azimuth: float) -> float:
    radius, direction = (
        grid.ravel()
        for grid in np.meshgrid(
            theta0 * np.array(CAP_RADII), np.linspace(0, 2 * np.pi, CAP_DIRECTIONS, endpoint=False)
        )
    )
    first, second = (grid.ravel() for grid in np.meshgrid(*[np.arange(radius.size)] * 2))
    grid = np.stack([radius[first], direction[first], radius[second], direction[second]])
    ratios = _three_ratios(threshold, azimuth, grid)
    limits = [(CAP_RADII[0] * theta0, theta0), (None, None)] * 2
    scale = float(ratios.max())

    def negative_ratio(point: Array) -> float:
        return -float(_three_ratios(threshold, azimuth, point[:, None])[0]) / scale

    starts = grid[:, np.argsort(-ratios)[:POLISHED]].T
    polished = [minimize(negative_ratio, start, bounds=limits, method="L-BFGS-B").fun for start in starts]
    return float(scale * max(1.0, -min(polished)))


def _three_ratios(threshold: float, azimuth: float, grid: Array) -> Array:
    """The largest of the three uses' ratios at points ``(r_w, direction_w, r_moved, direction_moved)``, (4, points)."""
    measure = BiasedGaussian(2)
    near, moved = _on_cap(threshold, 0.0, grid[:2]), _on_cap(threshold, azimuth, grid[2:])
    nothing = np.zeros((2, grid.shape[1]))
    centre, base = _on_cap(threshold, 0.0, nothing), _on_cap(threshold, azimuth, nothing)
    chord = 2 * np.sin(grid[2] / 2)
    from_base, to_moved, seen_base, seen_moved = (
        measure.psi_d(w, u)[:, 0, 0]
        for w, u in ((near, base), (near, moved), (centre, base), (centre, moved))
    )
    there = np.abs(from_base - to_moved) / (from_base * chord)
    back = np.abs(seen_base - seen_moved) / (np.minimum(seen_base, seen_moved) * chord)
    return np.asarray(np.maximum(there, back))


def _on_cap(threshold: float, azimuth: float, polar: Array) -> Array:
    """Unit augmented columns ``(points, 3, 1)`` at (angle, direction) from ``(cos a, sin a, -b)`` normalised."""
    outward = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
    centre = (outward - threshold * np.array([0.0, 0.0, 1.0])) / np.hypot(1.0, threshold)
    sideways = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    axes = np.stack([centre, sideways, np.cross(centre, sideways)], axis=1)
    radius, direction = polar
    parts = np.stack([np.cos(radius), np.sin(radius) * np.cos(direction), np.sin(radius) * np.sin(direction)])
    return np.asarray((axes @ parts).T[..., None])


def ball_of_thresholded(threshold: float, theta0: float) -> tuple[float, float, float]:
    """``(h_low, h_high, direction angle)``: what unit augmented columns within theta0 of (u, -b) can look like.

    h = bias over the norm of the direction part is a tangent of latitude; the direction turns by at most
    ``asin(sin(theta0) / cos(latitude))`` on a spherical cap. NaN angle where the cap contains the pole.
    """
    latitude = np.arctan(-threshold)
    low, high = max(latitude - theta0, -np.pi / 2), min(latitude + theta0, np.pi / 2)
    ratio = np.sin(theta0) * np.hypot(1.0, threshold)
    turn = np.arcsin(ratio) if ratio < 1 else np.nan
    return float(np.tan(low)), float(np.tan(high)), float(turn)


def joint_activation(h: float, k: float, angle: float) -> float:
    """``P(z_1 + h > 0, z_2 + k > 0)`` for standard normals of correlation ``cos(angle)``."""
    first = np.array([[1.0], [0.0], [h]])
    second = np.array([[np.cos(angle)], [np.sin(angle)], [k]])
    return float(BiasedGaussian(2).psi_d(first, second)[0, 0])


@dataclass(frozen=True)
class Theorem4Constants:
    """``K_d, eps_d, M_d``, ``gamma = cos theta0 - (m - 1) eps_d M_d`` and the two readings of ``d-bar``.

    ``d_printed``: ``[1 + 2 K_d sin(theta0/2)] min_j d*_jj(0)``, which is no lower bound of ``d*_jj``;
    ``d_lower``: ``inf d*_jj`` over the balls, which the proof needs.
    """

    K_d: float
    eps_d: float
    M_d: float
    gamma: float
    d_printed: float
    d_lower: float

    @property
    def rate_printed(self) -> float:
        return self.d_printed * self.gamma

    @property
    def rate_corrected(self) -> float:
        return self.d_lower * self.gamma


def _assemble(
    m: int, theta0: float, K_d: float, eps_d: float, d_start: float, d_lower: float
) -> Theorem4Constants:
    stretch = 1 + 2 * K_d * np.sin(theta0 / 2)
    M_d = (1 + K_d) * stretch**2 / np.cos(theta0 / 2)
    shared = (m - 1) * eps_d * M_d if m > 1 else 0.0
    gamma = float(np.cos(theta0) - shared)
    return Theorem4Constants(K_d, eps_d, float(M_d), gamma, float(stretch * d_start), d_lower)


def theorem4_isotropic(m: int, theta0: float, alpha_min: float, alpha_max: float) -> Theorem4Constants:
    """Theorem 4's constants for zero-bias isotropic input; all students start at theta0 or nearer.

    ``d*_jj >= (pi - theta0) / 2 pi`` exactly; ``eps_d = (pi - alpha_min) / pi``.
    """
    K_d = lipschitz_d_isotropic(alpha_max if m > 1 else 0.0, theta0)
    eps_d = (np.pi - alpha_min) / np.pi if m > 1 else 0.0
    lowest = float((np.pi - theta0) / (2 * np.pi))
    return _assemble(m, theta0, K_d, float(eps_d), lowest, lowest)


def theorem4_thresholded(m: int, theta0: float, threshold: float, d_start: float) -> Theorem4Constants:
    """Theorem 4's constants for thresholded orthogonal teachers, input with bias; ``d_start = min_j d*_jj(0)``.

    ``eps_d = Phi(-b)`` exactly. ``d*_jj = Phi2(-b, k; rho)`` rises in both k and rho (Slepian), so its infimum over the
    ball is at least the value at the lowest k and the widest direction angle.
    """
    K_d = lipschitz_d_thresholded(threshold, m, theta0)
    low, _, turn = ball_of_thresholded(threshold, theta0)
    lowest = joint_activation(-threshold, low, turn) if np.isfinite(turn) else 0.0
    eps_d = float(ndtr(-threshold)) if m > 1 else 0.0
    return _assemble(m, theta0, K_d, eps_d, d_start, lowest)
