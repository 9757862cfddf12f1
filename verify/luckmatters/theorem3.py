"""Theorem 3: batch normalisation conserves the norm of every filter, and which of its conditions are needed."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import torch

from verify.judging import (
    ALGEBRA,
    LUCK_MATTERS,
    SEARCH,
    Assumption,
    Context,
    Evidence,
    Item,
    Precise,
    Source,
    drawn_fields,
)
from verify.mathematics.gradients.normalised_training import (
    Training,
    farthest_off,
    flow,
    flow_rates,
    flow_without_eps,
    trained,
    without_bias,
)
from verify.mathematics.precise.normalised import radial_drift

THEOREM3 = Item(
    "luckmatters.theorem3", Source(LUCK_MATTERS, "Theorem 3, Eqn 17", version="v4", section="3.1")
)

FLOW = Training(inputs=4, hidden=(5, 3), outputs=2, samples=16, seed=1)
RECTIFIED = replace(FLOW, placement="relu_bn")
WITH_EPS = replace(FLOW, eps=1e-5)
BIASED = replace(RECTIFIED, biased=True)
STEPS = replace(FLOW, lr=0.1, steps=200)

SHUT = Training("relu_bn", hidden=(2,), inputs=1, samples=3)
"""A node that no sample opens."""

FAINT = Training(hidden=(1,), samples=3, inputs=1, biased=True, seed=5778)
"""A node whose activations differ by little more than 1e-4 of their size."""

NARROW = Training(hidden=(1, 1), inputs=6, samples=3, scale=0.1, seed=20426)
"""Two narrow blocks, the upper one fed nearly the same number by every sample: |f| / sigma multiplies the rounding."""


def conditions_of_the_proof(training: Training) -> tuple[Assumption, ...]:
    """Gradient flow, no eps, no bias, at nodes that are alive."""
    return (without_bias(training), *flow_without_eps(training))


def norms_stay(training: Training) -> Evidence:
    """``||w_j||`` before and after training, or its rate where lr = 0, at the node farthest off its rounding."""
    if training.lr == 0:
        blocks = flow_rates(training)
        return farthest_off(
            (torch.zeros_like(block.weight), block.weight, block.rounding) for block in blocks
        )
    growth, _, rounding = trained(training)
    return farthest_off([(torch.zeros_like(growth), growth, rounding)])


def in_forty_digits(training: Training) -> Evidence:
    """The largest drift of a squared norm without back-propagation: derivatives of the loss along lines."""
    return Evidence.at_most(float(radial_drift(training)), bound=0.0, tolerance=1e-25)


@THEOREM3.claim(
    "necessity",
    expected="needed",
    on=Training,
    draw=drawn_fields(Training, eps=st.sampled_from([0.0, 1e-5, 0.1]), biased=st.booleans()),
    assume=flow,
    cost=SEARCH,
    confirm=Precise(in_forty_digits, 40),
    note="left out: the normalisation (f − μ)/σ of section 8.3 and the networks of section 2, without biases",
    compares=("rate d‖w_j‖²/dt", "=", "none"),
    telling=lambda training: training.samples >= 8 and training.hidden[0] >= 2,
)
def norms_are_conserved(training: Training, context: Context) -> Evidence:
    """The norm of a filter with eps in the normalisation, or with a bias

    d‖w_j‖²/dt = 0  under gradient flow, Linear → ReLU → BN and Linear → BN → ReLU, with eps or biases

    Lemma 1 has a normalisation without eps, and the filters have no bias; each is a statement of its own: eps = 0
    (theorem3.eps), no bias or the bias inside the norm (theorem3.bias). Left out, the norm drifts. What iterations of
    finite size do is the printed form.
    """
    return norms_stay(training)


norms_are_conserved.errs(
    says="Theorem 3 (v4, section 3.1): ‖w_j‖ of a filter before BN remains constant in training; the normalisation of "
    "section 8.3 has no eps, the networks of section 2 no biases.",
    true="Both are needed. With eps > 0, d‖(w,b)‖²/dt = eps/(σ² + eps) · d(c₀²)/dt exactly, an exchange with "
    "BatchNorm's own scale. With a bias, Linear → ReLU → BN conserves ‖(w, b)‖, not ‖w‖; in Linear → BN → ReLU the "
    "bias has no gradient.",
    impact="constant",
    matters="Every implementation has an eps, and the drift, O(eps/σ²), has either sign: unit norms, assumed from "
    "section 3.1 on, hold up to it.",
)
norms_are_conserved.rejects("eps = 1e-5, torch's default", WITH_EPS)
norms_are_conserved.rejects("eps = 1e-11", replace(FLOW, eps=1e-11))
norms_are_conserved.excludes("a node that is always shut", SHUT, "σ / max |f|")
norms_are_conserved.excludes("steps", STEPS, "gradient flow")
norms_are_conserved.includes("a node that hardly varies", FAINT)
norms_are_conserved.rejects("a bias, Linear → ReLU → BN", BIASED)
norms_are_conserved.accepts("neither of the two", FLOW)


@THEOREM3.claim(
    "corrected",
    expected="holds",
    on=Training,
    assume=conditions_of_the_proof,
    examples=(FLOW, RECTIFIED, NARROW),
    cost=ALGEBRA.at_quick(60),
    note="with its silent condition, continuous time, which the proof has; no eps, no bias as in the paper",
    compares=("rate d‖w_j‖²/dt", "=", "none"),
)
def norms_are_conserved_by_the_flow(training: Training, context: Context) -> Evidence:
    """The norm of a filter is conserved by the gradient flow at eps = 0

    d‖w_j‖²/dt = 0  under gradient flow at eps = 0 without biases;  both placements, any depth

    Holds because scaling a filter does not change the network; the running statistics of evaluation mode, weight decay,
    and optimisers other than plain gradient descent break it as well.
    """
    return norms_stay(training)


norms_are_conserved_by_the_flow.rejects("eps = 1e-11", replace(FLOW, eps=1e-11))
norms_are_conserved_by_the_flow.excludes("eps = 0.3", replace(FLOW, eps=0.3), "eps = 0")
norms_are_conserved_by_the_flow.excludes("a bias", BIASED, "no bias before a ReLU")
norms_are_conserved_by_the_flow.excludes("steps", STEPS, "gradient flow")
norms_are_conserved_by_the_flow.excludes("a node that is always shut", SHUT, "σ / max |f| at every node")
norms_are_conserved_by_the_flow.includes("a bias before BN", replace(FLOW, biased=True))
norms_are_conserved_by_the_flow.includes("a node that hardly varies", FAINT)
norms_are_conserved_by_the_flow.rejects("eps = 1e-5", WITH_EPS)
norms_are_conserved_by_the_flow.rejects("a bias, Linear → ReLU → BN", BIASED)
