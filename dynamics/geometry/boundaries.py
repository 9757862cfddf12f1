"""Boundaries of ReLU nodes in a region of inputs: what is visible, what is observed, which nodes are co-linear.

Nodes are augmented columns ``(w, b)`` of length d + 1: active where ``w^T x + b > 0``, with boundary ``w^T x + b = 0``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.geometry.angles import angle_pair
from dynamics.memory import check_fits
from dynamics.validation import checked_size, number, positive_int, real_array, real_numbers

Mask = NDArray[np.bool_]

COLINEAR_ANGLE = 1e-10
"""Angle (radians) under which two augmented columns count as co-linear: far above rounding, far below use."""


@dataclass(frozen=True)
class Box:
    """The open region ``|x_i - centre_i| < half_width_i`` of inputs: the infinite training set.

    Args:
        centre, half_width: (d,), in units of the input; half-widths positive.
    Raises:
        ValueError: other shapes, or a half-width that is not positive.
    Source: Student Specialization, section 3 (R, the infinite training set).
    """

    centre: Array
    half_width: Array

    def __post_init__(self) -> None:
        for name in ("centre", "half_width"):
            object.__setattr__(self, name, real_array(name, getattr(self, name)))
        if self.centre.ndim != 1 or self.centre.shape != self.half_width.shape:
            raise ValueError(
                f"centre, half_width: expected one shape (d,), got {self.centre.shape} and {self.half_width.shape}"
            )
        if not np.all(self.half_width > 0):
            raise ValueError(f"half_width: expected positive numbers, got {self.half_width.tolist()}")

    @classmethod
    def cube(cls, d: int, half_width: float = 1.0) -> Box:
        """The cube ``(-half_width, half_width)^d``."""
        check_fits("d", positive_int("d", d))
        return cls(np.zeros(d), np.full(d, number("half_width", half_width, positive=True)))

    @property
    def d(self) -> int:
        """Input dimension."""
        return int(self.centre.size)

    @property
    def reach(self) -> float:
        """Largest ``||x||`` in the region."""
        return float(np.linalg.norm(np.abs(self.centre) + self.half_width))

    @checked
    def sample(self, size: int, rng: np.random.Generator) -> Array:
        """``size`` uniform points, (size, d); ValueError or TypeError for no number of points that fit the memory."""
        shape = (checked_size(size, self.d), self.d)
        return np.asarray(self.centre + self.half_width * rng.uniform(-1, 1, shape))

    def depth(self, x: Array) -> Array:
        """Distance of ``x (N, d)`` to the nearest wall, negative outside: (N,)."""
        x = real_numbers("x", x)
        if x.shape[-1:] != (self.d,):
            raise ValueError(f"x: expected shape (..., {self.d}), got {x.shape}")
        return np.asarray((self.half_width - np.abs(x - self.centre)).min(axis=-1))

    def extremes(self, nodes: Array) -> tuple[Array, Array]:
        """Infimum and supremum of ``w^T x + b`` over the region, for nodes (d + 1, n): two arrays (n,)."""
        nodes = real_numbers("nodes", nodes)
        if nodes.ndim != 2 or len(nodes) != self.d + 1:
            raise ValueError(f"nodes: expected shape ({self.d + 1}, n), got {nodes.shape}")
        with np.errstate(over="ignore", invalid="ignore"):  # inf or NaN where a value overflows
            middle = self.centre @ nodes[:-1] + nodes[-1]
            swing = self.half_width @ np.abs(nodes[:-1])
            return np.asarray(middle - swing), np.asarray(middle + swing)


def visibility(region: Box, nodes: Array) -> Array:
    """How far the nodes' boundaries reach into the region; positive where they meet it.

    ``min(sup_R (w^T x + b), sup_R -(w^T x + b)) / ||w||``; a node with w = 0 has no boundary and gets ``-inf``.

    Args:
        region: the inputs R.
        nodes: augmented columns (d + 1, n).
    Returns:
        Distances in units of the input, (n,).
    Source: Student Specialization, Assumption 1 (2).
    """
    low, high = region.extremes(nodes)
    length = np.linalg.norm(nodes[:-1], axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.minimum(high, -low) / length
    return np.where(length > 0, inside, -np.inf)


def observation(region: Box, observers: Array, nodes: Array) -> Array:
    """Largest pre-activation of each observer on the part of each node's boundary in the region.

    Node k observes node j where it is positive. Exact: the dual of this linear programme in one number t,
    ``min_t sup_R (w_k + t w_j)^T x + b_k + t b_j``, is convex and piecewise linear in t and attains its minimum where
    an entry of w_k + t w_j changes sign.

    Args:
        region: the inputs R.
        observers, nodes: augmented columns (d + 1, n) and (d + 1, m).
    Returns:
        (n, m); ``-inf`` where the boundary of node j is not visible.
    Cost: O(n m d^2).
    Source: Student Specialization, Definition 2 (``R`` meets ``E_k`` and the boundary of j).
    """
    w_k, w_j = observers[:-1], nodes[:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = -w_k[:, :, None] / w_j[:, None, :]  # (d, n, m) breakpoints
    usable = np.isfinite(t)
    t = np.where(usable, t, 0.0)
    combined = observers[:, None, :, None] + t * nodes[:, None, None, :]  # (d + 1, d breakpoints, n, m)
    swing = np.einsum("i,itnm->tnm", region.half_width, np.abs(combined[:-1]))
    middle = np.einsum("i,itnm->tnm", region.centre, combined[:-1]) + combined[-1]
    supremum = np.where(usable, middle + swing, np.inf).min(axis=0)
    return np.where(visibility(region, nodes) > 0, supremum, -np.inf)


def colinear(A: Array, B: Array, tolerance: float = COLINEAR_ANGLE) -> Mask:
    """Whether columns are multiples of one another, of either sign; zero columns are of none.

    Args:
        A, B: augmented columns (d + 1, n) and (d + 1, m).
        tolerance: largest angle between their lines, radians.
    Returns:
        (n, m), booleans.
    Source: Student Specialization, Definition 3 (there with a positive multiple; see :func:`aligned`).
    """
    angle, supplement = _angles(A, B)
    return np.asarray(np.minimum(angle, supplement) < tolerance)


def aligned(A: Array, B: Array, tolerance: float = COLINEAR_ANGLE) -> Mask:
    """Whether columns are positive multiples of one another; arguments and shapes as :func:`colinear`.

    Source: Student Specialization, Definition 3.
    """
    return np.asarray(_angles(A, B)[0] < tolerance)


def separation(nodes: Array) -> float:
    """Smallest angle between two of the lines spanned by the columns ``nodes (d + 1, n)``, radians.

    Assumption 1 (1) holds where it is positive. pi / 2 for a single column, 0 where one is zero.
    Source: Student Specialization, Assumption 1.
    """
    if not np.all(np.any(nodes != 0, axis=0)):
        return 0.0
    angle, supplement = _angles(nodes, nodes)
    apart = np.minimum(angle, supplement)[np.triu_indices(nodes.shape[1], 1)]
    return float(apart.min(initial=np.pi / 2))


def _angles(A: Array, B: Array) -> tuple[Array, Array]:
    """Angles and supplementary angles of all pairs; infinite where a column is zero."""
    some_a, some_b = np.any(A != 0, axis=0), np.any(B != 0, axis=0)
    found = np.full((2, A.shape[1], B.shape[1]), np.inf)
    if some_a.any() and some_b.any():
        found[np.ix_([True, True], some_a, some_b)] = angle_pair(A[:, some_a], B[:, some_b])
    return found[0], found[1]
