"""The constants of the theorems on one family of instances: eps_d, eps_l, K_d, M_d, gamma, d-bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.input_measure import InputMeasure
from verify.mathematics.thresholded_lipschitz import lipschitz_d_thresholded


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


def ball_of_thresholded(threshold: float, theta0: float) -> tuple[float, float, float]:
    """``(h_low, h_high, direction angle)``: what unit augmented columns within theta0 of (u, -b) can look like.

    h = bias over the norm of the direction part is a tangent of latitude; the direction turns by at most
    ``asin(sin(theta0) / cos(latitude))`` on a spherical cap. NaN angle where the cap contains the pole.
    """
    latitude = np.arctan(-threshold)
    low, high = max(latitude - theta0, -np.pi / 2), min(latitude + theta0, np.pi / 2)
    ratio = np.sin(theta0) * np.hypot(1.0, threshold)
    turn = np.arcsin(ratio) if ratio < 1 and theta0 < np.pi / 2 else np.nan
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
    shared = 0.0 if m == 1 else (m - 1) * eps_d * M_d if np.isfinite(M_d) else np.inf
    gamma = float(np.cos(theta0) - shared)
    return Theorem4Constants(
        K_d, eps_d, float(M_d), gamma, float(stretch * d_start) if d_start > 0 else 0.0, d_lower
    )


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
