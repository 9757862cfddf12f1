"""Assumption 1: teachers that are not co-linear. Of positive multiples only it is not enough; of either sign it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.geometry.boundaries import Box, colinear, visibility
from dynamics.two_layer.critical_points import dyadic_teacher
from dynamics.two_layer.relu_network import TwoLayerNetwork, sample_gradients
from verify.judging import Assumption, Budget, Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.exact_critical_points import augmented, exactly_critical, multiples
from verify.mathematics.families.two_layer_pairs import (
    ArbitraryPair,
    Drawn,
    arbitrary_pairs,
    assumption1,
    draw_arbitrary,
    dyadic_points,
)
from verify.specialization.sources import source
from verify.specialization.theorem2 import observed_strength

KEY = "specialization.assumption1"
POINTS = 40


@dataclass(frozen=True)
class MirrorTeacher:
    """``nodes`` teachers in (-2, 2)^d, the last of them (with ``mirrored``) twice, as (w, v) and as (-w, -v).

    The student has the other teachers' nodes and one always-active node that stands for what the last ones leave.
    """

    d: int = 1
    nodes: int = 1
    outputs: int = 1
    mirrored: bool = True
    seed: int = 0


def draw_mirror(instance: MirrorTeacher) -> Drawn:
    """The teacher, with or without the mirror image of one node, and a student that equals it without that image."""
    rng = np.random.default_rng(instance.seed)
    region = Box.cube(instance.d, 2.0)
    plain = dyadic_teacher(region, instance.nodes, instance.outputs, rng)
    w, b, v = plain.W[:, -1:], plain.b[-1:], plain.V[-1:]
    lift = 2.0 ** np.ceil(np.log2(1 + abs(float(region.extremes(plain.augmented)[0][-1]))))
    student = replace(
        plain, b=np.append(plain.b[:-1], b + lift), c=plain.c - lift * v[0]
    )  # v sigma(t + lift) - lift v = v t
    if instance.mirrored:
        teacher = replace(
            plain,
            W=np.concatenate([plain.W, -w], axis=1),
            b=np.concatenate([plain.b, -b]),
            V=np.concatenate([plain.V, -v]),
        )
    else:
        teacher, student = plain, plain
    return Drawn(region, teacher, student)


def printed_conditions(instance: MirrorTeacher) -> tuple[Assumption, ...]:
    """No teacher a positive multiple of another (none is, by construction), visible boundaries, a critical point."""
    drawn = draw_mirror(instance)
    x = dyadic_points(drawn.region, POINTS, np.random.default_rng(0))
    gradient = sample_gradients(drawn.student, drawn.teacher, x).largest
    return (
        Assumption(
            "every teacher's boundary visible", float(visibility(drawn.region, drawn.teacher.augmented).min())
        ),
        Assumption("every per-sample gradient zero", 1.0 if gradient == 0 else -gradient),
        Assumption("some teacher observed, α ≠ 0", float(observed_strength(drawn).max())),
    )


def missing_teachers(instance: MirrorTeacher, context: Context) -> Evidence:
    """How many observed teachers with alpha != 0 have no co-linear student, of either sign."""
    drawn = draw_mirror(instance)
    covered = colinear(drawn.student.augmented, drawn.teacher.augmented).any(axis=0)
    return Evidence.at_most(
        float(((observed_strength(drawn) > 0) & ~covered).sum()), bound=0.0, tolerance=0.0
    )


def confirm_missing(instance: MirrorTeacher) -> Evidence:
    """In fractions: equal outputs on dyadic points, teachers without multiples; the last student is always active."""
    drawn = draw_mirror(instance)
    points = dyadic_points(drawn.region, POINTS, np.random.default_rng(1))
    if not exactly_critical(drawn.teacher, drawn.student, points):
        return Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
    students = augmented(drawn.student)
    alpha = drawn.student.V[-1] @ drawn.teacher.V.T
    low = sum((-2 * abs(entry) for entry in students[:-1, -1]), Fraction(0)) + students[-1, -1]
    missing = sum(
        bool(low > 0 and strength != 0 and not any(multiples(students, node)))
        for strength, node in zip(alpha, augmented(drawn.teacher).T, strict=True)
    )
    return Evidence.at_most(float(missing), bound=0.0, tolerance=0.0)


PRINTED = Statement(
    key=KEY,
    form=Form.PRINTED,
    title="Teachers that are no positive multiples of one another",
    claim="w̃*_j ≠ λ w̃*_j' for λ > 0, every ∂E*_j visible  ⇒  Theorem 2: at a critical point an observed "
    "teacher with\n"
    "α ≠ 0 has a co-linear student",
    source=source("Assumption 1 with Definition 3"),
    expected=Outcome.REFUTED,
    instance_type=MirrorTeacher,
    instances=lambda budget: st.builds(
        MirrorTeacher,
        d=st.integers(1, 4),
        nodes=st.integers(1, 4),
        outputs=st.integers(1, 3),
        mirrored=st.booleans(),
        seed=st.integers(0, 2**16),
    ),
    assumptions=printed_conditions,
    evidence=missing_teachers,
    confirm=confirm_missing,
    controls=(
        Control(
            "no mirrored teacher, a student that copies the teacher",
            lambda c: missing_teachers(MirrorTeacher(mirrored=False, nodes=3), c),
            must_hold=True,
        ),
        Control("a mirrored teacher", lambda c: missing_teachers(MirrorTeacher(2, 3), c)),
    ),
    cost=Cost(40, 200, 500),
    remark="Teachers w̃ (fan-out v) and −w̃ (fan-out −v) add up to the affine v·t, which one always-active "
    "student learns: "
    "neither boundary leaves a trace in the output. Read the condition with λ of either sign.",
)


def visible_kinks(instance: ArbitraryPair, context: Context, factor: float = 1.0) -> Evidence:
    """The teacher's second difference across every boundary against ``(1 - slope) eta ||w*_j|| v*_j``."""
    drawn = draw_arbitrary(instance)
    alone = replace(drawn, student=_silent(drawn.student))
    rng = context.rng(instance.seed, 5)
    worst = 0.0
    for j, node in enumerate(drawn.teacher.augmented.T):
        points = alone.points(node, rng)
        at = int(points.clearance.argmax())
        eta = 0.9 * float(points.clearance[at])
        f = drawn.teacher(points.triple(at, eta))
        kink = (1 - instance.slope) * eta * drawn.teacher.fan_in_norms[j] * drawn.teacher.V[j]
        worst = max(worst, float(np.abs(f[0] - 2 * f[1] + f[2] - factor * kink).max()))
    return Evidence.at_most(worst, bound=0.0, tolerance=4 * drawn.teacher.rounding(drawn.region.reach))


def _silent(student: TwoLayerNetwork) -> TwoLayerNetwork:
    """The student without weights: it has no boundaries in the way."""
    return replace(student, W=0 * student.W, b=0 * student.b)


def same_slope_pairs(budget: Budget) -> st.SearchStrategy[ArbitraryPair]:
    """Networks without co-linear nodes beside a student of one node."""
    return arbitrary_pairs(budget, colinear=False, students=(1, 1))


CORRECTED = Statement(
    key=KEY,
    form=Form.CORRECTED,
    title="Teachers that are no multiples of one another, of either sign",
    claim="w̃*_j ≠ λ w̃*_j' for any λ, every ∂E*_j visible  ⇒  f* bends by η ‖w*_j‖ v*_j across each of "
    "them: every teacher\n"
    "leaves its trace",
    source=source("Assumption 1", "read with λ of either sign"),
    expected=Outcome.HOLDS,
    instance_type=ArbitraryPair,
    instances=same_slope_pairs,
    assumptions=lambda instance: assumption1(draw_arbitrary(instance)),
    evidence=visible_kinks,
    controls=(
        Control("a bend 1% larger", lambda c: visible_kinks(ArbitraryPair(d=3, teachers=3), c, factor=1.01)),
        Control("a mirrored teacher", lambda c: missing_teachers(MirrorTeacher(2, 3), c)),
    ),
    examples=(ArbitraryPair(d=3, teachers=3),),
    cost=Cost(100, 1000, 10_000),
    remark="Only the lowest layer's assumption is used anywhere. A teacher whose boundary is not visible "
    "is affine on R "
    "and needs no student of its own.",
)
