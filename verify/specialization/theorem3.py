"""Theorem 3: students aligned with no teacher cancel along each line, if C independent observers see them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.boundaries import aligned, colinear, observation, visibility
from dynamics.two_layer.relu_network import sample_gradients
from dynamics.two_layer.residual_kinks import kink_coefficient
from verify.judging import Assumption, Budget, Context, Control, Cost, Evidence, Form, Outcome, Statement
from verify.mathematics.exact_critical_points import (
    augmented,
    exact_observers,
    exactly_critical,
    factors,
    multiples,
)
from verify.mathematics.families.batches import kernel
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
from verify.mathematics.precise.rational_pairs import exact
from verify.specialization.kink import tent
from verify.specialization.sources import DERIVED, source
from verify.specialization.theorem2 import POINTS, VISIBLE

KEY = "specialization.theorem3"


def independent_observers(drawn: Drawn) -> NDArray[np.bool_]:
    """For every student, whether the fan-outs of its observers have rank C: (n,)."""
    seen = observation(drawn.region, drawn.student.augmented, drawn.student.augmented) > VISIBLE
    outputs = drawn.student.V.shape[1]
    return np.array([bool(np.linalg.matrix_rank(drawn.student.V[rows]) == outputs) for rows in seen.T])


def unaligned(drawn: Drawn, either_sign: bool) -> NDArray[np.bool_]:
    """Students that are no multiple of a teacher, positive ones only or of either sign: (n,)."""
    match = colinear if either_sign else aligned
    return np.asarray(~match(drawn.student.augmented, drawn.teacher.augmented).any(axis=1))


def critical_assumptions(instance: Splitting) -> tuple[Assumption, ...]:
    """Assumption 1, a critical point, and an unaligned student with C independent observers."""
    drawn = draw_critical(instance)
    x = dyadic_points(drawn.region, POINTS, np.random.default_rng(instance.seed))
    gradient = sample_gradients(drawn.student, drawn.teacher, x).largest
    subjects = int((unaligned(drawn, either_sign=False) & independent_observers(drawn)).sum())
    return (
        *assumption1(drawn),
        Assumption("every per-sample gradient zero", 1.0 if gradient == 0 else -gradient),
        Assumption("an unaligned student with C independent observers", subjects - 0.5),
    )


def sums_along_lines(instance: Splitting, context: Context, either_sign: bool = False) -> Evidence:
    """Largest ``|sum v_k' ||w_k'|||`` over the students co-linear with an unaligned, observed student."""
    drawn = draw_critical(instance)
    match = colinear if either_sign else aligned
    subjects = unaligned(drawn, either_sign=False) & independent_observers(drawn)
    same = match(drawn.student.augmented, drawn.student.augmented)[subjects]
    sums = (same * drawn.student.fan_in_norms) @ drawn.student.V
    scale = float(drawn.student.fan_in_norms @ drawn.student.strengths)
    tolerance = (
        drawn.student.nodes * np.finfo(np.float64).eps * scale
    )  # the norms are rounded, the fan-outs exact
    return Evidence.at_most(float(np.abs(sums).max(initial=0.0)), bound=0.0, tolerance=tolerance)


def confirm_sums(instance: Splitting) -> Evidence:
    """In fractions: critical, unaligned, C independent observers at rational points of the boundary, sum not zero."""
    drawn = draw_critical(instance)
    x = dyadic_points(drawn.region, POINTS, np.random.default_rng(1))
    if not exactly_critical(drawn.teacher, drawn.student, x):
        return Evidence.at_most(0.0, bound=0.0, tolerance=0.0)
    columns, teachers, V = augmented(drawn.student), augmented(drawn.teacher), exact(drawn.student.V)
    largest = 0.0
    for node in columns.T:
        observers = exact_observers(drawn.region, columns, node)
        if 1 in multiples(teachers, node) or not observers or kernel(V[observers].tolist()):
            continue
        total = np.array([max(factor, Fraction(0)) for factor in factors(columns, node)], dtype=object) @ V
        largest = max(largest, *(abs(float(entry)) for entry in total))
    return Evidence.at_most(largest, bound=0.0, tolerance=0.0)


def same_sign_plans(budget: Budget) -> st.SearchStrategy[Splitting]:
    """No reversed teachers: what fails is not the sign in Theorem 2."""
    return splittings(budget, reversed=st.just(0))


PRINTED = Statement(
    key=KEY,
    form=Form.PRINTED,
    title="Unspecialised students are prunable, positive multiples",
    claim="SGD critical point, student k not aligned with any teacher, C observers of k with independent "
    "fan-outs\n"
    "⇒  Σ_{k' co-linear with k, λ > 0} v_k' ‖w_k'‖ = 0;  v_k = 0 if k is co-linear with no other student",
    source=source("Theorem 3 with Definition 3"),
    expected=Outcome.REFUTED,
    instance_type=Splitting,
    instances=same_sign_plans,
    assumptions=critical_assumptions,
    evidence=sums_along_lines,
    confirm=confirm_sums,
    controls=(
        Control(
            "the same students summed over both signs",
            lambda c: sums_along_lines(Splitting(2, 1, 2, opposed=1), c, either_sign=True),
            must_hold=True,
        ),
        Control(
            "a co-linear pair (u: 2v, 2u: −v)",
            lambda c: sums_along_lines(Splitting(2, 1, 2, cancelling=1, idle=1), c),
            must_hold=True,
        ),
        Control("an antiparallel pair", lambda c: sums_along_lines(Splitting(2, 1, 2, opposed=1), c)),
    ),
    cost=Cost(60, 300, 1000),
    remark="Students u with fan-out a and −u with −a make the affine function a·uᵀx̃, which an "
    "always-active student "
    "takes back. Every gradient is zero, the pair is observed, and neither fan-out is. Sum over both signs.",
)


# The corrected form on arbitrary networks


@dataclass(frozen=True)
class Seen:
    """One student's boundary as its observers see it: fan-outs Q (q, C), each one's eta and largest gradient (q,)."""

    Q: Array
    eta: Array
    gradient: Array


def observe(drawn: Drawn, student: int, rng: np.random.Generator) -> Seen:
    """For every observer the clearest candidate point on the student's boundary at which it is active."""
    points = drawn.points(drawn.student.augmented[:, student], rng)
    active = drawn.student.pre_activations(points.x) > 0
    score = active * np.maximum(points.clearance, 0.0)[:, None]
    rows, etas, gradients = [], [], []
    for observer in np.flatnonzero(score.max(axis=0, initial=0.0) > 0):
        at = int(score[:, observer].argmax())
        eta = 0.9 * float(points.clearance[at])
        g = drawn.residual(points.triple(at, eta)) @ drawn.student.V[observer]
        rows.append(drawn.student.V[observer])
        etas.append(eta)
        gradients.append(float(np.abs(g).max()))
    return Seen(
        np.array(rows).reshape(len(rows), drawn.student.V.shape[1]), np.array(etas), np.array(gradients)
    )


def prunable(instance: ArbitraryPair, context: Context, constant: float = 0.25) -> Evidence:
    """Largest gradient at the observers against ``min eta s_min(Q) ||kappa_k|| / (4 sqrt q)``, worst student.

    ``|v_q^T kappa| eta_q / 4 <= sup |g_q|`` for each of q observers, and some ``|v_q^T kappa|`` is at least
    ``s_min(Q) ||kappa|| / sqrt(q)``.
    """
    drawn = draw_arbitrary(instance)
    rng = context.rng(instance.seed, 3)
    tolerance = drawn.rounding * float(np.abs(drawn.student.V).sum(axis=1).max())
    worst = Evidence(predicted=0.0, measured=0.0, margin=np.inf, tolerance=tolerance)
    subjects = unaligned(drawn, either_sign=True) & (
        visibility(drawn.region, drawn.student.augmented) > VISIBLE
    )
    for student in np.flatnonzero(subjects):
        seen = observe(drawn, int(student), rng)
        if len(seen.eta) < drawn.student.V.shape[1]:
            continue
        kappa = kink_coefficient(drawn.student.augmented[:, student], drawn.teacher, drawn.student)
        smallest = float(np.linalg.svd(seen.Q, compute_uv=False)[-1])
        needed = constant * seen.eta.min() * smallest * float(np.linalg.norm(kappa)) / np.sqrt(len(seen.eta))
        measured = float(seen.gradient.max())
        if needed > tolerance and (measured - needed) / needed < worst.margin:
            worst = Evidence(
                predicted=float(needed),
                measured=measured,
                margin=(measured - needed + tolerance) / needed,
                tolerance=tolerance,
            )
    return worst


def observed_assumptions(instance: ArbitraryPair) -> tuple[Assumption, ...]:
    """An unaligned student (either sign) with C independent observers."""
    drawn = draw_arbitrary(instance)
    subjects = int((unaligned(drawn, either_sign=True) & independent_observers(drawn)).sum())
    return (*assumption1(drawn), Assumption("an unaligned student, C independent observers", subjects - 0.5))


LONE = ArbitraryPair(d=2, outputs=2, teachers=2, students=5, seed=7)

CORRECTED = Statement(
    key=KEY,
    form=Form.CORRECTED,
    title="Unspecialised students are prunable, multiples of either sign",
    claim="student k co-linear with no teacher, κ_k = −Σ_{k' co-linear with k, either sign} v_k' ‖w_k'‖,\n"
    "q observers with fan-outs Q of rank C  ⇒  sup |g| ≥ η s_min(Q) ‖κ_k‖ / (4√q);  so κ_k = 0 at a "
    "critical point",
    source=source("Theorem 3 with Definition 3", "read with λ ≠ 0; contrapositive with a constant"),
    expected=Outcome.HOLDS,
    instance_type=ArbitraryPair,
    instances=lambda budget: arbitrary_pairs(budget, leaky=False, students=(2, 8)),
    assumptions=observed_assumptions,
    evidence=prunable,
    controls=(
        Control("0.26 in place of 1/4, where 1/4 is attained", tent),
        Control(
            "an antiparallel pair, positive multiples only",
            lambda c: sums_along_lines(Splitting(2, 1, 2, opposed=1), c),
        ),
    ),
    examples=(LONE,),
    cost=Cost(150, 1000, 10_000),
    remark="Always-active and always-inactive students have no boundary in the region and are outside the "
    "theorem, "
    "whatever their fan-out. C independent observers need n − 1 ≥ C.",
)


def fan_out_bound(instance: ArbitraryPair, context: Context, constant: float = 4.0) -> Evidence:
    """``||kappa_k|| <= 4 sup ||r|| / eta`` at every unaligned visible student: no observers, the residual instead."""
    drawn = draw_arbitrary(instance)
    rng = context.rng(instance.seed, 3)
    worst = Evidence(predicted=0.0, measured=0.0, margin=np.inf, tolerance=0.0)
    subjects = unaligned(drawn, either_sign=True) & (
        visibility(drawn.region, drawn.student.augmented) > VISIBLE
    )
    for student in np.flatnonzero(subjects):
        column = drawn.student.augmented[:, student]
        points = drawn.points(column, rng)
        if len(points.x) == 0 or points.clearance.max() <= 0:
            continue
        at = int(points.clearance.argmax())
        eta = 0.9 * float(points.clearance[at])
        residual = float(np.linalg.norm(drawn.residual(points.triple(at, eta)), axis=1).max())
        kappa = float(np.linalg.norm(kink_coefficient(column, drawn.teacher, drawn.student)))
        bound, tolerance = constant * residual / eta, 4 * drawn.rounding / eta
        if (found := Evidence.at_most(kappa, bound=bound, tolerance=tolerance)).margin < worst.margin:
            worst = found
    return worst


SHARP = Statement(
    key=KEY,
    form=Form.SHARP,
    title="A small residual bounds the fan-out of unspecialised students, without observers",
    claim="student k co-linear with no teacher, boundary in the open region  ⇒  ‖Σ_{k' co-linear} v_k' "
    "‖w_k'‖‖ ≤ 4 sup‖r‖ / η;\n"
    "if k is alone on its line  ‖v_k‖ ≤ 4 sup‖r‖ / (η ‖w_k‖)",
    source=source("Theorem 3", DERIVED),
    expected=Outcome.HOLDS,
    instance_type=ArbitraryPair,
    instances=lambda budget: arbitrary_pairs(budget, leaky=False),
    assumptions=lambda instance: assumption1(draw_arbitrary(instance)),
    evidence=fan_out_bound,
    controls=(Control("0.26 in place of 1/4, where 1/4 is attained", tent),),
    examples=(LONE, replace(LONE, near=0.01)),
    cost=Cost(100, 1000, 10_000),
    remark="With a trained output bias Theorem 1 gives r = 0, and with it κ_k = 0 for every student with a "
    "boundary in the "
    "region: the observers of Theorem 3 are needed only where the top layer is not at its critical point.",
)
