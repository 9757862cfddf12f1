"""Two-layer pairs in an open region as instances: arbitrary ones, and exact critical points."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box, separation, visibility
from dynamics.two_layer.critical_points import CriticalPoint, SplitPlan, dyadic_teacher, split_teacher
from dynamics.two_layer.relu_network import TwoLayerNetwork
from dynamics.two_layer.residual_kinks import KinkPoints, kink_points
from verify.judging import Assumption, Budget

CANDIDATES = 64
"""Points of a boundary among which the one farthest from the others is taken."""


@dataclass(frozen=True)
class ArbitraryPair:
    """Teacher and student with normal weights, all boundaries through random points of a random box.

    The first ``colinear`` students are multiples (sign and size random) of a random node drawn before them, teacher or
    student. The others are random, or with ``near > 0`` a teacher's column moved by that share of its size.
    """

    d: int = 1
    outputs: int = 1
    teachers: int = 1
    students: int = 1
    colinear: int = 0
    near: float = 0.0
    slope: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Drawn:
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


def draw_arbitrary(instance: ArbitraryPair) -> Drawn:
    """Random networks whose boundaries pass through the region; some students co-linear with or near a teacher."""
    rng = np.random.default_rng(instance.seed)
    region = Box(0.3 * rng.standard_normal(instance.d), rng.uniform(0.5, 2.0, instance.d))

    def through_region(count: int) -> Array:
        W = rng.standard_normal((instance.d, count))
        return np.concatenate([W, -(W * region.sample(count, rng).T).sum(axis=0)[None]])

    columns = through_region(instance.teachers)
    for index in range(instance.students):
        if index < instance.colinear:
            factor = rng.uniform(0.5, 2.0) * rng.choice([-1.0, 1.0])
            column = factor * columns[:, rng.integers(columns.shape[1])]
        elif instance.near > 0:
            teacher = columns[:, rng.integers(instance.teachers)]
            length = np.linalg.norm(teacher[:-1])
            column = teacher + instance.near * length * rng.standard_normal(instance.d + 1)
        else:
            column = through_region(1)[:, 0]
        columns = np.concatenate([columns, column[:, None]], axis=1)
    networks = []
    for part in (columns[:, : instance.teachers], columns[:, instance.teachers :]):
        fan_outs = rng.standard_normal((part.shape[1], instance.outputs))
        bias = rng.standard_normal(instance.outputs)
        networks.append(TwoLayerNetwork(part[:-1], part[-1], fan_outs, bias, instance.slope))
    return Drawn(region, networks[0], networks[1])


def arbitrary_pairs(
    budget: Budget, *, colinear: bool = True, leaky: bool = True, students: tuple[int, int] = (1, 6)
) -> st.SearchStrategy[ArbitraryPair]:
    """Up to 5 dimensions, 4 outputs, 4 teachers and ``students`` (least, most)."""
    return st.builds(
        ArbitraryPair,
        d=st.integers(1, 5),
        outputs=st.integers(1, 4),
        teachers=st.integers(1, 4),
        students=st.integers(*students),
        colinear=st.integers(0, 3) if colinear else st.just(0),
        near=st.sampled_from([0.0, 0.3, 0.1, 0.03, 0.01]),
        slope=st.sampled_from([0.0, 0.1]) if leaky else st.just(0.0),
        seed=st.integers(0, 2**16),
    )


@dataclass(frozen=True)
class Splitting:
    """An exact critical point on (-2, 2)^d; the fields after ``teachers`` are those of ``SplitPlan``."""

    d: int = 1
    outputs: int = 1
    teachers: int = 1
    copies: int = 1
    reversed: int = 0
    cancelling: int = 0
    opposed: int = 0
    idle: int = 0
    seed: int = 0

    @property
    def plan(self) -> SplitPlan:
        """How the teachers are split, as ``dynamics.two_layer.critical_points`` takes it."""
        reverse = min(self.reversed, self.teachers)
        return SplitPlan(self.copies, reverse, self.cancelling, self.opposed, self.idle)


@dataclass(frozen=True)
class Critical(Drawn):
    """A drawn pair whose student is a critical point; ``kind (n,)`` says what each student node is."""

    kind: NDArray[np.str_]


def draw_critical(instance: Splitting) -> Critical:
    """A dyadic teacher and a student split from it: an exact critical point."""
    rng = np.random.default_rng(instance.seed)
    region = Box.cube(instance.d, 2.0)
    teacher = dyadic_teacher(region, instance.teachers, instance.outputs, rng)
    point: CriticalPoint = split_teacher(teacher, region, instance.plan, rng)
    return Critical(region, teacher, point.student, point.kind)


def splittings(budget: Budget, **fixed: st.SearchStrategy[int]) -> st.SearchStrategy[Splitting]:
    """Up to 4 dimensions, 3 outputs, 4 teachers and a few nodes of every kind; ``fixed`` replaces a field's range."""
    ranges = {
        "d": st.integers(1, 4),
        "outputs": st.integers(1, 3),
        "teachers": st.integers(1, 4),
        "copies": st.integers(1, 3),
        "reversed": st.integers(0, 4),
        "cancelling": st.integers(0, 2),
        "opposed": st.integers(0, 2),
        "idle": st.integers(0, 2),
        "seed": st.integers(0, 2**16),
    }
    return st.builds(Splitting, **{**ranges, **fixed})


def dyadic_points(region: Box, count: int, rng: np.random.Generator) -> Array:
    """Points of the region's grid of 1/64 half-widths, (count, d): there exact critical points have no rounding."""
    return np.asarray(region.centre + region.half_width * rng.integers(-63, 64, (count, region.d)) / 64)


def assumption1(drawn: Drawn) -> tuple[Assumption, ...]:
    """Assumption 1 with multiples of either sign: no two teachers on one line, every boundary visible."""
    teachers = drawn.teacher.augmented
    return (
        Assumption("no two teachers co-linear, of either sign", separation(teachers) - 1e-9),
        Assumption("every teacher's boundary visible", float(visibility(drawn.region, teachers).min())),
    )
