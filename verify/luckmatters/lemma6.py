"""Lemma 6: one step of the bottom layer. Printed: W_u contracts; corrected: with every term, and W_r's drift."""

from __future__ import annotations

from dataclasses import replace

import mpmath as mp
import numpy as np

from verify.judging.statement import (
    LUCK_MATTERS,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.luckmatters.lemma5 import CHEAP, ETA, ROUNDING, comparison_margin, small_step, starts, system_of
from verify.luckmatters.theorem5_printed import assumptions as printed_assumptions
from verify.mathematics.bounds.comparison import deviation
from verify.mathematics.families.box_states import BoxInstance, descent_step, instances, states_in
from verify.mathematics.families.two_layer_starts import TwoLayerStart, problem_of
from verify.mathematics.precise.two_layer_flow import DIGITS, TwoLayerReference


def printed(start: TwoLayerStart, context: Context) -> Evidence:
    """``max sin theta_j`` after one step against its start, which any gamma > 0 and either exponent imply."""
    problem = problem_of(start)
    before = deviation(problem, problem.student_W, problem.student_V)[: problem.m]
    after = deviation(problem, *descent_step(problem, ETA))[: problem.m]
    return Evidence.at_most(float(after.max()), float(before.max()), 1e-15)


def confirm(start: TwoLayerStart) -> Evidence:
    """The same step in 30 digits."""
    with mp.workdps(DIGITS):
        reference = TwoLayerReference(problem_of(start))
        W, V = reference.W, reference.V
        dW, _ = reference.field(W, V)
        before = max(reference.distances(W, V)[0])
        after = max(reference.distances([w + ETA * g for w, g in zip(W, dW, strict=True)], V)[0])
        return Evidence.at_most(float(after), float(before), 0.0)


PRINTED = Statement(
    key="luckmatters.lemma6",
    form=Form.PRINTED,
    title="Lemma 6: the bottom layer contracts in one step",
    claim="V-Contraction at t  ⇒  sin θ_j ≤ (1 − ηd̄γ)^t sin θ₀ at t + 1 for j ∈ u",
    source=Source(LUCK_MATTERS, "Lemma 6, Eqns 63-67"),
    expected=Outcome.REFUTED,
    instance_type=TwoLayerStart,
    instances=starts,
    assumptions=printed_assumptions,
    evidence=printed,
    confirm=confirm,
    controls=(
        Control(
            "at the solution with V_r ≠ 0 the step leads away",
            lambda context: printed(TwoLayerStart(c=2, r_fan_out=0.5), context),
        ),
        Control(
            "without irrelevant nodes the step leads home",
            lambda context: printed(TwoLayerStart(r=0, c=2, theta0=0.2), context),
            must_hold=True,
        ),
    ),
    max_examples=CHEAP,
    remark="Judged in its weakest form (sin θ_j does not exceed sin θ₀). The last sum of (66) has no factor sin θ, so "
    "(41) cannot absorb it. Besides, (64) drops the δv part of Δp̃ and keeps a factor ‖δw_k‖ on p̃_jk of the r-set, "
    "which has none; (66) has ‖v_j‖² where (41) has one power; (67) has exponent t + 1 where the hypothesis gives t; "
    "(69) has B_d,u where (70) has B_d,r; (54) counts m − 1 relevant and n − m irrelevant neighbours of an irrelevant "
    "node, which has m and n − m − 1.",
)


def corrected(instance: BoxInstance, context: Context, push: float = 1.0) -> Evidence:
    """Rows of sin theta, and ``||w_k(t+1) - w_k(t)|| <= eta c_k (drift y)_k``, over all states drawn."""
    system = system_of(instance)
    M, m = system.M.copy(), instance.m
    M[:m, 2 * m :] *= push
    states = states_in(instance)
    margin, ratio = comparison_margin(states, M, instance.eta, slice(0, m))
    y = deviation(states, states.student_W, states.student_V)
    allowed = instance.eta * y[..., 2 * m :] * (system.drift @ y[..., None])[..., 0]
    moved = np.linalg.norm(descent_step(states, instance.eta)[0] - states.student_W, axis=-2)[..., m:]
    drift = float((push * allowed - moved).min(initial=np.inf))
    return Evidence(
        1.0, ratio, min(margin, drift) + ROUNDING, ROUNDING, details={"rows": margin, "drift": drift}
    )


EXAMPLE = BoxInstance(m=3, r=2, c=4)

CORRECTED = Statement(
    key="luckmatters.lemma6",
    form=Form.CORRECTED,
    title="Lemma 6: the columns' rows of the comparison system, and the drift of W_r",
    claim="a(t + 1) ≤ rows a of (I + ηM) y(t),   ‖w_k(t + 1) − w_k(t)‖ ≤ η c_k (N y(t))_k for k ∈ r;\n"
    "so y(t) ≤ (1 − ηλ)^t p  ⇒  ‖w_k − w_k(0)‖ ≤ p_k (N p)_k / [λ(2 − ηλ)]",
    source=Source(LUCK_MATTERS, "Lemma 6", "all terms of Eqn 63 kept; the sum as in Eqn 70"),
    expected=Outcome.HOLDS,
    instance_type=BoxInstance,
    instances=instances,
    assumptions=small_step,
    evidence=corrected,
    examples=(EXAMPLE, replace(EXAMPLE, threshold=2.0)),
    controls=(
        Control(
            "without the push of the irrelevant nodes",
            lambda context: corrected(replace(EXAMPLE, cap=0.001, fan_out_cap=0.001), context, push=0.0),
        ),
    ),
    max_examples=CHEAP,
    remark="The step is the projected one, columns normalised after it: normalising only lowers sin θ and the drift.",
)
