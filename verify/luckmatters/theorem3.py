"""Theorem 3: batch normalisation conserves the norm of every filter, under three conditions that are not printed."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st

from verify.judging import ALGEBRA, LUCK_MATTERS, SEARCH, Context, Evidence, Item, Source, drawn_fields
from verify.mathematics.gradients.normalised_training import Training, alive, flow_rates, trained
from verify.mathematics.precise.normalised import radial_drift

THEOREM3 = Item("luckmatters.theorem3", Source(LUCK_MATTERS, "Theorem 3, Eqn 17"))

FLOW = Training(inputs=4, hidden=(5, 3), outputs=2, samples=16, seed=1)
RECTIFIED = replace(FLOW, placement="relu_bn")
WITH_EPS = replace(FLOW, eps=1e-5)
BIASED = replace(RECTIFIED, biased=True)
STEPS = replace(FLOW, lr=0.1, steps=200)

NARROW = Training(hidden=(1, 1), inputs=6, samples=3, scale=0.1, seed=20426)
"""Two narrow blocks, the upper one fed nearly the same number by every sample: |f| / sigma multiplies the rounding."""


def norms_stay(training: Training) -> Evidence:
    """``||w_j||`` before and after training, or its rate where lr = 0, relative to the rounding."""
    if training.lr == 0:
        blocks = flow_rates(training)
        drift = max(float((block.weight.abs() / block.rounding).max()) for block in blocks)
        fastest = max(float(block.weight.abs().max()) for block in blocks)
        return Evidence.at_most(drift, bound=0.0, tolerance=1.0, fastest=fastest)
    growth, _, rounding = trained(training)
    drift = float((growth.abs() / rounding).max())
    return Evidence.at_most(drift, bound=0.0, tolerance=1.0, growth=float(growth.max()))


def in_forty_digits(training: Training) -> Evidence:
    """The largest drift of a squared norm without back-propagation: derivatives of the loss along lines."""
    return Evidence.at_most(float(radial_drift(training)), bound=0.0, tolerance=1e-25)


@THEOREM3.claim(
    "printed",
    expected="refuted",
    on=Training,
    draw=drawn_fields(
        Training, eps=st.sampled_from([0.0, 1e-5, 0.1]), biased=st.booleans(), lr=st.sampled_from([0.0, 0.1])
    ),
    assume=alive,
    cost=SEARCH,
    confirm=in_forty_digits,
)
def norms_are_conserved(training: Training, context: Context) -> Evidence:
    """The norm of a filter is conserved in training

    ‖w_j‖ before BN remains constant in training;  Linear → ReLU → BN and Linear → BN → ReLU

    Three conditions are not printed, each a statement of its own below: eps = 0 (theorem3.eps), no bias or the bias
    inside the norm (theorem3.bias), and infinitely small steps of plain gradient descent (theorem3.step).
    """
    return norms_stay(training)


norms_are_conserved.rejects("eps = 1e-5, torch's default", WITH_EPS)
norms_are_conserved.rejects("a bias, Linear → ReLU → BN", BIASED)
norms_are_conserved.rejects("200 steps of 0.1", STEPS)
norms_are_conserved.accepts("none of the three", FLOW)


@THEOREM3.claim(
    "corrected",
    expected="holds",
    on=Training,
    assume=alive,
    examples=(FLOW, RECTIFIED, NARROW),
    cost=ALGEBRA.at_quick(60),
    note="conditions added",
)
def norms_are_conserved_by_the_flow(training: Training, context: Context) -> Evidence:
    """The norm of a filter is conserved by the gradient flow at eps = 0

    d‖w_j‖²/dt = 0  under gradient flow at eps = 0 without biases;  both placements, any depth

    Holds because scaling a filter does not change the network; the running statistics of evaluation mode, weight decay,
    and optimisers other than plain gradient descent break it as well.
    """
    return norms_stay(training)


norms_are_conserved_by_the_flow.rejects("eps = 1e-5", WITH_EPS)
norms_are_conserved_by_the_flow.rejects("a bias, Linear → ReLU → BN", BIASED)
