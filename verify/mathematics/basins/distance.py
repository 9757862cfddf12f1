"""Students at a given distance from orthonormal teachers, how fast they contract, and the slowest found by descent."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from dynamics.arrays import Array

WIDEST = 1.9
"""Largest distance: with one student alone R = 2 is the antipode."""


def students_at(directions: Array, radius: float) -> Array:
    """Unit columns with ``||W - W*||_F = radius``, W* the first m unit vectors.

    Node j is at squared distance ``u_j = |Y_j|^2``, ``Y = radius X / ||X||_F``, in the direction of X_j:
    ``w_j = (1 - u_j/2) e_j + sqrt(1 - u_j/4) Y_j``.

    Args:
        directions: X (d, m), whose diagonal is left out; not zero beside it.
        radius: R, at most WIDEST.
    """
    Y, _ = _scaled(directions, radius)
    u = np.sum(Y**2, axis=0)
    return np.asarray(np.eye(*Y.shape) * (1 - u / 2) + np.sqrt(1 - u / 4) * Y)


def _scaled(directions: Array, radius: float) -> tuple[Array, float]:
    X = directions * (1 - np.eye(*directions.shape))
    size = float(np.linalg.norm(X))
    return radius / size * X, size


def contraction(W: Array) -> tuple[float, Array]:
    """``Z = 2 pi (-R R')`` of the flow about the teachers e_1 .. e_m, and its gradient in the entries of W.

    ``Z = (pi/2)(|S|^2 - S.D) + sum_j s_j^2 A(c_j) + sum_{j != k} [A(B_jk)(c_j B_jk - C_jk) - c_j C_kj A(C_kj)]`` with
    ``c_j = W_jj``, ``C_jk = W_jk``, ``B = W^T W``, ``S = sum (w_j - e_j)``, ``D = sum (1 - c_j) w_j``, A = arcsin.
    Cost: O(m^2 d).
    """
    m = W.shape[1]
    off = 1 - np.eye(m)
    c, C = np.diagonal(W).copy(), W[:m] * off
    B = np.clip(W.T @ W, -1, 1) * off
    S, D = W.sum(axis=1) - np.eye(*W.shape).sum(axis=1), W @ (1 - c)
    A_B, A_C, s2 = np.arcsin(B), np.arcsin(C), np.maximum(1 - c**2, 0.0)
    value = np.pi / 2 * (S @ S - S @ D) + s2 @ np.arcsin(np.clip(c, -1, 1))
    value += np.sum(A_B * (c[:, None] * B - C)) - np.sum(C * A_C, axis=0) @ c
    slope_B, slope_C = (1 / np.sqrt(np.maximum(1 - x**2, 1e-14)) for x in (B, C))
    by_B = (slope_B * (c[:, None] * B - C) + A_B * c[:, None]) * off
    gradient = W @ (by_B + by_B.T)
    gradient[:m] += (-A_B - c * (A_C + C * slope_C)) * off
    by_c = (
        np.sum(A_B * B, axis=1) - np.sum(C * A_C, axis=0) - 2 * c * np.arcsin(np.clip(c, -1, 1)) + np.sqrt(s2)
    )
    by_c += np.pi / 2 * (S @ W)
    gradient[np.arange(m), np.arange(m)] += by_c
    gradient += np.pi / 2 * ((1 + c) * S[:, None] - D[:, None])
    return float(value), gradient


def rate_at(W: Array) -> float:
    """``-R'/R`` at W."""
    return contraction(W)[0] / (2 * np.pi * float(np.sum((W - np.eye(*W.shape)) ** 2)))


def slowest_at(radius: float, start: Array, iterations: int) -> Array:
    """Directions X near ``start`` (d, m) at which students at ``radius`` contract most slowly: L-BFGS on ``-R'/R``."""
    shape = start.shape

    def objective(flat: Array) -> tuple[float, Array]:
        Y, size = _scaled(flat.reshape(shape), radius)
        u = np.sum(Y**2, axis=0)
        root = np.sqrt(1 - u / 4)
        value, gradient = contraction(np.eye(*shape) * (1 - u / 2) + root * Y)
        along = np.diagonal(gradient)
        across = gradient * (1 - np.eye(*shape))
        by_Y = root * across - Y * (along + np.sum(across * Y, axis=0) / (4 * root))
        direction = Y / radius
        by_X = radius / size * (by_Y - direction * np.sum(direction * by_Y))
        scale = 2 * np.pi * radius**2
        return value / scale, (by_X / scale).ravel()

    found = minimize(
        objective, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": iterations, "ftol": 1e-14}
    )
    return np.asarray(found.x.reshape(shape))
