"""Paths of line segments between two exact critical points of one teacher, on which the loss stays zero."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box
from dynamics.two_layer.critical.critical_points import SplitPlan, dyadic_teacher, split_teacher
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork
from verify.judging import SEED, Instance, drawn, integers

Point = tuple[Array, Array]
"""Augmented fan-ins (d + 1, n) and fan-outs (n, c) of a student; its output bias is the teacher's."""


@dataclass(frozen=True)
class TwoCriticalPoints(Instance):
    """Two students of one dyadic teacher on (-2, 2)^d, both with zero residual, their nodes in random order.

    Each has ``copies`` nodes to a teacher, ``idle`` nodes without fan-out and ``cancelling`` pairs of nodes.
    """

    d: int = drawn(2, st.integers(1, 4), integers(1))
    outputs: int = drawn(1, st.integers(1, 3), integers(1))
    teachers: int = drawn(1, st.integers(1, 4), integers(1))
    copies: int = drawn(1, st.integers(1, 3), integers(1))
    idle: int = drawn(1, st.integers(0, 3), integers(0))
    cancelling: int = drawn(0, st.integers(0, 2), integers(0))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def setting(self) -> tuple[Box, TwoLayerNetwork]:
        """The region and the teacher."""
        region = Box.cube(self.d, 2.0)
        return region, dyadic_teacher(region, self.teachers, self.outputs, np.random.default_rng(self.seed))

    def ends(self) -> tuple[Point, Point]:
        """The two students."""
        region, teacher = self.setting()
        plan = SplitPlan(self.copies, 0, self.cancelling, 0, self.idle)
        found = []
        for side in (1, 2):
            rng = np.random.default_rng((self.seed, side))
            student = split_teacher(teacher, region, plan, rng).student
            order = rng.permutation(student.nodes)
            found.append((student.augmented[:, order], student.V[order]))
        return found[0], found[1]


def network_at(teacher: TwoLayerNetwork, point: Point) -> TwoLayerNetwork:
    """The student at a point."""
    W, V = point
    return TwoLayerNetwork(W[:-1], W[-1], V, teacher.c)


def between(a: Point, b: Point, share: float) -> Point:
    """The point of the line from a to b at ``share``."""
    return (1 - share) * a[0] + share * b[0], (1 - share) * a[1] + share * b[1]


def scales(columns: Array, node: Array) -> Array:
    """``s`` of every column that is ``s`` times the node, s > 0; 0 for the others (dyadic: exact)."""
    factor = node @ columns / (node @ node)
    return np.where((columns == factor * node[:, None]).all(axis=0) & (factor > 0), factor, 0.0)


@dataclass
class Walk:
    """A student that moves in straight steps; ``holder[j]`` is the node that has the fan-out of teacher j."""

    teacher: TwoLayerNetwork
    W: Array
    V: Array
    points: list[Point]
    holder: list[int]

    @classmethod
    def from_end(cls, teacher: TwoLayerNetwork, end: Point) -> Walk:
        """Start at ``end`` and give each teacher's whole fan-out to one of its students."""
        W, V = end[0].copy(), end[1].copy()
        walk = cls(teacher, W, V, [(W.copy(), V.copy())], [])
        V = np.zeros_like(V)
        for node, fan_out in zip(teacher.augmented.T, teacher.V, strict=True):
            scale = scales(W, node)
            holder = int(np.argmax(scale))
            walk.holder.append(holder)
            V[holder] = fan_out / scale[holder]
        walk.V = V
        walk.mark()
        return walk

    def mark(self) -> None:
        """Note where the student is: the end of a segment."""
        self.points.append((self.W.copy(), self.V.copy()))

    def hand_over(self, j: int, node: int, column: Array) -> None:
        """Turn a node without fan-out to ``column``, a multiple of teacher j, and give it that teacher's fan-out."""
        self.W[:, node] = column
        self.mark()
        self.V[self.holder[j]] = 0.0
        scale = scales(self.W[:, node : node + 1], self.teacher.augmented[:, j])[0]
        self.V[node] = self.teacher.V[j] / scale
        self.holder[j] = node
        self.mark()

    def free(self, avoid: int) -> int:
        """A node without fan-out other than ``avoid``."""
        return next(k for k in range(self.W.shape[1]) if k not in self.holder and k != avoid)


def segments(teacher: TwoLayerNetwork, start: Point, end: Point) -> list[Point]:
    """Corners of a path of zero loss from ``start`` to ``end``: n > m + 1 nodes, every teacher with a student at both.

    Fan-outs of co-linear nodes are added up at one of them; nodes without fan-out may turn anywhere; a teacher's
    fan-out is handed to such a node once that is co-linear with it. At most 4 m + 3 segments.
    """
    walk, goal = Walk.from_end(teacher, start), Walk.from_end(teacher, end)
    for j, target in enumerate(goal.holder):
        if target in walk.holder and walk.holder[j] != target:
            other = walk.holder.index(target)
            walk.hand_over(other, walk.free(target), walk.W[:, target].copy())
        if walk.holder[j] != target:
            walk.hand_over(j, target, goal.W[:, target])
        elif not np.array_equal(walk.W[:, target], goal.W[:, target]):
            spare = walk.free(target)
            walk.hand_over(j, spare, walk.W[:, target].copy())
            walk.hand_over(j, target, goal.W[:, target])
    walk.W = goal.W.copy()
    walk.mark()
    return [*walk.points, goal.points[0]]


def largest_residual(teacher: TwoLayerNetwork, a: Point, b: Point, x: Array, steps: int) -> float:
    """Largest ``|r|`` at the inputs ``x (N, d)`` over ``steps`` equal steps of the segment from a to b."""
    target = teacher(x)
    return max(
        float(np.abs(target - network_at(teacher, between(a, b, share))(x)).max())
        for share in np.linspace(0.0, 1.0, steps + 1)
    )


def rounding_on(teacher: TwoLayerNetwork, points: list[Point], reach: float) -> float:
    """Bound on the rounding of a residual on a path with these corners; a share of a segment rounds once more."""
    largest = max(network_at(teacher, point).rounding(reach) for point in points)
    return 4 * (largest + teacher.rounding(reach))
