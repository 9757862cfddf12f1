"""The Hessian of the loss at its solution W = W*, for any teachers, with its least eigenvalue enclosed in balls."""

from __future__ import annotations

import numpy as np
from flint import arb, arb_mat

from dynamics.arrays import Array
from dynamics.basins.balls import PI, lower, upper

Columns = list[list[arb]]
"""Columns of a weight matrix, each a list of balls."""


def exact_unit_columns(W: Array) -> Columns:
    """The columns of a float matrix (d, m), normalised: balls around exactly unit columns."""
    columns = []
    for column in W.T:
        exact = [arb(float(x)) for x in column]
        length = dot(exact, exact).sqrt()
        columns.append([x / length for x in exact])
    return columns


def dot(a: list[arb], b: list[arb]) -> arb:
    """The inner product."""
    total = arb(0)
    for x, y in zip(a, b, strict=True):
        total += x * y
    return total


def angle_between(a: list[arb], b: list[arb]) -> arb:
    """``2 atan2(|a - b|, |a + b|)``, accurate at every angle."""
    difference = [x - y for x, y in zip(a, b, strict=True)]
    total = [x + y for x, y in zip(a, b, strict=True)]
    return 2 * arb.atan2(
        dot(difference, difference).nonnegative_part().sqrt(), dot(total, total).nonnegative_part().sqrt()
    )


def solution_hessian(teachers: Columns, angles: list[list[arb]]) -> arb_mat:
    """The Hessian on tangent steps, ``(m d, m d)``, with eigenvalue 1 on the normals.

    For projected steps x it is
    ``x.H.x = sum_j |x_j|^2 / 2 + sum_{j != k} [(pi - t_jk) x_j.x_k + (x_j.w_k)(x_k.w_j) / sin t_jk] / 2 pi``.
    Raises ValueError where two teachers are not shown to be on different lines.
    """
    m, d = len(teachers), len(teachers[0])
    H = [[arb(0)] * (m * d) for _ in range(m * d)]
    projections = [
        arb_mat(d, d, [(arb(a == b) - w[a] * w[b]) for a in range(d) for b in range(d)]) for w in teachers
    ]
    for j, w in enumerate(teachers):
        for a in range(d):
            for b in range(d):
                H[j * d + a][j * d + b] = projections[j][a, b] / 2 + w[a] * w[b]
        for k in range(j):
            block = _pair_block(w, teachers[k], projections[j], projections[k], angles[j][k])
            for a in range(d):
                for b in range(d):
                    H[j * d + a][k * d + b] = H[k * d + b][j * d + a] = block[a][b]
    return arb_mat(H)


def _pair_block(w: list[arb], u: list[arb], P: arb_mat, Q: arb_mat, theta: arb) -> list[list[arb]]:
    sine = theta.sin()
    if not sine > 0:
        raise ValueError("teacher_W: expected teachers on different lines, got two that are not told apart")
    overlap, twist, c = (PI - theta) / (2 * PI), 1 / (2 * PI * sine), dot(w, u)
    seen_u = [x - c * y for x, y in zip(u, w, strict=True)]
    seen_w = [x - c * y for x, y in zip(w, u, strict=True)]
    PQ = P * Q
    return [
        [overlap * PQ[a, b] + twist * seen_u[a] * seen_w[b] for b in range(len(w))] for a in range(len(w))
    ]


def least_eigenvalue(H: arb_mat) -> arb:
    """A lower bound of the least eigenvalue of a symmetric matrix of balls, as an exact number.

    ``Q^T (H - c I) Q`` is shown to be strictly diagonally dominant with positive diagonal, Q an approximate eigenbasis
    found in floating point, which need not be trusted: then ``H - c I`` is positive definite.
    """
    n = H.nrows()
    middle = np.array([[float(H[a, b].mid()) for b in range(n)] for a in range(n)])
    values, vectors = np.linalg.eigh((middle + middle.T) / 2)
    Q = arb_mat(n, n, [arb(float(x)) for x in vectors.ravel()])
    A, G = Q.transpose() * H * Q, Q.transpose() * Q
    room = 1e-12 * max(1.0, float(abs(values).max()))
    for _ in range(20):
        bound = arb(float(values[0]) - room)
        if _dominant(A - G * bound):
            return lower(bound)
        room *= 10
    raise ArithmeticError(
        "least_eigenvalue: expected a matrix known well enough, got balls that are too wide"
    )


def _dominant(M: arb_mat) -> bool:
    n = M.nrows()
    for a in range(n):
        others = arb(0)
        for b in range(n):
            if b != a:
                others += upper(abs(M[a, b]))
        if not M[a, a] - others > 0:
            return False
    return True
