"""Slow, independent evaluations in high precision (mpmath): what a counterexample is confirmed with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import mpmath as mp
import numpy as np

from dynamics.arrays import Array

Kernel = Callable[[Any, Any], Any]

DIGITS = 50


def columns(W: Array) -> list[Any]:
    """The columns of a float64 matrix as exact mpmath vectors."""
    return [mp.matrix([mp.mpf(float(x)) for x in column]) for column in np.asarray(W).T]


def dot(a: Any, b: Any) -> Any:
    """Scalar product of two mpmath vectors."""
    return mp.fsum(x * y for x, y in zip(a, b, strict=True))


def unit(a: Any) -> Any:
    """An mpmath vector at unit norm."""
    return a / mp.sqrt(dot(a, a))


def direction(a: Iterable[Any]) -> list[Any]:
    """A vector at unit norm, as a list: arithmetic on mpmath's own vectors takes several times as long."""
    entries = list(a)
    size = mp.sqrt(mp.fdot(entries, entries))
    return [entry / size for entry in entries]


def angle_of_directions(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """Angle of two unit vectors, accurate at both ends."""
    apart = mp.fsum((p - q for p, q in zip(a, b, strict=True)), squared=True)
    together = mp.fsum((p + q for p, q in zip(a, b, strict=True)), squared=True)
    return 2 * mp.atan2(mp.sqrt(apart), mp.sqrt(together))


def angle(a: Iterable[Any], b: Iterable[Any]) -> Any:
    """Angle of two mpmath vectors, accurate at both ends."""
    return angle_of_directions(direction(a), direction(b))


def psi_d_isotropic(a: Any, b: Any) -> Any:
    """``P(a^T x > 0, b^T x > 0)`` for zero-bias isotropic Gaussian x: the wedge of angle ``pi - theta``."""
    return (mp.pi - angle(a, b)) / (2 * mp.pi)


def psi_d_biased(a: Any, b: Any) -> Any:
    """``Phi2(h, k; rho)`` of augmented columns by one quadrature over the first normal (no Owen's T)."""
    direction_a, direction_b = a[: len(a) - 1], b[: len(b) - 1]
    h, k = (v[len(v) - 1] / mp.sqrt(dot(u, u)) for v, u in ((a, direction_a), (b, direction_b)))
    turn = angle(mp.matrix(direction_a), mp.matrix(direction_b))
    rho, q = mp.cos(turn), mp.sin(turn)
    if q == 0:
        return mp.ncdf(min(h, k)) if rho > 0 else max(mp.mpf(0), mp.ncdf(h) + mp.ncdf(k) - 1)

    def slice_probability(x: Any) -> Any:
        return mp.npdf(x) * mp.ncdf((k - rho * x) / q)

    # The step of width q around x = k / rho is made a break point, or the quadrature would not see it.
    step = k / rho if abs(rho) > 0.1 else h
    inside = [point for point in (step - 8 * q, step, step + 8 * q) if point < h]
    return mp.quad(slice_probability, [-mp.inf, *inside, h])


def projected_field(W: Sequence[Any], teacher: Sequence[Any], psi_d: Kernel) -> list[Any]:
    """Theorem 4's field ``P_perp(w_j) (W* h*_j - W h_j)`` at unit columns, column by column."""
    field = []
    for w in W:
        pull = mp.matrix(len(w), 1)
        for column in teacher:
            pull += psi_d(w, column) * column
        for column in W:
            pull -= psi_d(w, column) * column
        field.append(pull - w * dot(w, pull))
    return field


def gradient_by_quadrature(w: Any, u: Any) -> Any:
    """``E[1(w^T x > 0) 1(u^T x > 0) x x^T] u`` for standard Gaussian x, by quadrature over the plane of w and u.

    In that plane x = r (cos p, sin p) with E[r^2] = 2, so the term is the mean of ``2 e (e^T u)`` over the directions e
    in the wedge where both gates are open; off the plane it vanishes by symmetry.
    """
    first = unit(w)
    rest = u - first * dot(first, u)
    length = mp.sqrt(dot(rest, rest))
    if length < mp.mpf(10) ** (-mp.mp.dps + 10):
        return u / 2 if dot(first, u) > 0 else u * 0
    second = rest / length
    turn = angle(w, u)
    low, high = turn - mp.pi / 2, mp.pi / 2

    def weight(p: Any) -> Any:
        return 2 * (mp.cos(p) * dot(first, u) + mp.sin(p) * length) / (2 * mp.pi)

    along = mp.quad(lambda p: weight(p) * mp.cos(p), [low, high])
    across = mp.quad(lambda p: weight(p) * mp.sin(p), [low, high])
    return first * along + second * across
