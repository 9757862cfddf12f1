"""Lemma 5: one step of the top layer. Printed: V contracts alone; corrected: as rows of the comparison system."""

from __future__ import annotations

from dataclasses import replace

import mpmath as mp

from verify.judging import LUCK_MATTERS, Context, Evidence, Item, Source
from verify.mathematics.bounds.comparison import deviation
from verify.mathematics.bounds.overparameterised import theorem5_printed_constants
from verify.mathematics.families.box_states import BoxInstance, descent_step, states_in
from verify.mathematics.families.two_layer_starts import (
    TwoLayerStart,
    printed_conditions,
    problem_of,
    single_pairs,
)
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference
from verify.mathematics.runs.comparison_steps import comparison_margin, rounding_of, small_step, system_of

LEMMA5 = Item(
    "luckmatters.lemma5", Source(LUCK_MATTERS, "Lemma 5, Eqns 56-62", version="v4", section="8.6.1")
)
ETA = 0.01
ALONE = TwoLayerStart(r=0, c=2, v_error=0.02)
EXAMPLE = BoxInstance(m=3, r=2, c=4)


@LEMMA5.claim(
    "printed",
    expected="refuted",
    on=TwoLayerStart,
    draw=single_pairs(),
    assume=printed_conditions,
    compares=("largest ‖δv_j‖ after a step of 0.01", "≤", "largest ‖δv_j‖ before"),
    telling=lambda start: start.theta0 > 0.001 and start.v_error > 0.001,
)
def contracts(start: TwoLayerStart, context: Context, *, exponent: int = 0) -> Evidence:
    """Lemma 5: the top layer contracts in one step

    W-Separation at t  ⇒  ‖δv_j‖ ≤ (1 − ηl̄γ)^t B_δv at t + 1 for j ∈ u

    Judged in its weakest form (no growth beyond B_δv). (57) and (58) drop the δw part of Δq, (61) bounds ‖v_k‖ of the
    r-set by B_δv. The exponents are off by one: the hypothesis has t − 1 at t, (61) and (62) conclude t + 1 at t + 1,
    two factors for one step, which fails even for a single student with W = W*.
    """
    problem = problem_of(start)
    before = deviation(problem, problem.student_W, problem.student_V)
    after = deviation(problem, *descent_step(problem, ETA))
    fan_outs = slice(problem.m, 2 * problem.m)
    constants = theorem5_printed_constants(problem)
    # Exponent 0 is the weakest form: no gamma enters it.
    factor = (1 - ETA * constants.lambda_bar * constants.gamma) ** exponent if exponent else 1.0
    bound = factor * float(before[fan_outs].max())
    return Evidence.at_most(
        float(after[fan_outs].max()), bound=bound, tolerance=rounding_of(problem, ETA) * start.fan_out
    )


@contracts.confirmed_precisely(digits=DIGITS)
def in_thirty_digits(start: TwoLayerStart) -> Evidence:
    """The same step in 30 digits."""
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem_of(start))
        W, V = reference.W, reference.V
        _, dV = reference.field(W, V)
        before = max(reference.distances(W, V)[1])
        after = max(reference.distances(W, [v + ETA * g for v, g in zip(V, dV, strict=True)])[1])
        return Evidence.at_most(float(after), bound=float(before), tolerance=0.0)


contracts.errs(
    says="Lemma 5 (v4, section 8.6.1, Eqns 56-62): W-Separation at t gives ‖δv_j‖ ≤ (1 − ηl̄γ)^t B_δv at t + 1.",
    true="‖δv_j‖ may grow in a step. (57) and (58) drop one of the two differences, (61) bounds ‖v_k‖ of the "
    "irrelevant "
    "nodes by B_δv; two factors are used for one step, which fails already for a single student. Repaired: the rows of "
    "a comparison system that keeps all terms.",
    impact="substance",
    matters="Theorem 5's V-contraction rests on it; its limit does not.",
)
contracts.rejects("at the solution with V_r ≠ 0 the step leads away", TwoLayerStart(c=2, r_fan_out=0.5))
contracts.rejects(
    "(61) as printed, exponent t + 1 from exponent t − 1, for a student alone at W = W*", ALONE, exponent=2
)
contracts.rejects("the same with ‖v_r‖ = 1e-9", TwoLayerStart(c=2, r_fan_out=1e-9))
contracts.excludes("a fan-out of norm 1", TwoLayerStart(alpha=2.0), "right-hand side of (41)")
contracts.excludes(
    "a fan-out of norm 0.01", TwoLayerStart(alpha=2.0, fan_out=0.01), "right-hand side of (42)"
)
contracts.excludes("too far a drift", TwoLayerStart(alpha=2.0, fan_out=0.01), "λ̄")
contracts.includes("a fan-out of norm 0.001", TwoLayerStart(alpha=2.0, fan_out=0.001))
contracts.accepts("the weakest form for a student alone at W = W*", ALONE)


@LEMMA5.claim(
    "corrected",
    expected="holds",
    on=BoxInstance,
    assume=small_step,
    examples=(EXAMPLE, replace(EXAMPLE, threshold=2.0)),
    place="Lemma 5",
    note="all terms of Eqn 56 kept",
    compares=("largest row of (b, c)(t + 1) over its bound", "≤", "one"),
)
def rows_of_the_fan_outs(
    instance: BoxInstance, context: Context, *, push: float = 1.0, share: float = 1.0
) -> Evidence:
    """Lemma 5: the fan-outs' rows of the comparison system

    (b, c)(t + 1) ≤ rows b, c of (I + ηM) y(t) on the box;
    so y(t) ≤ (1 − ηλ)^t p  ⇒  (b, c)(t + 1) ≤ (1 − ηλ)^{t+1} (p_b, p_c)

    Holds for every step with η l_jj ≤ 1, at every state of a box with caps below a right angle, whether or not M has a
    rate.
    """
    m, r = instance.m, instance.r
    M = system_of(instance).M.copy()
    M[m : 2 * m, 2 * m :] *= push  # the irrelevant fan-outs in the rows of delta v
    states = states_in(instance)
    margin, ratio = comparison_margin(states, M, instance.eta, slice(m, 2 * m + r), share)
    rounding = rounding_of(states, instance.eta)
    return Evidence(predicted=1.0, measured=ratio, margin=margin + rounding, tolerance=rounding)


rows_of_the_fan_outs.rejects("the share of the bound that is reached", EXAMPLE, share=0.99905746215)
rows_of_the_fan_outs.excludes("a cap of 3.3 / 2", replace(EXAMPLE, cap=1.65), "caps")
rows_of_the_fan_outs.excludes("a step of 5", replace(EXAMPLE, eta=5.0), "η max")
rows_of_the_fan_outs.excludes(
    "a cap with the pole", replace(EXAMPLE, threshold=2.0, cap=1.5), "caps without the pole"
)
rows_of_the_fan_outs.includes("a step of 1, caps of 1.5", replace(EXAMPLE, m=1, r=1, eta=1.0, cap=1.5))
rows_of_the_fan_outs.rejects(
    "without the irrelevant fan-outs in the rows of δv",
    replace(EXAMPLE, cap=0.001, fan_out_cap=0.001),
    push=0.0,
)
