"""Dense output by a polynomial through values on one step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import DenseOutput

from dynamics.arrays import Vector


def nodes_of(t_old: float, t: float, degree: int) -> Vector:
    """``degree + 1`` times from ``t_old`` to ``t``, denser at the ends (Chebyshev's second kind), the ends exactly."""
    share = (1 - np.cos(np.pi * np.arange(degree + 1) / degree)) / 2
    nodes = t_old + (t - t_old) * share
    nodes[0], nodes[-1] = t_old, t
    return np.asarray(nodes)


class PolynomialOutput(DenseOutput):  # type: ignore[misc]
    """The polynomial through ``values`` (nodes, n) at the times ``nodes`` of :func:`nodes_of`; exact at them.

    Barycentric form, which is stable for such nodes.
    """

    def __init__(self, t_old: float, t: float, nodes: Vector, values: NDArray[np.float64]) -> None:
        super().__init__(t_old, t)
        self.nodes, self.values = nodes, values
        weights = np.where(np.arange(len(nodes)) % 2, -1.0, 1.0)
        weights[[0, -1]] /= 2
        self._weights = weights

    def _call_impl(self, t: Any) -> NDArray[np.float64]:
        t = np.asarray(t, dtype=np.float64)
        away = t[..., None] - self.nodes
        at_node = away == 0
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = self._weights / away
            shares = terms / terms.sum(axis=-1, keepdims=True)
        shares = np.where(at_node.any(axis=-1, keepdims=True), at_node, shares)
        return np.asarray((shares @ self.values).T)
