"""Assumption 1: teachers that are not co-linear. Of positive multiples only it is not enough; of either sign it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.geometry.boundaries import Box, visibility
from dynamics.two_layer.critical.critical_points import dyadic_teacher
from verify.judging import (
    ALGEBRA,
    SEARCH,
    SEED,
    SPECIALIZATION,
    Assumption,
    Context,
    Evidence,
    Instance,
    Item,
    OneOf,
    Source,
    drawn,
    drawn_fields,
    integers,
)
from verify.judging.assumption import in_words
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, NetworkPair, dyadic_points
from verify.mathematics.kinks.exact_critical_points import UNCONFIRMED, augmented, exactly_critical, multiples
from verify.mathematics.kinks.hypotheses import assumption1_of, critical
from verify.mathematics.kinks.observers import VISIBLE, bare, observed_strength
from verify.specialization import REBUILT, VERSION

ASSUMPTION1 = Item(
    "specialization.assumption1",
    Source(SPECIALIZATION, "Assumption 1 with Definition 3", REBUILT, version=VERSION, section="4.2"),
)


@dataclass(frozen=True)
class MirrorTeacher(Instance):
    """``nodes`` teachers in (-2, 2)^d, the last of them (with ``mirrored``) twice, as (w, v) and as (-w, -v).

    The student has the other teachers' nodes and one always-active node that stands for what the last ones leave.
    """

    d: int = drawn(1, st.integers(1, 4), integers(1))
    nodes: int = drawn(1, st.integers(1, 4), integers(1))
    outputs: int = drawn(1, st.integers(1, 3), integers(1))
    mirrored: bool = drawn(True, st.booleans(), OneOf((False, True)))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def networks(self) -> NetworkPair:
        """The teacher, with or without the mirror image of one node, and a student that computes the same."""
        rng = np.random.default_rng(self.seed)
        region = Box.cube(self.d, 2.0)
        plain = dyadic_teacher(region, self.nodes, self.outputs, rng)
        if not self.mirrored:
            return NetworkPair(region, plain, plain)
        w, b, v = plain.W[:, -1:], plain.b[-1:], plain.V[-1:]
        teacher = replace(
            plain,
            W=np.concatenate([plain.W, -w], axis=1),
            b=np.concatenate([plain.b, -b]),
            V=np.concatenate([plain.V, -v]),
        )
        lift = 2.0 ** np.ceil(np.log2(1 + abs(float(region.extremes(plain.augmented)[0][-1]))))
        # The last node, lifted until it is always active: v sigma(t + lift) - lift v = v t = v sigma(t) - v sigma(-t).
        student = replace(plain, b=np.append(plain.b[:-1], b + lift), c=plain.c - lift * v[0])
        return NetworkPair(region, teacher, student)


def visible_and_critical(mirror: MirrorTeacher) -> tuple[Assumption, ...]:
    """No teacher a positive multiple of another (none is, by construction), visible boundaries, a critical point."""
    networks = mirror.networks()
    visible = float(visibility(networks.region, networks.teacher.augmented).min())
    return (
        Assumption.above("every teacher's boundary visible: reach", visible, 0),
        critical(networks, seed=0),
        Assumption.above(
            f"some teacher observed (by {in_words(VISIBLE)}), with |α|",
            float(observed_strength(networks).max()),
            0,
        ),
    )


@ASSUMPTION1.claim(
    "reading",
    expected="refuted",
    on=MirrorTeacher,
    assume=visible_and_critical,
    cost=SEARCH.at_quick(40),
    compares=("observed teachers without a co-linear student", "=", "none"),
    telling=lambda mirror: min(mirror.d, mirror.nodes, mirror.outputs) >= 2,
)
def every_observed_teacher_is_learned(mirror: MirrorTeacher, context: Context) -> Evidence:
    """Our reading: teachers that are no positive multiples of one another

    w̃*_j ≠ λ w̃*_j' for λ > 0, every ∂E*_j visible  ⇒  Theorem 2: at a critical point an observed teacher with
    α ≠ 0 has a co-linear student

    Teachers w̃ (fan-out v) and −w̃ (fan-out −v) add up to the affine v·t, which one always-active student learns:
    neither boundary leaves a trace in the output. The text at hand lost the condition on λ in Definition 3: this is our
    reading of it with λ > 0, and read with λ of either sign it fares differently (the corrected form).
    """
    networks = mirror.networks()
    missing = (observed_strength(networks) > 0) & bare(networks)
    return Evidence.at_most(float(missing.sum()), bound=0.0, tolerance=0.0)


@every_observed_teacher_is_learned.confirmed_precisely(digits=0)
def missing_in_fractions(mirror: MirrorTeacher) -> Evidence:
    """In fractions: equal outputs on dyadic points, teachers without multiples; the last student is always active."""
    networks = mirror.networks()
    student, teacher = networks.student, networks.teacher
    points = dyadic_points(networks.region, np.random.default_rng(1))
    if not exactly_critical(teacher, student, points):
        return UNCONFIRMED
    columns = augmented(student)
    alpha = student.V[-1] @ teacher.V.T
    low = sum((-2 * abs(entry) for entry in columns[:-1, -1]), Fraction(0)) + columns[-1, -1]
    missing = sum(
        bool(low > 0 and strength != 0 and not any(multiples(columns, node)))
        for strength, node in zip(alpha, augmented(teacher).T, strict=True)
    )
    return Evidence.at_most(float(missing), bound=0.0, tolerance=0.0)


every_observed_teacher_is_learned.accepts(
    "no mirrored teacher, a student that copies the teacher", MirrorTeacher(mirrored=False, nodes=3)
)
every_observed_teacher_is_learned.rejects("a mirrored teacher", MirrorTeacher(2, 3))

every_observed_teacher_is_learned.excludes(
    "a teacher that no active student sees", MirrorTeacher(mirrored=False), "some teacher observed"
)
every_observed_teacher_is_learned.includes("a mirrored teacher", MirrorTeacher(2, 3))

every_observed_teacher_is_learned.errs(
    says=(
        "Section 4.2, Assumption 1: teachers are not co-linear, their boundaries visible. Read with co-"
        "linear as in Definition 3, λ > 0."
    ),
    true=(
        "A pair of teachers w, −w with fan-outs v, −v adds up to an affine function, which one always-"
        "active student learns: neither boundary leaves a trace. Teachers must be no multiples of either "
        "sign."
    ),
    impact="substance",
    matters='The plain word "co-linear" includes both signs; read so, the assumption suffices.',
)


@ASSUMPTION1.claim(
    "corrected",
    expected="holds",
    on=ArbitraryPair,
    draw=drawn_fields(ArbitraryPair, students=st.integers(1, 1), colinear=st.just(0)),
    assume=assumption1_of,
    examples=(ArbitraryPair(d=3, teachers=3),),
    cost=ALGEBRA,
    place="Assumption 1",
    note="read with λ of either sign",
    compares=("largest error of the bend across a teacher's boundary", "≤", "rounding"),
)
def every_teacher_bends_the_output(pair: ArbitraryPair, context: Context, *, factor: float = 1.0) -> Evidence:
    """Teachers that are no multiples of one another, of either sign

    w̃*_j ≠ λ w̃*_j' for any λ, every ∂E*_j visible  ⇒  f* bends by η ‖w*_j‖ v*_j across each of them: every teacher
    leaves its trace

    Only the lowest layer's assumption is used anywhere. A teacher whose boundary is not visible is affine on R
    and needs no student of its own.
    """
    networks = pair.networks()
    teacher, student = networks.teacher, networks.student
    silent = replace(student, W=0 * student.W, b=0 * student.b)  # without boundaries in the way
    alone = replace(networks, student=silent)
    rng = context.rng(pair.seed, 5)
    worst = 0.0
    for j, node in enumerate(teacher.augmented.T):
        points = alone.points(node, rng)
        at = int(points.clearance.argmax())
        eta = 0.9 * float(points.clearance[at])
        f = teacher(points.triple(at, eta))
        kink = (1 - pair.slope) * eta * teacher.fan_in_norms[j] * teacher.V[j]
        worst = max(worst, float(np.abs(f[0] - 2 * f[1] + f[2] - factor * kink).max()))
    return Evidence.at_most(worst, bound=0.0, tolerance=4 * teacher.rounding(networks.region.reach))


every_teacher_bends_the_output.includes("three teachers", ArbitraryPair(d=3, teachers=3))
every_teacher_bends_the_output.rejects("a bend 1% larger", ArbitraryPair(d=3, teachers=3), factor=1.01)
every_teacher_bends_the_output.rejects(
    "a bend larger by 1e-11 of itself", ArbitraryPair(d=3, teachers=3), factor=1 + 1e-11
)
every_teacher_bends_the_output.rejects_variant(
    "a mirrored teacher", every_observed_teacher_is_learned, MirrorTeacher(2, 3)
)
