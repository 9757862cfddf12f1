"""Enclosures of the ReLU kernels and of their slopes while every weight column stays in a spherical cap.

Each node j has a centre (a unit column) and a radius: the column may be anywhere within that angle of it. What
comes out are bounds that hold for every choice of columns at once, by monotonicity, with room for rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair, norms
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.gaussian_kernels import arc_cosine, quadrant
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian

ROOM = 1e-12
"""Relative widening of every bound: the kernels are good to 2e-14, a chain of ten operations on them to less."""

TINY = 1e-15
"""Absolute widening: the rounding of the biased kernels where thresholds have opposite signs."""

PEAK = 2.028757838110434
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


def kernel_bounds(measure: InputMeasure, centres: Array, radii: Array) -> KernelBounds:
    """Kernel bounds for unit columns within angles ``radii (..., n)`` of ``centres (..., d, n)``.

    ``IsotropicGaussian``: exact in the angle, as all four kernels are monotone in it or have one peak.
    ``BiasedGaussian``: psi_d and psi_l rise with both thresholds and with the correlation (Slepian, Price), so they are
    taken at the corners; slopes are unbounded where a cap holds the pole of the bias axis. Cost O(n^2 d).
    Raises TypeError for another measure.
    """
    if isinstance(measure, IsotropicGaussian):
        bounds = _isotropic(measure, centres, radii)
    elif isinstance(measure, BiasedGaussian):
        bounds = _biased(centres, radii)
    else:
        raise TypeError(
            f"measure: expected IsotropicGaussian or BiasedGaussian for kernel bounds, got {type(measure).__name__}"
        )
    return _widened(bounds)


def _spread(radii: Array) -> Array:
    """Sum of the two radii of each pair, and one radius on the diagonal."""
    total = radii[..., :, None] + radii[..., None, :]
    return np.where(np.eye(radii.shape[-1], dtype=bool), radii[..., :, None], total)


def _isotropic(measure: IsotropicGaussian, centres: Array, radii: Array) -> KernelBounds:
    spread, variance = _spread(radii), measure.std**2
    supplement = angle_pair(centres, centres)[1]
    low, high = np.maximum(supplement - spread, 0.0), np.minimum(supplement + spread, np.pi)
    own = np.full(radii.shape, variance / 2)
    return KernelBounds(
        d_low=low / (2 * np.pi),
        d_high=high / (2 * np.pi),
        l_low=variance * arc_cosine(low) / (2 * np.pi),
        l_high=variance * arc_cosine(high) / (2 * np.pi),
        slope_d=np.full_like(low, 1 / (2 * np.pi)),
        slope_l=variance * _largest(lambda x: x * np.sin(x), low, high, PEAK) / (2 * np.pi),
        across=_largest(np.sin, low, high, np.pi / 2),
        own_l_low=own,
        moment=variance,
    )


def _largest(function: Callable[[Array], Array], low: Array, high: Array, peak: float) -> Array:
    """Largest value on [low, high] of a function that rises up to ``peak`` and falls after it."""
    return np.asarray(function(np.clip(peak, low, high)))


@dataclass(frozen=True)
class _Caps:
    """What unit augmented columns in a cap can look like: thresholds, direction norms, turns, biases."""

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
        low, high = latitude - radii, latitude + radii
        pole = (low <= -np.pi / 2 + 1e-9) | (high >= np.pi / 2 - 1e-9)
        low, high = np.where(pole, latitude, low), np.where(pole, latitude, high)
        turn = np.arcsin(np.minimum(np.sin(np.minimum(radii, np.pi / 2)) / np.cos(latitude), 1.0))
        s_high = np.where((low <= 0) & (high >= 0), 1.0, np.maximum(np.cos(low), np.cos(high)))
        largest_bias = np.maximum(np.abs(np.sin(low)), np.abs(np.sin(high)))
        s_low = np.minimum(np.cos(low), np.cos(high))
        return cls(np.tan(low), np.tan(high), s_low, s_high, largest_bias, turn, pole)


def _biased(centres: Array, radii: Array) -> KernelBounds:
    caps = _Caps.about(centres, radii)
    angle = angle_pair(centres[..., :-1, :], centres[..., :-1, :])[0]
    spread = _spread(caps.turn)
    near, far = np.maximum(angle - spread, 0.0), np.minimum(angle + spread, np.pi)
    least = _Corner.at(*_pair(caps.h_low), far)
    most = _Corner.at(*_pair(caps.h_high), near)
    own = _Corner.at(caps.h_low, caps.h_low, np.zeros_like(caps.h_low))
    s_j, s_k = _pair(caps.s_high)
    least_j, least_k = _pair(caps.s_low)
    inner_low, inner_high = _interval_product(np.cos(far), np.cos(near), least_j * least_k, s_j * s_k)
    bias_low, bias_high = np.sin(np.arctan(caps.h_low)), np.sin(np.arctan(caps.h_high))
    bias_products = _interval_product(*(x[..., :, None] for x in (bias_low, bias_high)),
                                      *(x[..., None, :] for x in (bias_low, bias_high)))  # fmt: skip
    cosine_low, cosine_high = inner_low + bias_products[0], inner_high + bias_products[1]
    smallest_cosine = np.where(
        cosine_low * cosine_high > 0, np.minimum(abs(cosine_low), abs(cosine_high)), 0.0
    )
    slope_d, slope_l = _biased_slopes(caps, near, far, most)
    pole = caps.pole[..., :, None] | caps.pole[..., None, :]
    return KernelBounds(
        d_low=np.where(pole, 0.0, least.d),
        d_high=np.where(pole, 1.0, most.d),
        l_low=np.where(pole, 0.0, least_j * least_k * least.l),
        l_high=np.where(pole, 1.0, s_j * s_k * most.l),
        slope_d=np.where(pole, np.inf, slope_d),
        slope_l=np.where(pole, np.inf, slope_l),
        across=np.where(pole, 1.0, np.sqrt(1 - np.minimum(smallest_cosine, 1.0) ** 2)),
        own_l_low=np.where(caps.pole, 0.0, caps.s_low**2 * own.l),
        moment=1.0,
    )


def _pair(values: Array) -> tuple[Array, Array]:
    first, second = np.broadcast_arrays(values[..., :, None], values[..., None, :])
    return first, second


def _interval_product(a_low: Array, a_high: Array, b_low: Array, b_high: Array) -> tuple[Array, Array]:
    products = [a * b for a in (a_low, a_high) for b in (b_low, b_high)]
    return np.minimum.reduce(products), np.maximum.reduce(products)


@dataclass(frozen=True)
class _Corner:
    """``d = P(z_1 + h > 0, z_2 + k > 0)``, ``l = E[relu(z_1 + h) relu(z_2 + k)]``, ``half`` with one relu, one gate."""

    d: Array
    l: Array  # noqa: E741  # the papers' letter
    half: Array

    @classmethod
    def at(cls, h: Array, k: Array, angle: Array) -> _Corner:
        corner = quadrant(h, k, angle, np.pi - angle)
        cosine, density_h, density_k = np.cos(angle), _density(h), _density(k)
        from_h, from_k = density_h * corner.given_h, density_k * corner.given_k
        tail = np.sin(angle) * np.exp(-0.5 * corner.corner_squared) / (2 * np.pi)
        both = (cosine + h * k) * corner.probability + k * from_h + h * from_k + tail
        half = h * corner.probability + from_h + cosine * from_k
        return cls(corner.probability, np.maximum(both, 0.0), np.maximum(half, 0.0))


def _density(x: Array) -> Array:
    return np.asarray(np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi))


def _biased_slopes(caps: _Caps, near: Array, far: Array, most: _Corner) -> tuple[Array, Array]:
    """Bounds of the tangential gradients of psi_d and psi_l in the second slot.

    With ``r = (h - rho k)/q`` these are ``phi(k)/s_k [Phi(r)/s_k, phi(r)]`` along the bias and across it, and
    ``s_j psi_d u_j + phi(k) E[relu_j | z_k = -k] u_k + E[relu_j f'_k] e_bias`` without its part along w_k.
    """
    h_low, k_low = _pair(caps.h_low)
    h_high, k_high = _pair(caps.h_high)
    s_j, s_k = _pair(caps.s_high)
    s_k_low = _pair(caps.s_low)[1]
    sine_low, sine_high = np.minimum(np.sin(near), np.sin(far)), _largest(np.sin, near, far, np.pi / 2)
    shift_low, shift_high = _interval_product(np.cos(far), np.cos(near), k_low, k_high)
    room_low, room_high = h_low - shift_high, h_high - shift_low
    with np.errstate(divide="ignore", invalid="ignore"):
        r_high = np.where(room_high > 0, room_high / sine_low, room_high / sine_high)
        r_low = np.where(room_low > 0, room_low / sine_high, room_low / sine_low)
    r_high, r_low = np.where(np.isnan(r_high), np.inf, r_high), np.where(np.isnan(r_low), -np.inf, r_low)
    density_k = _density(np.clip(0.0, k_low, k_high))
    across = _density(np.clip(0.0, r_low, r_high))
    slope_d = density_k / s_k_low * np.hypot(ndtr(r_high) / s_k_low, across)
    ratio = room_high / np.maximum(sine_high, 1e-300)
    open_share = room_high * ndtr(ratio) + sine_high * _density(ratio)
    smallest = np.where(np.cos(near) * np.cos(far) > 0, np.minimum(abs(np.cos(near)), abs(np.cos(far))), 0.0)
    tilt = np.sqrt(np.maximum(1 - (s_k_low * smallest) ** 2, 0.0))
    on_bias = _pair(caps.bias)[1] * density_k * np.maximum(open_share, 0.0) + s_k * most.half
    return slope_d, s_j * (most.d * tilt + on_bias)


def _widened(b: KernelBounds) -> KernelBounds:
    def lower(x: Array) -> Array:
        return np.maximum(x * (1 - ROOM) - TINY, 0.0)

    def upper(x: Array) -> Array:
        return np.asarray(x * (1 + ROOM) + TINY)

    return KernelBounds(
        lower(b.d_low), upper(b.d_high), lower(b.l_low), upper(b.l_high), upper(b.slope_d), upper(b.slope_l),
        np.minimum(upper(b.across), 1.0), lower(b.own_l_low), b.moment,
    )  # fmt: skip
