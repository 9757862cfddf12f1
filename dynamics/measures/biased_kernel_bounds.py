"""Kernel bounds over spherical caps for standard normal input with a bias on every node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair
from dynamics.geometry.columns import norms
from dynamics.measures.gaussian_kernels import quadrant
from dynamics.measures.kernel_bounds import KernelBounds, angle_range, largest_between
from dynamics.measures.outward import ELEMENTARY, EPS, above, below


@dataclass(frozen=True)
class _Caps:
    """Ranges over the unit augmented columns ``(s u, b)`` of a cap: ``||u|| = 1``, threshold ``h = b / s``.

    ``bias``: the largest |b|; ``turn``: the largest angle of u to the centre's; ``pole``: the cap holds u-less columns.
    """

    h_low: Array
    h_high: Array
    s_low: Array
    s_high: Array
    bias: Array
    turn: Array
    pole: NDArray[np.bool_]

    @classmethod
    def about(cls, centres: Array, radii: Array) -> _Caps:
        size, bias = norms(centres[..., :-1, :]), centres[..., -1, :]
        latitude = np.arctan2(bias, size)
        # A relative error e of the norm, (d/2 + 2) ulp at most, moves the latitude by e/2; then arctan2 on up to pi/2.
        room = (centres.shape[-2] / 4 + 1 + 2 * ELEMENTARY) * EPS
        low, high = below(latitude - radii - room, 1), above(latitude + radii + room, 1)
        pole = (low <= -np.pi / 2 + 1e-9) | (high >= np.pi / 2 - 1e-9)
        low, high = np.where(pole, latitude, low), np.where(pole, latitude, high)
        wide = above(np.sin(np.minimum(radii, np.pi / 2)), ELEMENTARY)
        narrow = below(np.cos(np.abs(latitude) + room), ELEMENTARY + 1)
        turn = np.where(radii > 0, above(np.arcsin(np.minimum(above(wide / narrow), 1.0)), ELEMENTARY), 0.0)
        cosines = np.cos(low), np.cos(high)
        s_high = np.where((low <= 0) & (high >= 0), 1.0, above(np.maximum(*cosines), ELEMENTARY))
        largest_bias = above(np.maximum(np.abs(np.sin(low)), np.abs(np.sin(high))), ELEMENTARY)
        s_low = below(np.minimum(*cosines), ELEMENTARY)
        return cls(below(np.tan(low), ELEMENTARY), above(np.tan(high), ELEMENTARY), s_low,
                   np.minimum(s_high, 1.0), np.minimum(largest_bias, 1.0), turn, pole)  # fmt: skip


def biased_kernel_bounds(centres: Array, radii: Array) -> KernelBounds:
    """Kernel bounds for input that is standard normal but for a last entry 1.

    psi_d and psi_l rise with both thresholds and with the correlation (Slepian, Price), so they are taken at the
    corners of what the caps allow; slopes are unbounded where a cap holds the pole of the bias axis.

    Args:
        centres: unit augmented columns (..., d, n), the bias last.
        radii: the largest angle of each column to its centre (..., n), radians.
    Cost: O(n^2 d), and two evaluations of Owen's T per pair and corner.
    """
    caps, dim = _Caps.about(centres, radii), centres.shape[-2]
    angle, supplement = angle_pair(centres[..., :-1, :], centres[..., :-1, :])
    near, far = angle_range(angle, caps.turn, dim)
    rest_far, rest_near = angle_range(supplement, caps.turn, dim)
    least = _Corner.at(*_pair(caps.h_low), far, rest_far)
    most = _Corner.at(*_pair(caps.h_high), near, rest_near)
    none = np.zeros_like(caps.h_low)
    own = _Corner.at(caps.h_low, caps.h_low, none, none + np.pi)
    s_j, s_k = _pair(caps.s_high)
    least_j, least_k = _pair(caps.s_low)
    slope_d, slope_l = _biased_slopes(caps, (near, far, rest_far), most)
    across = largest_between(*angle_range(angle_pair(centres, centres)[0], radii, dim), np.sin, np.pi / 2)
    pole = caps.pole[..., :, None] | caps.pole[..., None, :]
    return KernelBounds(
        d_low=np.where(pole, 0.0, np.maximum(below(least.d - least.d_room), 0.0)),
        d_high=np.where(pole, 1.0, np.minimum(above(most.d + most.d_room), 1.0)),
        l_low=np.where(pole, 0.0, np.maximum(below(least_j * least_k * (least.l - least.l_room), 3), 0.0)),
        l_high=np.where(pole, 1.0, above(s_j * s_k * (most.l + most.l_room), 3)),
        slope_d=np.where(pole, np.inf, slope_d),
        slope_l=np.where(pole, np.inf, slope_l),
        across=np.minimum(above(across, ELEMENTARY), 1.0),
        own_l_low=np.where(caps.pole, 0.0, np.maximum(below(caps.s_low**2 * (own.l - own.l_room), 4), 0.0)),
        moment=1.0,
    )


NORMAL = 1e-13
"""Relative error of SciPy's normal integrals as ``quadrant`` combines them, to squared distances of the corner of some
hundreds; taken from its documentation and held against ball arithmetic by the tests, not proved here."""


@dataclass(frozen=True)
class _Corner:
    """``d = P(z_1 + h > 0, z_2 + k > 0)``, ``l = E[relu(z_1 + h) relu(z_2 + k)]``, ``half`` with one relu, one gate.

    Each with the ``room`` that bounds its error: that of the terms, however much of them cancels.
    """

    d: Array
    d_room: Array
    l: Array  # noqa: E741  # the papers' letter
    l_room: Array
    half: Array
    half_room: Array

    @classmethod
    def at(cls, h: Array, k: Array, angle: Array, supplement: Array) -> _Corner:
        corner = quadrant(h, k, angle, supplement)
        cosine, density_h, density_k = np.cos(angle), _density(h), _density(k)
        from_h, from_k = density_h * corner.given_h, density_k * corner.given_k
        tail = np.sin(np.minimum(angle, supplement)) * np.exp(-0.5 * corner.corner_squared) / (2 * np.pi)
        both = (cosine + h * k) * corner.probability + k * from_h + h * from_k + tail
        half = h * corner.probability + from_h + cosine * from_k
        # The exponent of a density is rounded: its relative error grows with the squared distance.
        share, lowest = NORMAL + _exponent_room(corner.corner_squared), np.minimum(h, k)
        rare = np.where(np.maximum(h, k) < 0, _exponent_room(corner.corner_squared), 0.0)
        # Thresholds of unlike sign: the probability is a difference of terms as large as the smaller marginal.
        marginal = np.where(
            np.sign(h) * np.sign(k) < 0, (NORMAL + _exponent_room(lowest**2)) * ndtr(lowest), 0.0
        )
        d_room = (NORMAL + rare) * corner.probability + 0.1 * marginal
        size = np.abs(k) * from_h + np.abs(h) * from_k + tail
        l_room = share * size + (1 + np.abs(h * k)) * (d_room + 8 * EPS * corner.probability)
        half_room = share * (from_h + from_k) + np.abs(h) * (d_room + 8 * EPS * corner.probability)
        return cls(
            corner.probability, d_room, np.maximum(both, 0.0), l_room, np.maximum(half, 0.0), half_room
        )


def _exponent_room(squared: Array) -> Array:
    """Relative error of ``exp(-squared/2)`` and of what falls like it, from rounded arguments."""
    return np.asarray(8 * EPS * np.minimum(squared, 1e4))


FARTHEST = 1e3
"""Standard deviations at which every density is zero: farther ones are taken for this, so that squares stay finite."""


def _density(x: Array) -> Array:
    x = np.clip(x, -FARTHEST, FARTHEST)
    return np.asarray(np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi))


def _density_above(x: Array) -> Array:
    """Where x is exact: half an ulp in ``x x``, that is x^2/4 ulp in the exponential."""
    return above(_density(x), ELEMENTARY + 3 + np.clip(x, -FARTHEST, FARTHEST) ** 2)


def _distribution_above(x: Array) -> Array:
    """Where x is exact: the argument x/sqrt(2) of erfc is off by an ulp, its value so by x^2 + 1, and by 8 itself."""
    return above(ndtr(x), 12 + 2 * np.clip(x, -FARTHEST, FARTHEST) ** 2)


def _biased_slopes(caps: _Caps, angles: tuple[Array, Array, Array], most: _Corner) -> tuple[Array, Array]:
    """Bounds of the tangential gradients of psi_d and psi_l in the second slot.

    With ``r = (h - rho k)/q`` these are ``phi(k)/s_k [Phi(r)/s_k, phi(r)]`` along the bias and across it, and
    ``s_j psi_d u_j + phi(k) E[relu_j | z_k = -k] u_k + E[relu_j f'_k] e_bias`` without its part along w_k.
    ``angles``: the least, the largest, and the supplement of the largest.
    """
    near, far, rest = angles
    h_low, k_low = _pair(caps.h_low)
    h_high, k_high = _pair(caps.h_high)
    s_j, s_k = _pair(caps.s_high)
    s_k_low = _pair(caps.s_low)[1]
    sine_low = below(np.minimum(np.sin(near), np.sin(np.minimum(far, rest))), ELEMENTARY)
    sine_high = np.minimum(above(largest_between(near, far, np.sin, np.pi / 2), ELEMENTARY), 1.0)
    cosines = below(np.cos(far), ELEMENTARY), above(np.cos(near), ELEMENTARY)
    shift_low, shift_high = _interval_product(*cosines, k_low, k_high)
    room_low, room_high = below(h_low - above(shift_high)), above(h_high - below(shift_low))
    with np.errstate(divide="ignore", invalid="ignore"):
        r_high = above(np.where(room_high > 0, room_high / np.maximum(sine_low, 0.0), room_high / sine_high))
        r_low = below(np.where(room_low > 0, room_low / sine_high, room_low / np.maximum(sine_low, 0.0)))
    r_high, r_low = np.where(np.isnan(r_high), np.inf, r_high), np.where(np.isnan(r_low), -np.inf, r_low)
    density_k = _density_above(np.clip(0.0, k_low, k_high))
    across = _density_above(np.clip(0.0, r_low, r_high))
    slope_d = density_k / s_k_low * np.hypot(_distribution_above(r_high) / s_k_low, across)
    ratio = room_high / np.maximum(sine_high, 1e-300)
    opened, edge = room_high * ndtr(ratio), sine_high * _density(ratio)
    terms = (20 + 4 * np.minimum(np.abs(ratio), FARTHEST) ** 2) * EPS * (np.abs(opened) + edge)
    open_share = np.maximum(opened + edge, 0.0) + terms
    tilt = np.sqrt(sine_high**2 + (1 - sine_high**2) * _pair(caps.bias)[1] ** 2)
    on_bias = _pair(caps.bias)[1] * density_k * open_share + s_k * (most.half + most.half_room)
    return above(slope_d, 12), above(s_j * ((most.d + most.d_room) * tilt + on_bias), 12)


def _pair(values: Array) -> tuple[Array, Array]:
    first, second = np.broadcast_arrays(values[..., :, None], values[..., None, :])
    return first, second


def _interval_product(a_low: Array, a_high: Array, b_low: Array, b_high: Array) -> tuple[Array, Array]:
    products = [a * b for a in (a_low, a_high) for b in (b_low, b_high)]
    return np.minimum.reduce(products), np.maximum.reduce(products)
