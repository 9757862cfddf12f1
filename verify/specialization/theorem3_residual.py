"""Theorem 3 from a small residual: what holds without observers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynamics.geometry.boundaries import COLINEAR_ANGLE
from dynamics.two_layer.critical.residual_kinks import kink_coefficient
from verify.judging import ALGEBRA, Assumption, CannotJudgeError, Context, Evidence
from verify.judging.assumption import in_words
from verify.mathematics.families.two_layer_pairs import ArbitraryPair, relu_pairs
from verify.mathematics.kinks.hypotheses import assumption1_of
from verify.mathematics.kinks.nearly_attained import bound_just_below
from verify.mathematics.kinks.quarter import tent
from verify.specialization import DERIVED
from verify.specialization.theorem3 import LONE, THEOREM3, unaligned_and_visible


def unaligned_student(pair: ArbitraryPair) -> tuple[Assumption, ...]:
    """Assumption 1, and a student co-linear with no teacher whose boundary meets the region."""
    some = bool(unaligned_and_visible(pair.networks()))
    return (
        *assumption1_of(pair),
        Assumption.that(
            f"a student co-linear with no teacher (to {in_words(COLINEAR_ANGLE)} rad), its boundary in the region",
            some,
        ),
    )


@THEOREM3.claim(
    "sharp",
    expected="holds",
    on=ArbitraryPair,
    draw=relu_pairs,
    assume=unaligned_student,
    examples=(LONE, replace(LONE, near=0.01)),
    cost=ALGEBRA,
    place="Theorem 3",
    note=DERIVED,
    compares=("‖Σ v_k ‖w_k‖‖ of a line", "≤", "4 sup‖r‖ / η"),
)
def residual_bounds_fan_outs(pair: ArbitraryPair, context: Context, *, scale: float = 1.0) -> Evidence:
    """A small residual bounds the fan-out of unspecialised students, without observers

    student k co-linear with no teacher, boundary in the open region  ⇒  ‖Σ_{k' co-linear} v_k' ‖w_k'‖‖ ≤ 4 sup‖r‖ / η;
    if k is alone on its line  ‖v_k‖ ≤ 4 sup‖r‖ / (η ‖w_k‖);  nodes of slope s: η (1−s) in place of η

    With a trained output bias Theorem 1 gives r = 0, and with it κ_k = 0 for every student with a boundary in the
    region: the observers of Theorem 3 are needed only where the top layer is not at its critical point.
    """
    networks = pair.networks()
    rng = context.rng(pair.seed, 3)
    found = []
    for k in unaligned_and_visible(networks):
        column = networks.student.augmented[:, k]
        points = networks.points(column, rng)
        if len(points.x) == 0 or points.clearance.max() <= 0:
            continue
        at = int(points.clearance.argmax())
        eta = 0.9 * float(points.clearance[at])
        bent = (1 - pair.slope) * eta
        residual = float(np.linalg.norm(networks.residual(points.triple(at, eta)), axis=1).max())
        kappa = float(np.linalg.norm(kink_coefficient(column, networks.teacher, networks.student)))
        bound, tolerance = scale * 4 * residual / bent, 4 * networks.rounding / bent
        if kappa > tolerance:
            found.append((bound / kappa, Evidence.at_most(kappa, bound=bound, tolerance=tolerance)))
    if not found:
        raise CannotJudgeError("no unaligned student has a boundary in the region and a κ above rounding")
    return min(found, key=lambda entry: entry[0])[1]


residual_bounds_fan_outs.rejects_variant(
    "0.26 in place of 1/4, where 1/4 is attained", tent, ArbitraryPair(), constant=0.26
)
residual_bounds_fan_outs.rejects_variant(
    "a bound 1e-11 too small", bound_just_below(residual_bounds_fan_outs), LONE, share=1e-11
)
residual_bounds_fan_outs.includes("a student near a teacher", replace(LONE, near=0.01))
residual_bounds_fan_outs.excludes(
    "one student, on its teacher's line",
    ArbitraryPair(d=2, colinear=1, students=1),
    "a student co-linear with no teacher",
)
