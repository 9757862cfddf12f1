"""Theorem 3 with biases: which of them belong to the conserved norm."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import torch

from verify.judging import ALGEBRA, SEARCH, Assumption, Context, Evidence, Precise, drawn_fields
from verify.luckmatters.theorem3 import BIASED, FAINT, FLOW, SHUT, THEOREM3, in_forty_digits, norms_stay
from verify.mathematics.gradients.normalised_training import (
    Training,
    farthest_off,
    flow_rates,
    flow_without_eps,
)

NARROW = Training(hidden=(1, 1), inputs=9, samples=3, biased=True)


def bias_before_a_relu(training: Training) -> tuple[Assumption, ...]:
    """A bias in Linear -> ReLU -> BN, under the gradient flow at eps = 0."""
    meant = training.biased and training.placement == "relu_bn"
    return (Assumption.that("a bias before a ReLU", meant), *flow_without_eps(training))


@THEOREM3.claim(
    "reading",
    part="bias",
    expected="refuted",
    on=Training,
    draw=drawn_fields(Training, placement=st.just("relu_bn"), biased=st.just(True)),
    assume=bias_before_a_relu,
    cost=SEARCH,
    confirm=Precise(in_forty_digits, 40),
    note="our reading: the theorem for layers with biases, as sections 4.2 and 5.1 have them; without, it holds",
    compares=("rate d‖w_j‖²/dt", "=", "none"),
    telling=lambda training: training.samples >= 8 and training.hidden[0] >= 2,
)
def conserved_without_the_bias(training: Training, context: Context) -> Evidence:
    """The norm without the bias, in a layer that has one

    ‖w_j‖ is conserved in Linear → ReLU → BN with a bias, at eps = 0 under gradient flow

    Our reading; nothing depends on it, since a bias is the weight of one more node. The proof sums w_jk f_k over the
    children and calls the sum f_j^lin; with a bias that is w_jᵀf + b_j.
    """
    return norms_stay(training)


conserved_without_the_bias.errs(
    says="Theorem 3 (v4, section 3.1), for Linear → ReLU → BN with a bias in the linear layer (our reading).",
    true="‖(w_j, b_j)‖ is conserved, not ‖w_j‖; in Linear → BN → ReLU the bias has no gradient.",
    impact="typographical",
    matters="Nothing depends on it: the bias is the weight of one more node of value 1.",
)
conserved_without_the_bias.rejects("a bias before the ReLU", BIASED)
conserved_without_the_bias.rejects("no bias, but eps = 1e-11", replace(FLOW, eps=1e-11))
conserved_without_the_bias.excludes("no bias", replace(BIASED, biased=False), "a bias before a ReLU")
conserved_without_the_bias.excludes("eps = 0.3", replace(BIASED, eps=0.3), "eps = 0")
conserved_without_the_bias.excludes("steps", replace(BIASED, lr=0.1), "gradient flow")
conserved_without_the_bias.excludes(
    "a node that is always shut", replace(SHUT, biased=True), "σ / max |f| at every node"
)
conserved_without_the_bias.includes("one node, three samples", replace(BIASED, hidden=(1,), samples=3))
conserved_without_the_bias.accepts("a bias before the BN has no gradient", replace(FLOW, biased=True))


@THEOREM3.claim(
    "corrected",
    part="bias",
    expected="holds",
    on=Training,
    draw=drawn_fields(Training, biased=st.just(True)),
    assume=flow_without_eps,
    examples=(BIASED, replace(FLOW, biased=True), NARROW),
    cost=ALGEBRA.at_quick(60),
    note="bias added",
    compares=("rate d‖w_j‖²/dt, or d(b_j²)/dt in Linear → BN → ReLU", "=", "−d(b_j²)/dt, or none"),
)
def conserved_with_the_bias(
    training: Training, context: Context, *, still_everywhere: bool = False, factor: float = 1.0
) -> Evidence:
    """The bias belongs to the conserved norm

    Linear → ReLU → BN: d‖w_j‖²/dt = −d(b_j²)/dt, so ‖(w_j, b_j)‖ is conserved
    Linear → BN → ReLU: ḃ_j = 0.   At eps = 0 under gradient flow

    In Linear → BN → ReLU the mean takes the bias out again (for every eps), which is why such layers are built without
    one.
    """
    blocks = flow_rates(training)
    if still_everywhere or training.placement == "bn_relu":
        return farthest_off((torch.zeros_like(block.bias), block.bias, block.rounding) for block in blocks)
    return farthest_off((-factor * block.bias, block.weight, block.rounding) for block in blocks)


conserved_with_the_bias.rejects(
    "bias said to stand still in Linear → ReLU → BN", BIASED, still_everywhere=True
)
conserved_with_the_bias.rejects("the bias' part 1e-9 larger", BIASED, factor=1 + 1e-9)
conserved_with_the_bias.excludes("eps = 0.3", replace(BIASED, eps=0.3), "eps = 0")
conserved_with_the_bias.excludes("steps", replace(BIASED, lr=0.1), "gradient flow")
conserved_with_the_bias.excludes("a node that is always shut", SHUT, "σ / max |f| at every node")
conserved_with_the_bias.includes("a node that hardly varies", FAINT)
conserved_with_the_bias.rejects("eps = 0.1 (Linear → ReLU → BN)", replace(BIASED, eps=0.1))
