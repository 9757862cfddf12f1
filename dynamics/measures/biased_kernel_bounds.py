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
from dynamics.measures.kernel_bounds import KernelBounds, largest_between, pair_spread


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
        low, high = latitude - radii, latitude + radii
        pole = (low <= -np.pi / 2 + 1e-9) | (high >= np.pi / 2 - 1e-9)
        low, high = np.where(pole, latitude, low), np.where(pole, latitude, high)
        turn = np.arcsin(np.minimum(np.sin(np.minimum(radii, np.pi / 2)) / np.cos(latitude), 1.0))
        s_high = np.where((low <= 0) & (high >= 0), 1.0, np.maximum(np.cos(low), np.cos(high)))
        largest_bias = np.maximum(np.abs(np.sin(low)), np.abs(np.sin(high)))
        s_low = np.minimum(np.cos(low), np.cos(high))
        return cls(np.tan(low), np.tan(high), s_low, s_high, largest_bias, turn, pole)


def biased_kernel_bounds(centres: Array, radii: Array) -> KernelBounds:
    """Kernel bounds for input that is standard normal but for a last entry 1.

    psi_d and psi_l rise with both thresholds and with the correlation (Slepian, Price), so they are taken at the
    corners of what the caps allow; slopes are unbounded where a cap holds the pole of the bias axis.

    Args:
        centres: unit augmented columns (..., d, n), the bias last.
        radii: the largest angle of each column to its centre (..., n), radians.
    Cost: O(n^2 d), and two evaluations of Owen's T per pair and corner.
    """
    caps = _Caps.about(centres, radii)
    angle = angle_pair(centres[..., :-1, :], centres[..., :-1, :])[0]
    spread = pair_spread(caps.turn)
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
    ).widened()


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
    sine_low, sine_high = np.minimum(np.sin(near), np.sin(far)), largest_between(near, far, np.sin, np.pi / 2)
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


def _pair(values: Array) -> tuple[Array, Array]:
    first, second = np.broadcast_arrays(values[..., :, None], values[..., None, :])
    return first, second


def _interval_product(a_low: Array, a_high: Array, b_low: Array, b_high: Array) -> tuple[Array, Array]:
    products = [a * b for a in (a_low, a_high) for b in (b_low, b_high)]
    return np.minimum.reduce(products), np.maximum.reduce(products)
