"""Lemma 6: one step of the bottom layer. Printed: W_u contracts; corrected: with every term, and W_r's drift."""

from __future__ import annotations

from dataclasses import replace

import mpmath as mp
import numpy as np

from verify.judging import LUCK_MATTERS, Context, Evidence, Item, Source
from verify.luckmatters.lemma5 import ETA
from verify.mathematics.bounds.comparison import deviation
from verify.mathematics.families.box_states import BoxInstance, descent_step, states_in
from verify.mathematics.families.two_layer_starts import (
    TwoLayerStart,
    printed_conditions,
    problem_of,
    single_pairs,
)
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference
from verify.mathematics.runs.comparison_steps import comparison_margin, rounding_of, small_step, system_of

LEMMA6 = Item(
    "luckmatters.lemma6", Source(LUCK_MATTERS, "Lemma 6, Eqns 63-67", version="v4", section="8.6.2")
)
EXAMPLE = BoxInstance(m=3, r=2, c=4)


@LEMMA6.claim(
    "printed",
    expected="refuted",
    on=TwoLayerStart,
    draw=single_pairs(),
    assume=printed_conditions,
    compares=("largest sin θ_j after a step of 0.01", "≤", "largest sin θ_j before"),
    telling=lambda start: start.theta0 > 0.001 and start.v_error > 0.001,
)
def contracts(start: TwoLayerStart, context: Context) -> Evidence:
    """Lemma 6: the bottom layer contracts in one step

    V-Contraction at t  ⇒  sin θ_j ≤ (1 − ηd̄γ)^t sin θ₀ at t + 1 for j ∈ u

    Judged in its weakest form (sin θ_j does not exceed sin θ₀), which any γ > 0 and either exponent imply. The last
    sum of (66) has no factor sin θ, so (41) cannot absorb it. Besides, (64) drops the δv part of Δp̃ and keeps a
    factor ‖δw_k‖ on p̃_jk of the r-set, which has none; (66) has ‖v_j‖² where (41) has one power; (67) has exponent
    t + 1 where the hypothesis gives t; (69) has B_d,u where (70) has B_d,r; (54) counts m − 1 relevant and n − m
    irrelevant neighbours of an irrelevant node, which has m and n − m − 1.
    """
    problem = problem_of(start)
    before = deviation(problem, problem.student_W, problem.student_V)[: problem.m]
    after = deviation(problem, *descent_step(problem, ETA))[: problem.m]
    return Evidence.at_most(float(after.max()), bound=float(before.max()), tolerance=1e-15)


@contracts.confirmed_precisely(digits=DIGITS)
def in_thirty_digits(start: TwoLayerStart) -> Evidence:
    """The same step in 30 digits."""
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem_of(start))
        W, V = reference.W, reference.V
        dW, _ = reference.field(W, V)
        before = max(reference.distances(W, V)[0])
        after = max(reference.distances([w + ETA * g for w, g in zip(W, dW, strict=True)], V)[0])
        return Evidence.at_most(float(after), bound=float(before), tolerance=0.0)


contracts.errs(
    says="Lemma 6 (v4, section 8.6.2, Eqns 63-67): V-Contraction at t gives sin θ_j ≤ (1 − ηd̄γ)^t sin θ₀ at t + 1.",
    true="sin θ_j may grow in a step: (66)'s sum over irrelevant nodes has no factor sin θ, so (41) cannot "
    "absorb it, and "
    "two factors are used for one step. (64) drops one of the two differences, (66) has ‖v_j‖² where (41) has "
    "one power, "
    "(69) has B_d,u where (70) has B_d,r, and (54) miscounts neighbours: an irrelevant node has m relevant and "
    "n − m − 1 irrelevant ones.",
    impact="substance",
    matters="Theorem 5's W-contraction rests on it; its limit does not.",
)
contracts.rejects("at the solution with V_r ≠ 0 the step leads away", TwoLayerStart(c=2, r_fan_out=0.5))
contracts.rejects("the same with ‖v_r‖ = 1e-10", TwoLayerStart(c=2, r_fan_out=1e-10))
contracts.excludes("a fan-out of norm 1", TwoLayerStart(alpha=2.0), "right-hand side of (41)")
contracts.excludes(
    "a fan-out of norm 0.01", TwoLayerStart(alpha=2.0, fan_out=0.01), "right-hand side of (42)"
)
contracts.excludes("too far a drift", TwoLayerStart(alpha=2.0, fan_out=0.01), "λ̄")
contracts.includes("a fan-out of norm 0.001", TwoLayerStart(alpha=2.0, fan_out=0.001))
contracts.accepts("without irrelevant nodes the step leads home", TwoLayerStart(r=0, c=2, theta0=0.2))


@LEMMA6.claim(
    "corrected",
    expected="holds",
    on=BoxInstance,
    assume=small_step,
    examples=(EXAMPLE, replace(EXAMPLE, threshold=2.0)),
    note="all terms of Eqn 63 kept; the sum as in Eqn 70",
    compares=("largest row of a(t + 1) over its bound", "≤", "one"),
)
def rows_and_drift(
    instance: BoxInstance, context: Context, *, push: float = 1.0, share: float = 1.0
) -> Evidence:
    """Lemma 6: the columns' rows of the comparison system, and the drift of W_r

    a(t + 1) ≤ rows a of (I + ηM) y(t),   ‖w_k(t + 1) − w_k(t)‖ ≤ η c_k (N y(t))_k for k ∈ r;
    so y(t) ≤ (1 − ηλ)^t p  ⇒  ‖w_k − w_k(0)‖ ≤ p_k (N p)_k / [λ(2 − ηλ)]

    The step is the projected one, columns normalised after it: normalising only lowers sin θ and the drift.
    """
    system = system_of(instance)
    M, m = system.M.copy(), instance.m
    M[:m, 2 * m :] *= push
    states = states_in(instance)
    margin, ratio = comparison_margin(states, M, instance.eta, slice(0, m), share)
    y = deviation(states, states.student_W, states.student_V)
    allowed = instance.eta * y[..., 2 * m :] * (system.drift @ y[..., None])[..., 0]
    moved = np.linalg.norm(descent_step(states, instance.eta)[0] - states.student_W, axis=-2)[..., m:]
    drift = float((push * allowed - moved).min(initial=np.inf))
    rounding = rounding_of(states, instance.eta)
    return Evidence(
        predicted=1.0,
        measured=ratio,
        margin=min(margin, drift) + rounding,
        tolerance=rounding,
        details={"rows": margin, "drift": drift},
    )


rows_and_drift.rejects("the share of the bound that is reached", EXAMPLE, share=0.99606740241)
rows_and_drift.excludes("a cap of 3.3 / 2", replace(EXAMPLE, cap=1.65), "caps")
rows_and_drift.excludes("a step of 5", replace(EXAMPLE, eta=5.0), "η max")
rows_and_drift.excludes(
    "a cap with the pole", replace(EXAMPLE, threshold=2.0, cap=1.5), "caps without the pole"
)
rows_and_drift.includes("a step of 1, caps of 1.5", replace(EXAMPLE, m=1, r=1, eta=1.0, cap=1.5))
rows_and_drift.rejects(
    "without the push of the irrelevant nodes", replace(EXAMPLE, cap=0.001, fan_out_cap=0.001), push=0.0
)
