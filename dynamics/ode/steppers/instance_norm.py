"""Step control of a stack by its worst instance: RK45 and DOP853 with a maximum over instances as error norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.integrate import DOP853, RK45

from dynamics.arrays import Vector
from dynamics.ode.flow import Labels
from dynamics.ode.steppers.whole_steps import WholeSteps


class InstanceNorm:
    """Mean squares of a vector, instance by instance."""

    def __init__(self, labels: Labels | None) -> None:
        self.labels = labels
        self.count = 1 if labels is None else int(labels.max()) + 1

    def mean_squares(self, v: Vector) -> Vector:
        """One mean square per instance, (count,)."""
        squares = (v * v.conj()).real if np.iscomplexobj(v) else v * v
        if self.labels is None:
            return np.asarray(squares.mean(keepdims=True))
        sums = np.bincount(self.labels, weights=squares, minlength=self.count)
        return np.asarray(sums * (self.count / v.size), dtype=np.float64)

    def __call__(self, v: Vector) -> float:
        """Root mean square of the worst instance."""
        return math.sqrt(self.mean_squares(v).max())


class InstanceRK45(WholeSteps, RK45):  # type: ignore[misc]
    """RK45 whose error norm is the largest of the instances' own root mean squares."""

    def __init__(self, *args: Any, labels: Labels | None = None, **options: Any) -> None:
        self.norm = InstanceNorm(labels)
        super().__init__(*args, **options)

    def _estimate_error_norm(self, K: Vector, h: float, scale: Vector) -> float:
        return self.norm(_weighted(K, self.E) * h / scale)


class InstanceDOP853(WholeSteps, DOP853):  # type: ignore[misc]
    """DOP853 likewise: its mixture of a fifth- and a third-order estimate is formed for each instance."""

    def __init__(self, *args: Any, labels: Labels | None = None, **options: Any) -> None:
        self.norm = InstanceNorm(labels)
        super().__init__(*args, **options)

    def _estimate_error_norm(self, K: Vector, h: float, scale: Vector) -> float:
        fifth = self.norm.mean_squares(_weighted(K, self.E5) / scale)
        third = self.norm.mean_squares(_weighted(K, self.E3) / scale)
        mixed = np.sqrt(fifth + 0.01 * third)
        ratio = np.divide(fifth, mixed, out=np.zeros_like(fifth), where=mixed != 0)
        return float(abs(h) * ratio.max())


def _weighted(K: Vector, weights: Vector) -> Vector:
    """The weighted sum of the rows of K; not by BLAS, which for large stacks waits for threads where cores are busy."""
    return np.asarray(np.einsum("i,ij->j", weights, K))
