"""In floats what the two-layer checker encloses: field, Hessian, its change, and the end; no proof rests on it.

Rows are columns of the problem: students W (n, d) and V (n, c), teachers T (m, d) and U (m, c).
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from verify.certificates.float_geometry import PENALTY, unit_rows

Point = tuple[Array, Array]


class Constants(NamedTuple):
    """The checker's bounds for pairs of nodes over a range of angles: C3 or C1, hxx, hxy, q."""

    third: Array
    own: Array
    cross: Array
    slope: Array


class TwoLayerLocal:
    """The flow at one point: students W, V; teachers T, U. The field's order is w_0, w_1, ..., v_0, v_1, ..."""

    def __init__(self, W: Array, V: Array, T: Array, U: Array) -> None:
        self.W, self.V, self.T, self.U = W, V, T, U
        self.theta = angles(W.T, np.concatenate([W, T]).T)
        self._of_pairs()

    def _of_pairs(self) -> None:
        """Field and Hessian, as sums over pairs of a student and another node."""
        (n, d), c, o = self.W.shape, self.V.shape[1], self.W.size
        X, C, t = np.concatenate([self.W, self.T]), np.concatenate([self.V, -self.U]), self.theta
        other = ~np.eye(n, len(X), dtype=bool)
        psi, cos, sin = other * (np.pi - t) / (2 * np.pi), np.cos(t), np.sin(t)
        kappa = (sin + (np.pi - t) * cos) / (2 * np.pi)
        p = other * (self.V @ C.T)
        away = X[None] - cos[:, :, None] * self.W[:, None]  # [j, k]: P(w_j) x_k
        gW, gV = np.einsum("jk,jka->ja", p * psi, away), kappa @ C
        self.field = -np.concatenate([gW.ravel(), gV.ravel()])
        q = p / (2 * np.pi * np.where(other, np.maximum(sin, 1e-12), 1.0))
        project = np.eye(d) - self.W[:, :, None] * self.W[:, None, :]
        H = np.zeros((n, d, n, d))
        cross = (q[:, :n, None, None] * away[:, :n, :, None]) * away[:, :n].swapaxes(0, 1)[:, :, None, :]
        cross += (p * psi)[:, :n, None, None] * np.einsum("jab,kbc->jkac", project, project)
        H += cross.transpose(0, 2, 1, 3)
        index = np.arange(n)
        own = np.einsum("jk,jka,jkb->jab", q, away, away)
        own += PENALTY * self.W[:, :, None] * self.W[:, None, :]
        H[index, :, index, :] = own - (p * psi * cos).sum(1)[:, None, None] * project
        mixed = np.einsum("jk,jka,ji->jaki", psi[:, :n], away[:, :n], self.V)
        mixed[index, :, index, :] = np.einsum("jk,jka,ki->jai", psi, away, C)
        flat = np.kron(kappa[:, :n], np.eye(c))
        mixed = mixed.reshape(o, n * c)
        self.hessian = np.block([[H.reshape(o, o), mixed], [mixed.T, flat]])

    def lipschitz(self, spread: float, still: tuple[int, ...] = ()) -> float:
        """The checker's bound L of the Hessian's change within ``spread``; of nodes ``still`` only v moves."""
        A = self._changes(spread)
        kept = np.delete(np.arange(len(A)), still)
        M = A[np.ix_(kept, kept, kept)].reshape(len(kept), -1)
        G, v = M @ M.T, np.ones(len(kept))
        for _ in range(30):
            v = G @ (v / v.max()) + 1e-9
        return float(np.sqrt(np.max(G @ v / v)))

    def _changes(self, spread: float) -> Array:
        """The tensor A of the checker, all pairs at a time."""
        n, index = len(self.W), np.arange(len(self.W))
        size, fixed = np.linalg.norm(self.V, axis=1), np.linalg.norm(self.U, axis=1)
        J, K = np.tril_indices(n, -1)
        pairs = _constants(self.theta[J, K], np.sqrt(2) * spread, moving=True)
        to_teachers = _constants(self.theta[:, n:], spread, moving=False)
        p = (
            np.abs(np.sum(self.V[J] * self.V[K], axis=1))
            + spread * np.hypot(size[J], size[K])
            + spread**2 / 2
        )
        A = np.zeros((2 * n,) * 3)
        for x, a, b in ((J, J, K), (J, K, J), (K, J, K), (K, K, J)):
            for place in ((n + b, n + a, x), (n + b, x, n + a), (x, n + a, n + b)):
                np.add.at(A, place, pairs.slope)
            for y, h in ((x, pairs.own), (J + K - x, pairs.cross)):
                for place in ((n + a, x, y), (x, n + a, y), (x, y, n + a)):
                    np.add.at(A, place, h * (size[b] + spread))
                np.add.at(A, (a, x, y), p * pairs.third)
        overlap = np.abs(self.V @ self.U.T) + spread * fixed
        A[index, index, index] += (overlap * to_teachers.third).sum(1)
        for place in ((n + index, index, index), (index, n + index, index), (index, index, n + index)):
            A[place] += to_teachers.own @ fixed
        return A

    def moved(self, h: float) -> tuple[Point, float]:
        """Taylor's second-order step, back on the spheres, and how far that put it off."""
        o, f = self.W.size, self.field
        bent = self.hessian @ f
        fW = f[:o].reshape(self.W.shape)
        bent[:o] += (np.sum(fW * fW, axis=1, keepdims=True) * self.W).ravel()
        step = h * f - h * h / 2 * bent
        taylor = self.W + step[:o].reshape(self.W.shape)
        W = unit_rows(taylor)
        return (W, self.V + step[o:].reshape(self.V.shape)), float(np.linalg.norm(taylor - W))

    @cached_property
    def twice_loss(self) -> float:
        """2J."""
        X, C = np.concatenate([self.W, self.T]), np.concatenate([self.V, -self.U])
        t = angles(X.T, X.T)
        return float(np.sum((C @ C.T) * (np.sin(t) + (np.pi - t) * np.cos(t)) / (2 * np.pi)))


def _constants(theta: Array, spread: float, *, moving: bool) -> Constants:
    """Over ``theta +- spread``: each term at its worst, as interval arithmetic has it."""
    pieces = 1 + int(16 * spread)
    shifts = spread * (2 * np.arange(pieces) + 1 - pieces) / pieces
    found = _over(np.add.outer(shifts, theta), spread / pieces, moving)
    return Constants(*(values.max(axis=0) / (2 * np.pi) for values in found))


def _over(theta: Array, spread: float, moving: bool) -> Constants:
    low, high = theta - spread, theta + spread
    k_low, k_high = np.pi - high, np.pi - low
    c_low, c_high = np.cos(high), np.where(low < 0, 1.0, np.cos(low))
    s_low = np.minimum(np.sin(low), np.sin(high))
    s_high = np.where(np.abs(theta - np.pi / 2) < spread, 1.0, np.maximum(np.sin(low), np.sin(high)))
    g_low, g_high = _product(k_low, k_high, s_low, s_high)
    kc_low, kc_high = _product(k_low, k_high, c_low, c_high)
    a, b = _largest(2 * c_low + g_low, 2 * c_high + g_high), _largest(c_low + g_low, c_high + g_high)
    e = _largest(c_low, c_high)
    if moving:
        b = np.maximum(b, 1)
        e = np.maximum(np.maximum(e, b), 1)
    e = np.maximum(np.maximum(e, np.abs(a - b)), 1e-3)
    third = np.sqrt(b**2 + (2 * e**2 + b * (a - b)) ** 2 / (4 * e**2 - (a - b) ** 2))
    flat = _largest(s_low - kc_high, s_high - kc_low)
    return Constants(
        third,
        np.maximum(flat, _largest(kc_low, kc_high)),
        np.maximum(flat, _largest(k_low, k_high)),
        _largest(g_low, g_high),
    )


def _product(a_low: Array, a_high: Array, b_low: Array, b_high: Array) -> tuple[Array, Array]:
    products = [a * b for a in (a_low, a_high) for b in (b_low, b_high)]
    return np.minimum.reduce(products), np.maximum.reduce(products)


def _largest(low: Array, high: Array) -> Array:
    return np.maximum(np.abs(low), np.abs(high))
