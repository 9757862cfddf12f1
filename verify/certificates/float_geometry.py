"""In floats what the checker encloses: field, Hessian, change of the Hessian; the producer rests on it, no proof does.

Arrays here are (m, d), a row for each column of the problem.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angles

PENALTY = 0.5
"""Of the directions normal to the spheres, as in the checker: they must not be the least, nor count as the largest."""


class Local(NamedTuple):
    """The flow at one point: the field, the Hessian, and the angles on which the Hessian's change depends."""

    field: Array
    """(m, d)."""
    hessian: Array
    """(m d, m d), with ``PENALTY`` on the normals."""
    own: Array
    """(m, m), angles between students."""
    to_teachers: Array
    """(m, m), angles of student j to teacher l."""
    students: Array
    """(m, d)."""

    def lipschitz(self, spread: float) -> float:
        """:func:`lipschitz` at these angles."""
        return lipschitz(self.own, self.to_teachers, spread)

    def moved(self, h: float) -> tuple[Array, float]:
        """Taylor's second-order step, back on the spheres, and how far that put it off."""
        f, W = self.field, self.students
        bent = (self.hessian @ f.ravel()).reshape(f.shape) + np.sum(f * f, axis=1, keepdims=True) * W
        taylor = W + h * f - h * h / 2 * bent
        W = unit_rows(taylor)
        return W, float(np.linalg.norm(taylor - W))


def local(W: Array, T: Array) -> Local:
    """Field and Hessian of the flow at students W with teachers T, rows of unit length."""
    m, d = W.shape
    own, onto = angles(W.T, W.T), angles(W.T, T.T)
    off = ~np.eye(m, dtype=bool)
    psi, psi_T = (np.pi - own) / (2 * np.pi) * off, (np.pi - onto) / (2 * np.pi)
    field = psi_T @ T - psi @ W
    field -= W * np.sum(W * field, axis=1, keepdims=True)
    diagonal = (psi_T * np.cos(onto)).sum(1) - (psi * np.cos(own)).sum(1)
    q = off / (2 * np.pi * np.where(off, np.maximum(np.sin(own), 1e-12), 1.0))
    q_T = 1 / (2 * np.pi * np.maximum(np.sin(onto), 1e-12))
    away = W[None] - np.cos(own)[:, :, None] * W[:, None]  # [j, k]: P(w_j) w_k
    away_T = T[None] - np.cos(onto)[:, :, None] * W[:, None]
    H = np.zeros((m, d, m, d))
    cross = q[:, :, None, None] * away[:, :, :, None] * away.swapaxes(0, 1)[:, :, None, :]
    project = np.eye(d) - W[:, :, None] * W[:, None, :]
    cross += psi[:, :, None, None] * np.einsum("jab,kbc->jkac", project, project)
    H += cross.transpose(0, 2, 1, 3)
    own_block = np.einsum("jk,jka,jkb->jab", q, away, away) - np.einsum(
        "jl,jla,jlb->jab", q_T, away_T, away_T
    )
    own_block += diagonal[:, None, None] * project + PENALTY * W[:, :, None] * W[:, None, :]
    index = np.arange(m)
    H[index, :, index, :] = own_block
    return Local(field, H.reshape(m * d, m * d), own, onto, W)


def lipschitz(own: Array, to_teachers: Array, spread: float) -> float:
    """The checker's bound L of the Hessian's change within ``spread``."""
    m = len(own)
    pairs = _change(own, np.sqrt(2) * spread, moving=True) * ~np.eye(m, dtype=bool)
    D = _change(to_teachers, spread, moving=False).sum(1) + pairs.sum(1)
    square = pairs @ pairs
    gram = square + pairs * (D[:, None] + D[None]) + 2 * pairs**2
    np.fill_diagonal(gram, D**2 + 3 * np.diag(square))
    v = gram.sum(1) + 1e-3
    return float(np.sqrt(np.max(gram @ v / v)))


def _change(theta: Array, spread: float, *, moving: bool) -> Array:
    """C3 or C1 over ``theta +- spread``: each trigonometric term at its worst, as interval arithmetic has it."""
    pieces = 1 + int(16 * spread)
    if pieces > 1:  # narrow intervals, as the checker takes them
        shifts = spread * (2 * np.arange(pieces) + 1 - pieces) / pieces
        worst: Array = np.max([_change(theta + x, spread / pieces, moving=moving) for x in shifts], axis=0)
        return worst
    low, high = theta - spread, theta + spread
    samples = np.stack([low, theta, high])
    c, rest = np.cos(samples), np.pi - samples
    s_low, s_high = (
        np.sin(samples).min(0),
        np.where(np.abs(theta - np.pi / 2) < spread, 1.0, np.sin(samples).max(0)),
    )
    g_low = np.minimum(rest.min(0) * s_low, rest.max(0) * s_low)
    g_high = rest.max(0) * s_high
    c_low, c_high = c.min(0), np.where(np.abs(theta) < spread, 1.0, c.max(0))
    a = np.maximum(np.abs(2 * c_low + g_low), np.abs(2 * c_high + g_high))
    b = np.maximum(np.abs(c_low + g_low), np.abs(c_high + g_high))
    e = np.maximum(np.abs(c_low), np.abs(c_high))
    if moving:
        b = np.maximum(b, 1)
        e = np.maximum(np.maximum(e, b), 1)
    e = np.maximum(np.maximum(e, np.abs(a - b)), 1e-3)
    top: Array = b**2 + (2 * e**2 + b * (a - b)) ** 2 / (4 * e**2 - (a - b) ** 2)
    return np.sqrt(top) / (2 * np.pi)


def unit_rows(W: Array) -> Array:
    """Rows divided by their norms."""
    unit: Array = W / np.linalg.norm(W, axis=1, keepdims=True)
    return unit


def hexadecimal(rows: Array) -> list[list[str]]:
    """Every float in hexadecimal digits, which lose nothing."""
    return [[float(x).hex() for x in row] for row in rows]
