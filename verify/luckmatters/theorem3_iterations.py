"""Theorem 3 in its own words, over training iterations: each of them lengthens a filter."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st

from verify.judging import SEARCH, Context, Evidence, Precise, drawn_fields
from verify.luckmatters.theorem3 import BIASED, FLOW, SHUT, STEPS, THEOREM3, in_forty_digits, norms_stay
from verify.luckmatters.theorem3_step import plain_descent
from verify.mathematics.gradients.normalised_training import Training

ONE_STEP = replace(STEPS, steps=1)


@THEOREM3.claim(
    "printed",
    expected="refuted",
    on=Training,
    draw=drawn_fields(Training, lr=st.sampled_from([0.01, 0.1])),
    assume=plain_descent,
    cost=SEARCH,
    confirm=Precise(in_forty_digits, 40),
    place="Theorem 3 and the sentence before it: conserved over training iterations",
    compares=("change of ‖w_j‖² in one iteration", "=", "none"),
    telling=lambda training: training.samples >= 8 and training.hidden[0] >= 2,
)
def norms_are_conserved_over_iterations(training: Training, context: Context) -> Evidence:
    """The norm of a filter is conserved over training iterations

    ‖w_j‖ of a filter before BN remains constant in training, Linear → ReLU → BN and Linear → BN → ReLU
    (judged: ‖w_j‖² before and after one iteration of gradient descent, in the paper's networks without biases and
      with its normalisation (f − μ)/σ)

    The words alone, iterations being said in section 3.1. The proof (Eqn 17) takes d/dt, and for the gradient flow the
    theorem holds: the corrected form. An iteration of step η adds η² ‖∇_j J‖² to ‖w_j‖², exactly (theorem3.step): the
    norm only grows, little where η² Σ ‖∇_j J‖² is small beside ‖w_j‖².
    """
    return norms_stay(training)


norms_are_conserved_over_iterations.errs(
    says="v4, section 3.1: the energy of a node's incoming weights is conserved over training iterations; Theorem 3: "
    "‖w_j‖ of a filter before BN remains constant in training.",
    true="So it is under the gradient flow, which the proof takes (Eqn 17). An iteration of step η lengthens a filter: "
    "‖w_T‖² = ‖w₀‖² + η² Σ ‖∇‖², the gradient being orthogonal to it.",
    impact="constant",
    matters="Unit norms are assumed from section 3.1 on; at small steps they hold nearly, and the theorems that follow "
    "are about flows.",
)
norms_are_conserved_over_iterations.rejects("a step of 0.1", ONE_STEP)
norms_are_conserved_over_iterations.rejects("a step of 1e-6", replace(ONE_STEP, lr=1e-6))
norms_are_conserved_over_iterations.accepts("the gradient flow", FLOW)
norms_are_conserved_over_iterations.excludes("no step", FLOW, "lr > 0")
norms_are_conserved_over_iterations.excludes("eps = 0.3", replace(ONE_STEP, eps=0.3), "eps = 0")
norms_are_conserved_over_iterations.excludes("a bias", replace(BIASED, lr=0.1), "no bias before a ReLU")
norms_are_conserved_over_iterations.excludes(
    "a node that is always shut", replace(SHUT, lr=0.1), "σ / max |f|"
)
norms_are_conserved_over_iterations.includes("steps of 1e-6", replace(ONE_STEP, lr=1e-6))
