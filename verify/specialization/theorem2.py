"""Theorem 2: at a critical point an observed teacher has an aligned student, of either sign."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from dynamics.arrays import Array
from dynamics.geometry.boundaries import aligned, colinear, observation
from dynamics.two_layer.relu_network import sample_gradients
from verify.judging import Assumption, Context, Control, Cost, Evidence, Form, Outcome, Statement, Verdict
from verify.mathematics.exact_critical_points import augmented, exactly_critical, multiples
from verify.mathematics.families.two_layer_pairs import (
    ArbitraryPair,
    Drawn,
    Splitting,
    arbitrary_pairs,
    assumption1,
    draw_arbitrary,
    draw_critical,
    dyadic_points,
    splittings,
)
from verify.specialization.kink import tent
from verify.specialization.sources import source

KEY = "specialization.theorem2"
VISIBLE = 1e-9
"""Smallest pre-activation of an observer on a boundary that counts: far above rounding."""

POINTS = 40


def observed_strength(drawn: Drawn) -> Array:
    """For every teacher, the largest |alpha_kj| among the students that observe it: (m,)."""
    seen = observation(drawn.region, drawn.student.augmented, drawn.teacher.augmented) > VISIBLE
    alpha = np.abs(drawn.student.V @ drawn.teacher.V.T)
    return np.asarray((alpha * seen).max(axis=0))


def critical_assumptions(instance: Splitting) -> tuple[Assumption, ...]:
    """Assumption 1, a critical point on dyadic inputs (where it is exact), and an observed teacher with alpha != 0."""
    drawn = draw_critical(instance)
    x = dyadic_points(drawn.region, POINTS, np.random.default_rng(instance.seed))
    gradient = sample_gradients(drawn.student, drawn.teacher, x).largest
    return (
        *assumption1(drawn),
        Assumption("every per-sample gradient zero", 1.0 if gradient == 0 else -gradient),
        Assumption("some teacher observed, α ≠ 0", float(observed_strength(drawn).max())),
    )


def missing_teachers(instance: Splitting, context: Context, either_sign: bool = False) -> Evidence:
    """How many observed teachers with alpha != 0 have no aligned student."""
    drawn = draw_critical(instance)
    match = colinear if either_sign else aligned
    covered = match(drawn.student.augmented, drawn.teacher.augmented).any(axis=0)
    missing = int(((observed_strength(drawn) > 0) & ~covered).sum())
    return Evidence.at_most(float(missing), bound=0.0, tolerance=0.0)


def confirm_missing(instance: Splitting) -> Evidence:
    """Critical point and missing multiples in exact arithmetic; observers at points of the boundary, in fractions."""
    drawn = draw_critical(instance)
    x = dyadic_points(drawn.region, POINTS, np.random.default_rng(1))
    if not exactly_critical(drawn.teacher, drawn.student, x):
        return Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
    students = augmented(drawn.student)
    bare = [1 not in multiples(students, node) for node in augmented(drawn.teacher).T]
    alpha = drawn.student.V @ drawn.teacher.V.T  # dyadic: exact
    always = drawn.kind == "always"  # active on the whole region, hence on every visible boundary
    low = drawn.region.extremes(drawn.student.augmented)[0]
    observers = always & (low > 0)
    missing = sum(bool(is_bare and (alpha[observers, at] != 0).any()) for at, is_bare in enumerate(bare))
    return Evidence.at_most(float(missing), bound=0.0, tolerance=0.0)


PRINTED = Statement(
    key=KEY,
    form=Form.PRINTED,
    title="Student specialization, two layers, positive multiples",
    claim="SGD critical point, Assumption 1, teacher j observed by student k, α_kj ≠ 0\n"
    "⇒  some student k' has w̃_k' = λ w̃*_j with λ > 0",
    source=source("Theorem 2 with Definition 3"),
    expected=Outcome.REFUTED,
    instance_type=Splitting,
    instances=splittings,
    assumptions=critical_assumptions,
    evidence=missing_teachers,
    confirm=confirm_missing,
    controls=(
        Control(
            "the same student if λ < 0 counts as aligned",
            lambda c: missing_teachers(Splitting(reversed=1), c, either_sign=True),
            must_hold=True,
        ),
        Control(
            "copies of the teachers",
            lambda c: missing_teachers(Splitting(3, 2, 3, copies=2), c),
            must_hold=True,
        ),
        Control("a reversed teacher", lambda c: missing_teachers(Splitting(3, 2, 3, reversed=1), c)),
    ),
    cost=Cost(60, 300, 1000),
    remark="σ(t) = σ(−t) + t. A student with −w̃*_j, an always-active one and an output bias reproduce teacher j on a "
    "bounded region exactly, without any positive multiple of w̃*_j. Read λ ≠ 0 in Definition 3.",
)


# The corrected form, contrapositive, on arbitrary networks


def best_observation(drawn: Drawn, teacher: int, rng: np.random.Generator) -> tuple[float, int, Array]:
    """Largest ``eta |alpha_kj| ||w*_j||`` over points of teacher j's boundary and students active there.

    Returns it with the student k and the three points; 0 where no candidate is observed.
    """
    points = drawn.points(drawn.teacher.augmented[:, teacher], rng)
    usable = np.maximum(points.clearance, 0.0)
    active = drawn.student.pre_activations(points.x) > 0
    strength = np.abs(drawn.student.V @ drawn.teacher.V[teacher]) * drawn.teacher.fan_in_norms[teacher]
    score = active * usable[:, None] * strength
    if score.size == 0 or score.max() <= 0:
        return 0.0, 0, np.empty((0, drawn.region.d))
    at, k = np.unravel_index(int(score.argmax()), score.shape)
    eta = 0.9 * float(usable[at])
    return 0.9 * float(score[at, k]), int(k), points.triple(int(at), eta)


def unaligned_assumptions(instance: ArbitraryPair) -> tuple[Assumption, ...]:
    """Assumption 1, and a teacher that is observed with alpha != 0 and has no co-linear student."""
    drawn = draw_arbitrary(instance)
    bare = ~colinear(drawn.student.augmented, drawn.teacher.augmented).any(axis=0)
    strength = (observed_strength(drawn) * bare).max()
    return (
        *assumption1(drawn),
        Assumption("an observed teacher, α ≠ 0, without co-linear student", strength),
    )


def gradient_of_observer(instance: ArbitraryPair, context: Context, constant: float = 0.25) -> Evidence:
    """The gradient at an observer of a teacher without co-linear student, against ``eta |alpha| ||w*|| / 4 > 0``."""
    drawn = draw_arbitrary(instance)
    rng = context.rng(instance.seed, 2)
    bare = ~colinear(drawn.student.augmented, drawn.teacher.augmented).any(axis=0)
    tolerance = drawn.rounding * float(np.abs(drawn.student.V).sum(axis=1).max())
    worst = Evidence(predicted=0.0, measured=0.0, margin=np.inf, tolerance=tolerance)
    for teacher in np.flatnonzero(bare):
        score, k, x = best_observation(drawn, int(teacher), rng)
        if score <= tolerance:
            continue
        measured = float(np.abs(sample_gradients(drawn.student, drawn.teacher, x).nodes[:, k]).max())
        needed = constant * score
        if (measured - needed) / needed < worst.margin:
            worst = Evidence(
                predicted=needed,
                measured=measured,
                margin=(measured - needed + tolerance) / needed,
                tolerance=tolerance,
            )
    return worst


def figure(verdict: Verdict) -> Figure:
    """Measured gradient against the bound that a missing student implies."""
    drawn = Figure(figsize=(5.4, 3.5))
    axes = drawn.add_subplot()
    records = [r.evidence for r in verdict.judged if r.evidence and r.evidence.measured > 0]
    bounds, measured = (np.array([getattr(e, name) for e in records]) for name in ("predicted", "measured"))
    axes.loglog(bounds, measured, ".", color="#2b6cb0", markersize=4)
    ends = np.array([min(bounds.min(), measured.min()), max(bounds.max(), measured.max())])
    axes.loglog(ends, ends, color="#8a9099", linewidth=1, label="the bound")
    axes.set_xlabel("η |α| ‖w*‖ / 4")
    axes.set_ylabel("largest |g_k| at the three points")
    axes.legend()
    return drawn


BARE = ArbitraryPair(d=3, outputs=2, teachers=2, students=4, seed=3)

CORRECTED = Statement(
    key=KEY,
    form=Form.CORRECTED,
    title="Student specialization, two layers, multiples of either sign",
    claim="teacher j observed by student k, α_kj ≠ 0, no student co-linear with j (either sign)\n"
    "⇒  |g_k| ≥ η |α_kj| ‖w*_j‖ / 4 > 0 somewhere in the region: not a critical point",
    source=source("Theorem 2 with Definition 3", "read with λ ≠ 0; contrapositive with a constant"),
    expected=Outcome.HOLDS,
    instance_type=ArbitraryPair,
    instances=lambda budget: arbitrary_pairs(budget, leaky=False),
    assumptions=unaligned_assumptions,
    evidence=gradient_of_observer,
    controls=(
        Control("0.26 in place of 1/4, where 1/4 is attained", tent),
        Control(
            "critical point without any aligned student of positive sign",
            lambda c: missing_teachers(Splitting(2, 1, 2, reversed=2), c),
        ),
    ),
    examples=(ArbitraryPair(), BARE),
    cost=Cost(150, 1000, 10_000),
    figure=figure,
    remark="Judged on arbitrary networks, many of them close to aligned: the conclusion's negation forces a gradient. "
    "The region must be open; finitely many samples do not do (see the finite-sample form).",
)
