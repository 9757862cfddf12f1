"""Corollary 2: what all unspecialised students contribute at a critical point: an affine function, not zero."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import COLINEAR_ANGLE, aligned, colinear, visibility
from verify.judging import (
    ALGEBRA,
    SEARCH,
    SPECIALIZATION,
    Assumption,
    Context,
    Evidence,
    Item,
    Source,
    drawn_fields,
)
from verify.judging.assumption import in_words
from verify.mathematics.families.two_layer_pairs import NetworkPair, Splitting, dyadic_points
from verify.mathematics.kinks.exact_critical_points import UNCONFIRMED, augmented, exactly_critical, multiples
from verify.mathematics.kinks.hypotheses import critical_with_observed_student
from verify.mathematics.kinks.interpolating import TOLERANCE, fitted, interpolating
from verify.mathematics.kinks.observers import VISIBLE, unaligned
from verify.mathematics.precise.rational_pairs import exact
from verify.specialization import DERIVED, REBUILT, VERSION

COROLLARY2 = Item(
    "specialization.corollary2",
    Source(SPECIALIZATION, "Corollary 2", REBUILT, version=VERSION, section="4.3"),
)
SAMPLES = 300
MIXED = Splitting(d=2, outputs=2, teachers=2, copies=2, reversed=1, cancelling=1, opposed=2, idle=1)


def contribution(networks: NetworkPair, x: Array, *, either_sign: bool) -> Array:
    """Sum of ``v_k sigma_k(x)`` over the students aligned with no teacher, (N, C)."""
    chosen = unaligned(networks, either_sign=either_sign)
    return np.asarray(networks.student.activations(x)[:, chosen] @ networks.student.V[chosen])


def largest_part(networks: NetworkPair) -> float:
    """Sum of the largest contributions of single students, to which rounding is relative."""
    student = networks.student
    hidden = student.fan_in_norms * networks.region.reach + np.abs(student.b)
    return float(hidden @ student.strengths)


@COROLLARY2.claim(
    "reading",
    expected="refuted",
    on=Splitting,
    # Without reversed teachers: what fails is not the sign in Theorem 2.
    draw=drawn_fields(Splitting, reversed=st.just(0)),
    assume=critical_with_observed_student,
    cost=SEARCH,
    compares=("largest joint contribution of unaligned students", "=", "zero"),
    telling=lambda splitting: min(splitting.d, splitting.teachers, splitting.outputs) >= 2,
)
def unspecialised_contribute_nothing(splitting: Splitting, context: Context) -> Evidence:
    """Our reading: unspecialised students contribute nothing

    SGD critical point, sufficient observers  ⇒  Σ_{k aligned with no teacher} v_k σ(w̃_kᵀx̃) = 0 on the region

    An antiparallel pair leaves an affine function, which always-active students and the output bias cancel.
    Always-active students are unspecialised and carry weight themselves, though nobody observes them: counted among
    the observed ones only, the sum fails through the antiparallel pair alone. "Unspecialised" and "sufficient
    observers" are our reading; with co-linear of either sign it fares differently.
    """
    networks = splitting.networks()
    x = dyadic_points(networks.region, context.rng(splitting.seed), SAMPLES)
    measured = float(np.abs(contribution(networks, x, either_sign=False)).max())
    return Evidence.at_most(measured, bound=0.0, tolerance=0.0)


@unspecialised_contribute_nothing.confirmed_precisely(digits=0)
def contribution_in_fractions(splitting: Splitting) -> Evidence:
    """The same in fractions, at a critical point that is exact."""
    networks = splitting.networks()
    points = dyadic_points(networks.region, np.random.default_rng(1))
    if not exactly_critical(networks.teacher, networks.student, points):
        return UNCONFIRMED
    columns, V = augmented(networks.student), exact(networks.student.V)
    covered = np.zeros(columns.shape[1], dtype=bool)
    for node in augmented(networks.teacher).T:
        covered |= np.array([sign > 0 for sign in multiples(columns, node)])
    largest = Fraction(0)
    for x in exact(points):
        z = x @ columns[:-1] + columns[-1]
        active = np.array([max(entry, Fraction(0)) for entry in z], dtype=object)
        largest = max(largest, *(abs(entry) for entry in active[~covered] @ V[~covered]))
    return Evidence.at_most(float(largest), bound=0.0, tolerance=0.0)


unspecialised_contribute_nothing.accepts(
    "idle students and a co-linear pair", Splitting(2, 1, 2, cancelling=2, idle=2)
)
unspecialised_contribute_nothing.rejects("an antiparallel pair", Splitting(2, 1, 2, opposed=1))

unspecialised_contribute_nothing.excludes("copies only", Splitting(), "an unaligned student")
unspecialised_contribute_nothing.includes("an antiparallel pair, inside", Splitting(2, 1, 2, opposed=1))

unspecialised_contribute_nothing.errs(
    says=(
        "Section 4.3, Corollary 2: with sufficient observers all unspecialised students together "
        "contribute nothing."
    ),
    true=(
        "They contribute an affine function, and nothing only where there are no antiparallel pairs and "
        "no always-active nodes among them."
    ),
    impact="substance",
    matters=(
        "The remark that pruning is free holds up to an affine function, which an output layer can take over."
    ),
)


def with_unspecialised(splitting: Splitting) -> tuple[Assumption, ...]:
    """Interpolating, and some student that has no teacher: without one nothing is summed."""
    networks, _ = fitted(splitting)
    some = bool(unaligned(networks, either_sign=True).any())
    return (
        *interpolating(splitting),
        Assumption.that(f"some student co-linear with no teacher (to {in_words(COLINEAR_ANGLE)} rad)", some),
    )


@COROLLARY2.claim(
    "corrected",
    expected="holds",
    on=Splitting,
    assume=with_unspecialised,
    examples=(Splitting(opposed=1), MIXED),
    cost=ALGEBRA.at_quick(80),
    note="affine for zero",
    compares=("share of the contribution that is not affine", "≤", "rounding"),
)
def unspecialised_contribute_an_affine_function(
    splitting: Splitting, context: Context, *, degree: int = 1, forgotten: int = 0, bump: float = 0.0
) -> Evidence:
    """Unspecialised students contribute an affine function

    r = 0 on the open region  ⇒  Σ_{k co-linear with no teacher} v_k σ(w̃_kᵀx̃) is affine on it

    Judged on top layers fitted to given fan-ins and moved at random in the null space.
    """
    networks, _ = fitted(splitting)
    teacher = networks.teacher  # without its first nodes, where a control forgets them
    fewer = replace(teacher, W=teacher.W[:, forgotten:], b=teacher.b[forgotten:], V=teacher.V[forgotten:])
    x = networks.region.sample(SAMPLES, context.rng(splitting.seed, 6))
    total = contribution(replace(networks, teacher=fewer), x, either_sign=True)
    total = total + bump * largest_part(networks) * np.maximum(x[:, :1], 0)
    basis = np.concatenate([np.ones((len(x), 1)), x], axis=1)[:, : 1 + degree * x.shape[1]]
    left = total - basis @ np.linalg.lstsq(basis, total, rcond=None)[0]
    return Evidence.at_most(
        float(np.abs(left).max()) / largest_part(networks),
        bound=0.0,
        tolerance=TOLERANCE,
        largest_contribution=float(np.abs(total).max(initial=0.0)),
    )


unspecialised_contribute_an_affine_function.rejects(
    "a constant in place of an affine function", MIXED, degree=0
)
unspecialised_contribute_an_affine_function.rejects("a teacher without students", MIXED, forgotten=1)
unspecialised_contribute_an_affine_function.rejects("a kink of 1e-4 of the whole besides", MIXED, bump=1e-4)
unspecialised_contribute_an_affine_function.includes("an antiparallel pair", Splitting(opposed=1))
unspecialised_contribute_an_affine_function.excludes("copies only", Splitting(), "some student co-linear")


def without_antiparallel_pairs(splitting: Splitting) -> tuple[Assumption, ...]:
    """Unspecialised students, no two of them antiparallel, the boundary of each in the region."""
    networks, _ = fitted(splitting)
    columns = networks.student.augmented[:, unaligned(networks, either_sign=True)]
    opposite = colinear(columns, columns) & ~aligned(columns, columns)
    seen = visibility(networks.region, columns)
    return (
        *with_unspecialised(splitting),
        Assumption.that(
            f"no two unspecialised students antiparallel (to {in_words(COLINEAR_ANGLE)} rad)",
            not opposite.any(),
        ),
        Assumption.above(
            "boundaries of unspecialised students visible: reach", float(seen.min(initial=1.0)), VISIBLE
        ),
    )


@COROLLARY2.claim(
    "sharp",
    expected="holds",
    on=Splitting,
    draw=drawn_fields(Splitting, reversed=st.just(0), opposed=st.just(0)),
    assume=without_antiparallel_pairs,
    examples=(Splitting(cancelling=2, idle=2),),
    cost=ALGEBRA.at_quick(80),
    note=DERIVED,
    compares=("share of the joint contribution", "≤", "rounding"),
)
def nothing_without_antiparallel_pairs(
    splitting: Splitting, context: Context, *, excess: float = 0.0
) -> Evidence:
    """Unspecialised students contribute nothing, if they come without antiparallel pairs and always-active nodes

    r = 0 on the open region, no two unspecialised students antiparallel, each with a boundary in the region
    ⇒  Σ_{k co-linear with no teacher} v_k σ(w̃_kᵀx̃) = 0
    """
    networks, _ = fitted(splitting)
    x = networks.region.sample(SAMPLES, context.rng(splitting.seed, 6))
    total = contribution(networks, x, either_sign=True)
    size = excess + float(np.abs(total).max(initial=0.0)) / largest_part(networks)
    return Evidence.at_most(size, bound=0.0, tolerance=TOLERANCE)


nothing_without_antiparallel_pairs.rejects("an antiparallel pair", Splitting(d=2, opposed=1))
nothing_without_antiparallel_pairs.rejects(
    "a contribution of 1e-4 of the whole besides", Splitting(cancelling=2, idle=2), excess=1e-4
)
nothing_without_antiparallel_pairs.excludes("copies only", Splitting(), "some student co-linear")
nothing_without_antiparallel_pairs.excludes(
    "a pair", Splitting(d=2, opposed=1), "no two unspecialised students antiparallel"
)
nothing_without_antiparallel_pairs.excludes(
    "an always-active student", Splitting(d=2, reversed=1), "boundaries of unspecialised students visible"
)
nothing_without_antiparallel_pairs.includes("idle students", Splitting(cancelling=2, idle=2))
