"""Vectors of balls: angles and the kernels of isotropic Gaussian input between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dynamics.arrays import Array
from verify.judging.enclosing.balls import REAL, Ball, Exact

Vector = Sequence[Any]
"""Balls and integers."""


def exact_columns(matrix: Array) -> list[list[Ball]]:
    """The columns of a float matrix (d, n), taken exactly."""
    return [[Ball(float(entry)) for entry in column] for column in matrix.T]


def dot(a: Vector, b: Vector) -> Ball:
    """Inner product."""
    total = Ball(0)
    for x, y in zip(a, b, strict=True):
        total = total + Ball(x) * y
    return total


def length(a: Vector) -> Ball:
    """Euclidean norm."""
    return REAL.sqrt(dot(a, a))


def unit(a: Vector) -> list[Ball]:
    """``a`` over its norm."""
    norm = length(a)
    return [Ball(x) / norm for x in a]


def angle(a: Vector, b: Vector) -> Ball:
    """Angle of two unit vectors, ``2 atan2(|a - b|, |a + b|)``: narrow also near 0 and pi."""
    apart = length([Ball(x) - y for x, y in zip(a, b, strict=True)])
    together = length([Ball(x) + y for x, y in zip(a, b, strict=True)])
    return 2 * REAL.atan2(apart, together)


def kappa(theta: Exact) -> Ball:
    """``sin theta + (pi - theta) cos theta``."""
    return REAL.sin(theta) + (REAL.pi - Ball(theta)) * REAL.cos(theta)


def psi_d(a: Vector, b: Vector) -> Ball:
    """``P(a.x > 0, b.x > 0)`` of unit vectors, ``(pi - angle) / 2 pi``."""
    return (REAL.pi - angle(a, b)) / (2 * REAL.pi)


def psi_l(a: Vector, b: Vector) -> Ball:
    """``E[(a.x)_+ (b.x)_+] = |a| |b| kappa(angle) / 2 pi`` of any vectors."""
    return length(a) * length(b) * kappa(angle(unit(a), unit(b))) / (2 * REAL.pi)


def angle_table(first: Array, second: Array) -> list[list[Ball]]:
    """Angles of the columns of two float matrices (d, n) and (d, m), taken exactly and normalised; ``(n, m)``.

    By one product of matrices, from the cosine: near 0 and pi half the bits are lost, as far as that matters.
    """
    from flint import arb, arb_mat

    rows, columns = (arb_mat([[arb(float(x)) for x in row] for row in matrix]) for matrix in (first, second))
    products = rows.transpose() * columns
    norms = [[length(column) for column in exact_columns(matrix)] for matrix in (first, second)]
    table = []
    for i, a in enumerate(norms[0]):
        cosines = [Ball(products[i, j]) / (a * b) for j, b in enumerate(norms[1])]
        table.append([REAL.atan2(REAL.sqrt((1 - c) * (1 + c)), c) for c in cosines])
    return table
