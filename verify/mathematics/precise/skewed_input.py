"""The first-moment kernel under whitened, skewed input in the plane: an exponential beside a normal coordinate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import mpmath as mp
import numpy as np

NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
PIECES = (-1.0, 0.0, 2.0, 40.0)
"""Ends of the float64 quadrature over the exponential coordinate; exp(-41) is left out."""


def skewed_psi_l(a: Sequence[Any], b: Sequence[Any]) -> float:
    """``E[relu(a.x) relu(b.x)]`` for ``x = (E - 1, z)``, E exponential of mean 1, z standard normal.

    ``E[x] = 0`` and ``E[x x^T] = I``, but the first coordinate has skewness 2. Second entries of both columns positive:
    then both nodes are open for z above the higher of two lines through the origin, and only E has to be integrated.
    Gauss-Legendre, good to some 1e-14 for columns more than 0.1 rad from the first axis.
    """
    total = 0.0
    for low, high in pairwise(PIECES):
        half = (high - low) / 2
        total += math.fsum(half * w * _density(half * x + (high + low) / 2, a, b, math)
                           for x, w in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True))  # fmt: skip
    return total


def skewed_psi_l_precise(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """The same in the working precision of mpmath, by adaptive quadrature."""
    return mp.quad(lambda x: _density(x, a, b, mp.mp), [-1, 0, 1, 4, 16, 100])


def _density(x: Any, a: Sequence[Any], b: Sequence[Any], real: Any) -> Any:
    """The integrand over the exponential coordinate: moments 0 to 2 of z above the higher of the two lines."""
    start = max(-a[0] * x / a[1], -b[0] * x / b[1])
    tail = real.erfc(start / real.sqrt(2)) / 2
    density = real.exp(-start * start / 2) / real.sqrt(2 * real.pi)
    second = tail + start * density
    both = a[0] * b[0] * x * x * tail + (a[0] * b[1] + a[1] * b[0]) * x * density + a[1] * b[1] * second
    return both * real.exp(-(x + 1))
