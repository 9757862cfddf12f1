"""The kink of a two-layer residual across a node's boundary, and points where nothing else interferes.

Across the boundary of node j the residual r = f* - f bends by

    kappa_j = sum_{teachers i co-linear with j} v*_i ||w*_i|| - sum_{students k co-linear with j} v_k ||w_k||,

norms without the bias, multiples of either sign: at x0 on the boundary with unit normal n, and eta smaller than the
distance of x0 to every other boundary, ``r(x0 + eta n) - 2 r(x0) + r(x0 - eta n) = (1 - slope) eta kappa_j``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box, colinear
from dynamics.two_layer.relu_network import TwoLayerNetwork


@dataclass(frozen=True)
class KinkPoints:
    """Points on one boundary: ``x (N, d)``, unit ``normal (d,)``, and each point's ``clearance (N,)``.

    The clearance is the distance to the nearest other boundary or wall of the region, zero or less outside it.
    """

    x: Array
    normal: Array
    clearance: Array

    def triple(self, index: int, eta: float) -> Array:
        """``x0 - eta n, x0, x0 + eta n`` of one point, (3, d)."""
        return np.asarray(self.x[index] + np.array([[-eta], [0.0], [eta]]) * self.normal)


def kink_coefficient(node: Array, teacher: TwoLayerNetwork, student: TwoLayerNetwork) -> Array:
    """kappa (C,) at the boundary of one augmented column ``node (d + 1,)``, a teacher's, a student's or any other."""
    total = np.zeros(teacher.V.shape[-1])
    for network, sign in ((teacher, 1.0), (student, -1.0)):
        same = colinear(network.augmented, node[:, None])[:, 0]
        total += sign * (network.fan_in_norms * same) @ network.V
    return total


def kink_points(region: Box, node: Array, others: Array, count: int, rng: np.random.Generator) -> KinkPoints:
    """Up to ``count`` random points of the node's boundary in the region, with their clearance.

    ``others (d + 1, K)``: all other nodes; those co-linear with ``node`` and those without a boundary are passed over.
    Points are uniform in the region, moved onto the boundary along a line within the region where they can be.
    Raises ValueError when w = 0.
    """
    length = float(np.linalg.norm(node[:-1]))
    if length == 0:
        raise ValueError("node: expected a column with w != 0, got a node without a boundary")
    x = _on_boundary(region, node, region.sample(count, rng))
    x = x[region.depth(x) > 0]
    return KinkPoints(x, node[:-1] / length, np.minimum(region.depth(x), distance_to(others, node, x)))


def distance_to(others: Array, node: Array, x: Array) -> Array:
    """Distance of ``x (N, d)`` to the nearest boundary of ``others`` that is not co-linear with ``node``: (N,)."""
    length = np.linalg.norm(others[:-1], axis=0)
    apart = (length > 0) & ~colinear(others, node[:, None])[:, 0]
    if not apart.any():
        return np.full(len(x), np.inf)
    distance = np.abs(x @ others[:-1, apart] + others[-1, apart]) / length[apart]
    return np.asarray(distance.min(axis=-1))


def _on_boundary(region: Box, node: Array, x: Array) -> Array:
    """Each point moved to where the segment towards a corner on the other side crosses the boundary.

    The segment stays in the (convex) region, so that no point is lost however little of the boundary is inside.
    Where the boundary misses the region nothing crosses, and the points land outside.
    """
    w, b = node[:-1], node[-1]
    z = x @ w + b
    corner = region.centre - np.where(z > 0, 1.0, -1.0)[:, None] * region.half_width * np.where(
        w >= 0, 1.0, -1.0
    )
    there = corner @ w + b
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(z == there, np.inf, z / (z - there))
    return np.asarray(np.where(np.isfinite(share)[:, None], x + share[:, None] * (corner - x), np.inf))
