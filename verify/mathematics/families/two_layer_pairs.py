"""Two-layer pairs in an open region as instances: arbitrary ones, and exact critical points."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box
from dynamics.two_layer.critical.critical_points import (
    CriticalPoint,
    SplitPlan,
    dyadic_teacher,
    split_teacher,
)
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork
from dynamics.two_layer.critical.residual_kinks import KinkPoints, kink_points
from verify.judging import SEED, Budget, Instance, drawn, integers, reals
from verify.mathematics.families.narrowed import narrowed

CANDIDATES = 64
"""Points of a boundary among which the one farthest from the others is taken."""

GRID_POINTS = 40
"""Dyadic points at which exact critical points are recognised, unless a statement wants more."""


@dataclass(frozen=True)
class NetworkPair:
    """Region, teacher and student of one instance."""

    region: Box
    teacher: TwoLayerNetwork
    student: TwoLayerNetwork

    @property
    def columns(self) -> Array:
        """Augmented fan-ins of all nodes, teachers first."""
        return np.concatenate([self.teacher.augmented, self.student.augmented], axis=1)

    @property
    def rounding(self) -> float:
        """Bound on the error of one residual."""
        return self.teacher.rounding(self.region.reach) + self.student.rounding(self.region.reach)

    def residual(self, x: Array) -> Array:
        """Teacher minus student at points ``x (N, d)``, ``(N, C)``."""
        return self.teacher(x) - self.student(x)

    def points(self, node: Array, rng: np.random.Generator, count: int = CANDIDATES) -> KinkPoints:
        """Candidate points on a node's boundary, clear of all other boundaries."""
        return kink_points(self.region, node, self.columns, count, rng)


@dataclass(frozen=True)
class ArbitraryPair(Instance):
    """Teacher and student with normal weights, all boundaries through random points of a random box.

    The first ``colinear`` students are multiples (sign and size random) of a random node drawn before them, teacher or
    student. The others are random, or with ``near > 0`` a teacher's column moved by that share of its size.
    """

    d: int = drawn(1, st.integers(1, 5), integers(1))
    outputs: int = drawn(1, st.integers(1, 4), integers(1))
    teachers: int = drawn(1, st.integers(1, 4), integers(1))
    students: int = drawn(1, st.integers(1, 6), integers(1))
    colinear: int = drawn(0, st.integers(0, 3), integers(0))
    near: float = drawn(0.0, st.sampled_from([0.0, 0.3, 0.1, 0.03, 0.01]), reals(0.0))
    slope: float = drawn(
        0.0,
        st.sampled_from([0.0, 0.1]),
        reals(0.0, 1.0, high_open=True),
        note="0 is the ReLU",
    )
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def networks(self) -> NetworkPair:
        """The region and the two networks."""
        rng = np.random.default_rng(self.seed)
        region = Box(0.3 * rng.standard_normal(self.d), rng.uniform(0.5, 2.0, self.d))

        def through_region(count: int) -> Array:
            W = rng.standard_normal((self.d, count))
            return np.concatenate([W, -(W * region.sample(count, rng).T).sum(axis=0)[None]])

        columns = through_region(self.teachers)
        for index in range(self.students):
            if index < self.colinear:
                factor = rng.uniform(0.5, 2.0) * rng.choice([-1.0, 1.0])
                column = factor * columns[:, rng.integers(columns.shape[1])]
            elif self.near > 0:
                teacher = columns[:, rng.integers(self.teachers)]
                length = np.linalg.norm(teacher[:-1])
                column = teacher + self.near * length * rng.standard_normal(self.d + 1)
            else:
                column = through_region(1)[:, 0]
            columns = np.concatenate([columns, column[:, None]], axis=1)
        networks = []
        for part in (columns[:, : self.teachers], columns[:, self.teachers :]):
            fan_outs = rng.standard_normal((part.shape[1], self.outputs))
            bias = rng.standard_normal(self.outputs)
            networks.append(TwoLayerNetwork(part[:-1], part[-1], fan_outs, bias, self.slope))
        return NetworkPair(region, networks[0], networks[1])


def relu_pairs(budget: Budget, **fields: st.SearchStrategy[int]) -> st.SearchStrategy[ArbitraryPair]:
    """Arbitrary pairs without a slope; ``fields`` replaces the ranges of some fields."""
    return narrowed(ArbitraryPair, budget, slope=st.just(0.0), **fields)


@dataclass(frozen=True)
class CriticalPair(NetworkPair):
    """A pair whose student is a critical point; ``kind (n,)`` says what each student node is."""

    kind: NDArray[np.str_]


@dataclass(frozen=True)
class Splitting(Instance):
    """An exact critical point on (-2, 2)^d, its student split from a dyadic teacher.

    The fields after ``teachers`` are those of ``SplitPlan``.
    """

    d: int = drawn(1, st.integers(1, 4), integers(1))
    outputs: int = drawn(1, st.integers(1, 3), integers(1))
    teachers: int = drawn(1, st.integers(1, 4), integers(1))
    copies: int = drawn(1, st.integers(1, 3), integers(1))
    reversed: int = drawn(0, st.integers(0, 4), integers(0), note="at most the number of teachers")
    cancelling: int = drawn(0, st.integers(0, 2), integers(0))
    opposed: int = drawn(0, st.integers(0, 2), integers(0))
    idle: int = drawn(0, st.integers(0, 2), integers(0))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    @property
    def plan(self) -> SplitPlan:
        """How the teachers are split, as ``dynamics.two_layer.critical.critical_points`` takes it."""
        reverse = min(self.reversed, self.teachers)
        return SplitPlan(self.copies, reverse, self.cancelling, self.opposed, self.idle)

    def networks(self) -> CriticalPair:
        """The region, the teacher, and a student that computes the same function in other nodes."""
        rng = np.random.default_rng(self.seed)
        region = Box.cube(self.d, 2.0)
        teacher = dyadic_teacher(region, self.teachers, self.outputs, rng)
        point: CriticalPoint = split_teacher(teacher, region, self.plan, rng)
        return CriticalPair(region, teacher, point.student, point.kind)


def dyadic_points(region: Box, rng: np.random.Generator, count: int = GRID_POINTS) -> Array:
    """Points of the region's grid of 1/64 half-widths, (count, d): there exact critical points have no rounding."""
    return np.asarray(region.centre + region.half_width * rng.integers(-63, 64, (count, region.d)) / 64)
