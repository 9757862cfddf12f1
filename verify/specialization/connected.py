"""After Corollary 2: critical points are joined by line segments of low loss, but not by one straight line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from dynamics.geometry.boundaries import colinear
from dynamics.two_layer.critical.residual_kinks import kink_coefficient
from verify.judging import ALGEBRA, SPECIALIZATION, Assumption, Context, Evidence, Item, Source
from verify.judging.assumption import in_words
from verify.mathematics.families.two_layer_pairs import dyadic_points
from verify.mathematics.kinks.connected import (
    TwoCriticalPoints,
    between,
    largest_residual,
    network_at,
    rounding_on,
    segments,
)
from verify.specialization import VERSION

NEAR_A_LINE = 1e-3
"""Radians within which a student counts as one on a teacher's line."""

LEAST_KINK = 1e-9
"""Share of the teacher's own kink that counts as one: the coefficients are sums of a few terms, rounded at 1e-15."""

CONNECTED = Item(
    "specialization.connected",
    Source(
        SPECIALIZATION,
        "paragraph after Corollary 2: low-cost critical points connected via line segments",
        "said in words: our reading",
        VERSION,
        "4.3",
    ),
)
SAMPLES, STEPS = 64, 8


def two_nodes_to_spare(instance: TwoCriticalPoints) -> tuple[Assumption, ...]:
    """At least two nodes more than the teacher has: one to move to, one to step aside."""
    n = instance.ends()[0][1].shape[0]
    return (Assumption.at_least("students less teachers", n - instance.teachers, 2),)


@CONNECTED.claim(
    "reading",
    part="segments",
    expected="holds",
    on=TwoCriticalPoints,
    assume=two_nodes_to_spare,
    examples=(TwoCriticalPoints(3, 2, 3, 2, 1, 1), TwoCriticalPoints(2, 1, 2, 1, 2)),
    cost=ALGEBRA.at_quick(60),
    compares=("largest residual on the segments", "≤", "rounding"),
)
def joined_by_segments(
    instance: TwoCriticalPoints, context: Context, *, shortcut: bool = False, bend: float = 0.0
) -> Evidence:
    """Critical points are joined by line segments of zero loss

    two critical points of zero residual, n ≥ m + 2 students, every teacher with a student co-linear with it
    ⇒  a path of at most 4m + 3 line segments joins them on which the residual is zero

    Constructed: fan-outs of co-linear nodes are added up at one of them, nodes without fan-out turn anywhere, and a
    teacher's fan-out is handed to a node that has become co-linear with it. It needs the residual zero, no training and
    no dropout stability. Students with unspecialised nodes whose fan-outs do not vanish (antiparallel pairs,
    always-active ones) are not among the ends.
    """
    # Altered: ``shortcut``: one straight line instead; ``bend``: every other corner's first fan-out off by this share.
    region, teacher = instance.setting()
    start, end = instance.ends()
    corners = [start, end] if shortcut else segments(teacher, start, end)
    if len(corners) > 4 * instance.teachers + 4:
        raise AssertionError(f"{len(corners) - 1} segments, more than 4m + 3")
    if bend:
        corners = [(W, V * (1 + bend * (k % 2))) for k, (W, V) in enumerate(corners)]
    x = dyadic_points(region, context.rng(instance.seed), SAMPLES)
    worst = max(largest_residual(teacher, a, b, x, STEPS) for a, b in pairwise(corners))
    return Evidence.at_most(
        worst, bound=0.0, tolerance=rounding_on(teacher, corners, region.reach), segments=len(corners) - 1
    )


CROWD = TwoCriticalPoints(3, 2, 3, 2, 1)
joined_by_segments.rejects("a single straight line", CROWD, shortcut=True)
joined_by_segments.rejects("corners whose fan-outs are off by 1e-11", CROWD, bend=1e-11)
joined_by_segments.excludes("no node to spare", TwoCriticalPoints(2, 1, 2, 1, 0), "students less teachers")
joined_by_segments.includes("two to spare", TwoCriticalPoints(2, 1, 2, 1, 2))


def no_alignment_half_way(instance: TwoCriticalPoints) -> tuple[Assumption, ...]:
    """Some teacher has no co-linear student half way along the straight line."""
    _, teacher = instance.setting()
    middle = between(*instance.ends(), 0.5)[0]
    bare = ~colinear(middle, teacher.augmented, NEAR_A_LINE).any(axis=0)
    return (
        Assumption.that(
            f"half way some teacher with no student within {in_words(NEAR_A_LINE)} rad of its line",
            bool(bare.any()),
        ),
    )


@CONNECTED.claim(
    "reading",
    part="straight",
    expected="holds",
    on=TwoCriticalPoints,
    assume=no_alignment_half_way,
    examples=(CROWD,),
    cost=ALGEBRA.at_quick(60),
    compares=("kink of the residual half way along the straight line, over the teacher's own", ">", "1e-9"),
)
def not_by_one_line(instance: TwoCriticalPoints, context: Context, *, on_the_path: bool = False) -> Evidence:
    """Critical points are not joined by a single straight line

    half way between two critical points some teacher has no co-linear student  ⇒  the residual there is not zero
    (judged: its kink on that teacher's boundary is above 1e-9 of the teacher's own)

    Judged by the kink that the residual has on that teacher's boundary, v*_j ‖w*_j‖ where nothing cancels it. Lines
    between points whose nodes are co-linear one by one (copies that share a fan-out differently) do have zero loss; by
    the condition they are not meant.
    """
    # Altered: half way along the first segment of the path instead.
    _, teacher = instance.setting()
    start, end = instance.ends()
    corners = segments(teacher, start, end)[:2] if on_the_path else [start, end]
    student = network_at(teacher, between(corners[0], corners[1], 0.5))
    own = teacher.fan_in_norms * teacher.strengths
    kinks = [
        float(np.linalg.norm(kink_coefficient(node, teacher, student)) / strength)
        for node, strength in zip(teacher.augmented.T, own, strict=True)
    ]
    bare = np.asarray(~colinear(student.augmented, teacher.augmented, NEAR_A_LINE).any(axis=0))
    largest = max([kink for kink, alone in zip(kinks, bare, strict=True) if alone], default=0.0)
    return Evidence(predicted=LEAST_KINK, measured=largest, margin=largest - LEAST_KINK)


not_by_one_line.rejects("the first segment of the path", CROWD, on_the_path=True)
not_by_one_line.excludes(
    "one teacher in one dimension, co-linear everywhere",
    TwoCriticalPoints(1, 1, 1, 2, 0),
    "half way some teacher",
)
not_by_one_line.includes("three teachers", CROWD)
