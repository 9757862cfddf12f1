"""Dense output of a step from its two ends: the cubic with the values and slopes that are known there."""

from __future__ import annotations

import numpy as np
from scipy.integrate import DenseOutput

from dynamics.arrays import Vector


class CubicHermite(DenseOutput):  # type: ignore[misc]
    """``y(t)`` for t between ``t_old`` and ``t`` from the states and slopes at both; off by O(h^4)."""

    def __init__(self, t_old: float, t: float, y_old: Vector, y: Vector, f_old: Vector, f: Vector) -> None:
        super().__init__(t_old, t)
        self.h = t - t_old
        self.ends = (y_old, y, f_old, f)

    def _call_impl(self, t: Vector) -> Vector:
        x = np.asarray((t - self.t_old) / self.h)
        y0, y1, f0, f1 = self.ends if x.ndim == 0 else [end[:, None] for end in self.ends]
        value = (1 - x) * y0 + x * y1 + x * (x - 1) * ((1 - 2 * x) * (y1 - y0))
        value += x * (x - 1) * self.h * ((x - 1) * f0 + x * f1)
        return np.asarray(value)
