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
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork


@dataclass(frozen=True)
class KinkPoints:
    """Points on one node's boundary.

    Attributes:
        x: the points, (N, d).
        normal: the unit normal of the boundary, (d,).
        clearance: of each point, the distance to the nearest other boundary or wall of the region, (N,); zero or less
            outside the region.
    """

    x: Array
    normal: Array
    clearance: Array

    def triple(self, index: int, eta: float) -> Array:
        """``x0 - eta n``, ``x0``, ``x0 + eta n`` of the point x0 = x[index] and the normal n, (3, d)."""
        return np.asarray(self.x[index] + np.array([[-eta], [0.0], [eta]]) * self.normal)


def kink_coefficient(node: Array, teacher: TwoLayerNetwork, student: TwoLayerNetwork) -> Array:
    """``kappa`` of this module at the boundary of one node, by the networks' weights.

    Args:
        node: an augmented column (d + 1,), a teacher's, a student's or any other.
    Returns:
        (C,), per unit distance from the boundary.
    """
    total = np.zeros(teacher.V.shape[-1])
    for network, sign in ((teacher, 1.0), (student, -1.0)):
        same = colinear(network.augmented, node[:, None])[:, 0]
        total += sign * (network.fan_in_norms * same) @ network.V
    return total


def kink_points(region: Box, node: Array, others: Array, count: int, rng: np.random.Generator) -> KinkPoints:
    """Random points of a node's boundary in the region, with their clearance.

    Points are drawn uniformly in the region and moved onto the boundary along lines within the region.

    Args:
        region: the inputs.
        node: an augmented column (d + 1,) with w != 0.
        others: all other nodes (d + 1, K); those co-linear with ``node`` and those without a boundary do not count.
        count: points drawn; fewer come back where the boundary misses the region.
    Raises:
        ValueError: w = 0.
    Cost: O(count d K).
    """
    length = float(np.linalg.norm(node[:-1]))
    if length == 0:
        raise ValueError("node: expected a column with w != 0, got a node without a boundary")
    x = _on_boundary(region, node, region.sample(count, rng))
    x = x[region.depth(x) > 0]
    return KinkPoints(x, node[:-1] / length, np.minimum(region.depth(x), distance_to(others, node, x)))


def distance_to(others: Array, node: Array, x: Array) -> Array:
    """Distance of each point to the nearest boundary of a node that is not co-linear with ``node``.

    Args:
        others: augmented columns (d + 1, K).
        node: an augmented column (d + 1,).
        x: points, (N, d).
    Returns:
        (N,), infinite where no other node has a boundary.
    """
    length = np.linalg.norm(others[:-1], axis=0)
    apart = (length > 0) & ~colinear(others, node[:, None])[:, 0]
    if not apart.any():
        return np.full(len(x), np.inf)
    distance = np.abs(x @ others[:-1, apart] + others[-1, apart]) / length[apart]
    return np.asarray(distance.min(axis=-1))


def _on_boundary(region: Box, node: Array, x: Array) -> Array:
    """Each point moved to where the segment to the region's farthest corner beyond the boundary crosses the boundary.

    The segment stays in the region, which is convex: no point is lost however little of the boundary is inside. Where
    the boundary misses the region no segment crosses it, and the points land outside.
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
