"""Exact SGD critical points of two-layer students: teachers split over several nodes, and nodes that add up to nothing.

All weights are dyadic, integers over powers of two with few bits, so that on dyadic inputs float64 rounds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.geometry.boundaries import Box, colinear
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork
from dynamics.validation import Randomness, generator, integer, real_array

LARGEST_ENTRY = 9
"""Entries of fan-ins are integers of at most this size."""

GRID_STEPS = 64
"""Boundaries pass through points of a grid over the region, with this many steps to a half-width."""

FRUITLESS_DRAWS = 300
"""Draws in a row without a new node, after which none are taken to be left."""

NULL_SPACE_SHARE = 1e-7
"""Singular values below this share of the largest span the null space: fitted fan-outs are good to eps over it."""


@dataclass(frozen=True)
class SplitPlan:
    """Which nodes a critical student is made of, as counts. ``(w: v)`` is a node with fan-in w and fan-out v.

    Args:
        copies: nodes for each teacher, positive multiples of its fan-in whose contributions add up to it; >= 1.
        reversed: of how many teachers (the first ones) the student has, instead, the antiparallel node and an
            always-active one, ``sigma(t) = sigma(-t) + t``.
        cancelling: pairs (u: 2v), (2u: -v), which add up to 0.
        opposed: pairs (u: a), (-u: -a), which add up to ``a u^T x``, with an always-active node that takes it back.
        idle: nodes with fan-out 0.

    The last three kinds are aligned with no teacher.
    Raises:
        ValueError: a negative count, or ``copies < 1``.
    """

    copies: int = 1
    reversed: int = 0
    cancelling: int = 0
    opposed: int = 0
    idle: int = 0

    def __post_init__(self) -> None:
        for name, least in (("copies", 1), ("reversed", 0), ("cancelling", 0), ("opposed", 0), ("idle", 0)):
            integer(name, getattr(self, name), least=least)


@dataclass(frozen=True)
class CriticalPoint:
    """A critical student, and the kind of each node, (n,): a field of :class:`SplitPlan`, or ``always`` active."""

    student: TwoLayerNetwork
    kind: NDArray[np.str_]


def dyadic_columns(region: Box, count: int, rng: np.random.Generator, avoid: Array | None = None) -> Array:
    """Augmented columns with visible boundaries, no one a multiple of another or of a column of ``avoid``.

    Args:
        region: where the boundaries are visible.
        count: number of columns.
        avoid: augmented columns (d + 1, k).
    Returns:
        (d + 1, count), integer fan-ins of entries up to ``LARGEST_ENTRY``.
    Raises:
        ValueError: so many do not exist, or were not found in ``FRUITLESS_DRAWS`` draws in a row.
    """
    chosen = np.empty((region.d + 1, 0)) if avoid is None else real_array("avoid", avoid)
    taken = chosen.shape[1]
    missed = 0
    while missed < FRUITLESS_DRAWS:
        if chosen.shape[1] == taken + count:
            return chosen[:, taken:]
        w = rng.integers(-LARGEST_ENTRY, LARGEST_ENTRY + 1, region.d).astype(np.float64)
        steps = rng.integers(-GRID_STEPS // 2, GRID_STEPS // 2 + 1, region.d)
        point = region.centre + region.half_width * steps / GRID_STEPS
        column = np.append(w, -(w @ point))[:, None]
        if w.any() and not colinear(chosen, column).any():
            chosen = np.concatenate([chosen, column], axis=1)
            missed = 0
        else:
            missed += 1
    raise ValueError(f"count: expected few enough distinct nodes to be found in d = {region.d}, got {count}")


def nonzero_rows(count: int, outputs: int, rng: np.random.Generator) -> Array:
    """Fan-outs (count, outputs) with entries among -3, -2, -1, 1, 2, 3."""
    return np.asarray(rng.integers(1, 4, (count, outputs)) * rng.choice([-1.0, 1.0], (count, outputs)))


def dyadic_teacher(region: Box, nodes: int, outputs: int, rng: np.random.Generator) -> TwoLayerNetwork:
    """A teacher that satisfies Assumption 1 in ``region``: visible boundaries, no two nodes on one line.

    Its fan-ins are not normalised: scaling one by s > 0 and its fan-out by 1 / s changes nothing.
    """
    columns = dyadic_columns(region, nodes, rng)
    bias = rng.integers(-3, 4, outputs).astype(np.float64)
    return TwoLayerNetwork(columns[:-1], columns[-1], nonzero_rows(nodes, outputs, rng), bias)


@checked
def split_teacher(teacher: TwoLayerNetwork, region: Box, plan: SplitPlan, rng: Randomness) -> CriticalPoint:
    """A student that equals the teacher at every point of a region: every per-sample gradient is zero there.

    Args:
        teacher: with visible boundaries of pairwise different lines (:func:`dyadic_teacher`).
        region: the inputs.
        plan: the nodes to make.
        rng: a seed or a generator.
    Raises:
        ValueError: ``plan.reversed`` exceeds the number of teachers.
    Source: Student Specialization, the patterns of section 4.3 (its Fig. 4b), with those it does not name.
    """
    if plan.reversed > teacher.nodes:
        raise ValueError(f"reversed: expected at most {teacher.nodes} teachers, got {plan.reversed}")
    rng = generator("rng", rng, of="split_teacher")
    parts = _Parts(region, teacher)
    for index, (column, fan_out) in enumerate(zip(teacher.augmented.T, teacher.V, strict=True)):
        if index < plan.reversed:
            parts.add("reversed", -column, fan_out)
            parts.add_affine(column, fan_out)
        else:
            parts.add_copies(column, fan_out, plan.copies, rng)
    others = dyadic_columns(region, plan.cancelling + plan.opposed + plan.idle, rng, teacher.augmented)
    fan_outs = nonzero_rows(others.shape[1], teacher.V.shape[1], rng)
    for index, (column, fan_out) in enumerate(zip(others.T, fan_outs, strict=True)):
        if index < plan.cancelling:
            parts.add("cancelling", column, 2 * fan_out)
            parts.add("cancelling", 2 * column, -fan_out)
        elif index < plan.cancelling + plan.opposed:
            parts.add("opposed", column, fan_out)
            parts.add("opposed", -column, -fan_out)
            parts.add_affine(column, -fan_out)
        else:
            parts.add("idle", column, 0 * fan_out)
    return parts.assembled()


class _Parts:
    """A student in the making: its nodes so far, and the output bias that goes with them."""

    def __init__(self, region: Box, teacher: TwoLayerNetwork) -> None:
        self.region, self.slope = region, teacher.slope
        self.columns: list[Array] = []
        self.fan_outs: list[Array] = []
        self.kind: list[str] = []
        self.c = teacher.c.copy()

    def add(self, kind: str, column: Array, fan_out: Array) -> None:
        self.columns.append(column)
        self.fan_outs.append(fan_out)
        self.kind.append(kind)

    def add_affine(self, column: Array, fan_out: Array) -> None:
        """Add ``fan_out t(x)``, t affine: a node with a bias that keeps it active, which the output bias takes back."""
        lift = 2.0 ** np.ceil(np.log2(1 + abs(float(self.region.extremes(column[:, None])[0][0]))))
        self.add("always", column + lift * np.eye(column.size)[-1], fan_out)
        self.c -= lift * fan_out

    def add_copies(self, column: Array, fan_out: Array, copies: int, rng: np.random.Generator) -> None:
        scales = 2.0 ** rng.integers(-1, 2, copies)
        pieces = rng.integers(-8, 9, (copies - 1, fan_out.size)) / 4
        last = (fan_out - scales[:-1] @ pieces) / scales[-1]
        for scale, piece in zip(scales, [*pieces, last], strict=True):
            self.add("copies", scale * column, piece)

    def assembled(self) -> CriticalPoint:
        columns = np.stack(self.columns, axis=1)
        student = TwoLayerNetwork(columns[:-1], columns[-1], np.stack(self.fan_outs), self.c, self.slope)
        return CriticalPoint(student, np.array(self.kind))


@dataclass(frozen=True)
class Fit:
    """A student with fitted top layer, and the largest residual on the samples it was fitted to."""

    student: TwoLayerNetwork
    residual: float


def fit_fan_outs(
    columns: Array, teacher: TwoLayerNetwork, x: Array, wander: float, rng: np.random.Generator
) -> Fit:
    """Fan-outs and output bias that reproduce the teacher best on given samples, for given fan-ins.

    Least squares, plus ``wander`` times a random vector of the null space of the activations: where the residual is 0
    this reaches every interpolating top layer, not only that of least norm.

    Args:
        columns: augmented fan-ins (d + 1, n).
        x: samples, (N, d).
        wander: how far to go in the null space, in units of the scaled activations.
    Cost: O(N n^2).
    """
    bare = TwoLayerNetwork(
        columns[:-1],
        columns[-1],
        np.zeros((columns.shape[1], teacher.V.shape[1])),
        np.zeros(teacher.V.shape[1]),
        teacher.slope,
    )
    features = np.concatenate([bare.activations(x), np.ones((len(x), 1))], axis=1)
    scale = np.linalg.norm(features, axis=0)
    scale[scale == 0] = 1.0
    left, singular, right = np.linalg.svd(features / scale, full_matrices=len(x) < features.shape[1])
    rank = int((singular > NULL_SPACE_SHARE * singular[0]).sum())
    top = right[:rank].T @ ((left[:, :rank].T @ teacher(x)) / singular[:rank, None])
    top += wander * right[rank:].T @ rng.standard_normal((right.shape[0] - rank, top.shape[1]))
    top /= scale[:, None]
    student = TwoLayerNetwork(bare.W, bare.b, top[:-1], top[-1], teacher.slope)
    return Fit(student, float(np.abs(teacher(x) - student(x)).max()))
