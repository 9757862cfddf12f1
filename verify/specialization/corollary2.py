"""Corollary 2: what all unspecialised students contribute at a critical point: an affine function, not zero."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from verify.judging import Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.exact_critical_points import augmented, exactly_critical, multiples
from verify.mathematics.families.two_layer_pairs import (
    Drawn,
    Splitting,
    draw_critical,
    dyadic_points,
    splittings,
)
from verify.mathematics.precise.rational_pairs import exact
from verify.specialization.sources import DERIVED, source
from verify.specialization.theorem2 import POINTS
from verify.specialization.theorem2_critical import TOLERANCE, fitted, interpolating
from verify.specialization.theorem3 import critical_assumptions, same_sign_plans, unaligned

KEY = "specialization.corollary2"
SAMPLES = 300


def contribution(drawn: Drawn, x: Array, either_sign: bool) -> Array:
    """Sum of ``v_k sigma_k(x)`` over the students aligned with no teacher, (N, C)."""
    chosen = unaligned(drawn, either_sign)
    return np.asarray(drawn.student.activations(x)[:, chosen] @ drawn.student.V[chosen])


def scale_of(drawn: Drawn) -> float:
    """Sum of the largest contributions of single students, to which rounding is relative."""
    hidden = drawn.student.fan_in_norms * drawn.region.reach + np.abs(drawn.student.b)
    return float(hidden @ drawn.student.strengths)


def total_is_zero(instance: Splitting, context: Context) -> Evidence:
    """Largest contribution of all unspecialised students on the region, at an exact critical point."""
    drawn = draw_critical(instance)
    x = dyadic_points(drawn.region, SAMPLES, context.rng(instance.seed))
    measured = float(np.abs(contribution(drawn, x, either_sign=False)).max())
    return Evidence.at_most(measured, bound=0.0, tolerance=0.0)


def confirm_total(instance: Splitting) -> Evidence:
    """The same in fractions, at a critical point that is exact."""
    drawn = draw_critical(instance)
    points = dyadic_points(drawn.region, POINTS, np.random.default_rng(1))
    if not exactly_critical(drawn.teacher, drawn.student, points):
        return Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
    columns, V = augmented(drawn.student), exact(drawn.student.V)
    covered = np.zeros(columns.shape[1], dtype=bool)
    for node in augmented(drawn.teacher).T:
        covered |= np.array([sign > 0 for sign in multiples(columns, node)])
    largest = Fraction(0)
    for x in exact(points):
        z = x @ columns[:-1] + columns[-1]
        active = np.array([max(entry, Fraction(0)) for entry in z], dtype=object)
        largest = max(largest, *(abs(entry) for entry in active[~covered] @ V[~covered]))
    return Evidence.at_most(float(largest), bound=0.0, tolerance=0.0)


PRINTED = Statement(
    key=KEY,
    form=Form.PRINTED,
    title="Unspecialised students contribute nothing",
    claim="SGD critical point, sufficient observers  ⇒  Σ_{k aligned with no teacher} v_k σ(w̃_kᵀx̃) = 0 "
    "on the region",
    source=source("Corollary 2"),
    expected=Outcome.REFUTED,
    instance_type=Splitting,
    instances=same_sign_plans,
    assumptions=critical_assumptions,
    evidence=total_is_zero,
    confirm=confirm_total,
    controls=(
        Control(
            "idle students and a co-linear pair",
            lambda c: total_is_zero(Splitting(2, 1, 2, cancelling=2, idle=2), c),
            must_hold=True,
        ),
        Control("an antiparallel pair", lambda c: total_is_zero(Splitting(2, 1, 2, opposed=1), c)),
    ),
    cost=Cost(60, 300, 1000),
    remark="An antiparallel pair leaves an affine function, which always-active students and the output "
    "bias cancel. "
    "Always-active students are unspecialised and carry weight themselves.",
)


def affine_part_left(instance: Splitting, context: Context, degree: int = 1) -> Evidence:
    """What is left of the contribution after the best affine function (constant, for ``degree`` 0)."""
    drawn, _ = fitted(instance)
    x = drawn.region.sample(SAMPLES, context.rng(instance.seed, 6))
    total = contribution(drawn, x, either_sign=True)
    basis = np.concatenate([np.ones((len(x), 1)), x], axis=1)[:, : 1 + degree * x.shape[1]]
    left = total - basis @ np.linalg.lstsq(basis, total, rcond=None)[0]
    return Evidence.at_most(
        float(np.abs(left).max()) / scale_of(drawn),
        bound=0.0,
        tolerance=TOLERANCE,
        largest_contribution=float(np.abs(total).max(initial=0.0)),
    )


MIXED = Splitting(d=2, outputs=2, teachers=2, copies=2, reversed=1, cancelling=1, opposed=2, idle=1)

CORRECTED = Statement(
    key=KEY,
    form=Form.CORRECTED,
    title="Unspecialised students contribute an affine function",
    claim="r = 0 on the open region  ⇒  Σ_{k co-linear with no teacher} v_k σ(w̃_kᵀx̃) is affine on it",
    source=source("Corollary 2", "affine for zero"),
    expected=Outcome.HOLDS,
    instance_type=Splitting,
    instances=splittings,
    assumptions=interpolating,
    evidence=affine_part_left,
    controls=(
        Control("a constant in place of an affine function", lambda c: affine_part_left(MIXED, c, degree=0)),
        Control("a teacher without students", lambda c: _without_a_teacher(c)),
    ),
    examples=(Splitting(opposed=1), MIXED),
    cost=Cost(80, 500, 10_000),
    remark="Judged on top layers fitted to given fan-ins and moved at random in the null space.",
)


def _without_a_teacher(context: Context) -> Evidence:
    """The students of one teacher renamed to unspecialised, by leaving that teacher out of the comparison."""
    drawn, _ = fitted(MIXED)
    fewer = replace(drawn.teacher, W=drawn.teacher.W[:, 1:], b=drawn.teacher.b[1:], V=drawn.teacher.V[1:])
    x = drawn.region.sample(SAMPLES, context.rng(8))
    total = contribution(replace(drawn, teacher=fewer), x, either_sign=True)
    basis = np.concatenate([np.ones((len(x), 1)), x], axis=1)
    left = total - basis @ np.linalg.lstsq(basis, total, rcond=None)[0]
    return Evidence.at_most(float(np.abs(left).max()) / scale_of(drawn), bound=0.0, tolerance=TOLERANCE)


def nothing_left(instance: Splitting, context: Context) -> Evidence:
    """The contribution itself, where no two unspecialised students are antiparallel and none is always active."""
    drawn, _ = fitted(instance)
    x = drawn.region.sample(SAMPLES, context.rng(instance.seed, 6))
    total = contribution(drawn, x, either_sign=True)
    return Evidence.at_most(
        float(np.abs(total).max(initial=0.0)) / scale_of(drawn), bound=0.0, tolerance=TOLERANCE
    )


ZERO = Statement(
    key=KEY,
    form=Form.SHARP,
    title="Unspecialised students contribute nothing, if they come without antiparallel pairs and always-active nodes",
    claim="r = 0 on the open region, no two unspecialised students antiparallel, each with a boundary in "
    "the region\n"
    "⇒  Σ_{k co-linear with no teacher} v_k σ(w̃_kᵀx̃) = 0",
    source=source("Corollary 2", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=Splitting,
    instances=lambda budget: splittings(budget, reversed=st.just(0), opposed=st.just(0)),
    assumptions=interpolating,
    evidence=nothing_left,
    controls=(Control("an antiparallel pair", lambda c: nothing_left(Splitting(d=2, opposed=1), c)),),
    examples=(Splitting(cancelling=2, idle=2),),
    cost=Cost(80, 500, 10_000),
)
