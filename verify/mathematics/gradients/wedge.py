"""The second moment of spherical input over the wedge in which two nodes are active, by quadrature."""

from __future__ import annotations

import math

import numpy as np

from dynamics.arrays import Array


def wedge_matrix(angle: float, d: int, c: float = 1.0) -> Array:
    """``E[D_k D_j x x^T]`` (d, d) for spherical input with ``E||x||^2 = c d``, by quadrature without a closed form.

    The first axis is along ``w_k``, the second along the part of ``w_j`` across it. With x = r e, the squared part t of
    the unit vector e in their plane has density ``(d-2)/2 (1-t)^(d/2-2)`` (t = 1 for d = 2), its azimuth p is uniform:
    Gauss-Jacobi in t, Gauss-Legendre in p over the wedge where both gates are open.
    """
    from scipy.special import roots_jacobi

    if d == 2:
        t, weight = np.ones(1), np.ones(1)
    else:
        nodes, weight = roots_jacobi(4, d / 2 - 2, 0)
        t, weight = (1 + nodes) / 2, weight / weight.sum()
    p, step = np.polynomial.legendre.leggauss(24)
    low, high = angle - math.pi / 2, math.pi / 2
    p, step = low + (high - low) * (1 + p) / 2, step * (high - low) / (4 * math.pi)
    directions = np.stack([np.cos(p), np.sin(p)])
    matrix = np.zeros((d, d))
    matrix[:2, :2] = (weight @ t) * (directions * step) @ directions.T
    rest = (weight @ (1 - t)) * step.sum() / max(d - 2, 1)
    matrix[2:, 2:] = rest * np.eye(d - 2)
    return c * d * matrix
