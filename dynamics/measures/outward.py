"""Outward rounding: floats that are certainly above, or below, what a chain of rounded operations stands for.

What each bound takes for granted: +, -, *, / and sqrt are rounded correctly (IEEE 754), elementary functions err by at
most ``ELEMENTARY`` ulp (NumPy's stated tolerance for its fastest loops is 4), and angles by at most ``angle_ulps``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array

EPS = float(np.finfo(np.float64).eps)
TINY = float(np.finfo(np.float64).tiny)
ELEMENTARY = 4.0


def above(x: ArrayLike, ulps: ArrayLike = 0.0) -> Array:
    """A float not below any number within ``ulps`` relative roundings (of 2^-52) of x, nor within 2^-1022 of it."""
    x = np.asarray(x)
    return np.asarray(x + ((np.asarray(ulps) + 1.0) * EPS * np.abs(x) + TINY))


def below(x: ArrayLike, ulps: ArrayLike = 0.0) -> Array:
    """A float not above any such number."""
    x = np.asarray(x)
    return np.asarray(x - ((np.asarray(ulps) + 1.0) * EPS * np.abs(x) + TINY))


def angle_ulps(dim: int) -> float:
    """Relative error, in ulp, of :func:`dynamics.geometry.angles.angle_pair` between columns of length ``dim``."""
    return 2.6 * (dim + 4)
