"""Lemma 1: the recursive gradient rule in matrix form, and the residual it is written in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from verify.judging import SPECIALIZATION, Context, Evidence, Item, Source
from verify.mathematics.backpropagation import autograd_node_gradients, forward, rectifier
from verify.mathematics.families.layered_pairs import DeepPair, Parameters, layered, parameters_of
from verify.mathematics.gradients.layer_terms import Level, TanhNetwork, levels
from verify.specialization import DERIVED, REBUILT, VERSION

LEMMA1 = Item(
    "specialization.lemma1",
    Source(SPECIALIZATION, "Lemma 1, Eqns 3 and 4", REBUILT, version=VERSION, section="3"),
)

Activation = Literal["rectifier", "tanh"]

TOLERANCE = 1e-12
"""Relative to the larger term. Rounding alone: 2 sqrt(operations) eps < 1e-13 for six layers of 12 nodes."""

DEEP = DeepPair(inputs=10, hidden=((30, 5), (4, 20), (25, 3), (12, 12), (7, 9)), outputs=4, samples=16)
BIASED = replace(DEEP, biased=True)
EXAMPLES = (DeepPair(), DEEP, BIASED, replace(BIASED, slope=0.1))


@dataclass(frozen=True)
class Backward:
    """A pair on its inputs: its layers in matrix form, and what automatic differentiation says about it.

    ``gradients``: minus the gradients of ``1/2 ||f* - f||^2`` at the pre-activations, layer by layer. ``residual``:
    ``f*_L - f_L``, outputs computed without the readouts.
    """

    levels: list[Level]
    gradients: list[Tensor]
    residual: Tensor


def backward(pair: DeepPair, context: Context, activation: Activation) -> Backward:
    """The pair with its (leaky) ReLU, or with ``activation="tanh"`` and without its biases."""
    student, teacher, x = parameters_of(pair, context.rng(pair.seed))
    phi: Callable[[Tensor], Tensor] = torch.tanh if activation == "tanh" else rectifier(pair.slope)
    target = forward(teacher, x, phi)
    residual = target - forward(student, x, phi)
    gradients = autograd_node_gradients(student, target, x, phi)
    return Backward(_levels(pair, (student, teacher), x, activation), gradients, residual)


def _levels(
    pair: DeepPair, sides: tuple[Parameters, Parameters], x: Tensor, activation: Activation
) -> list[Level]:
    if activation == "tanh":
        ours, theirs = (TanhNetwork(tuple(side.weights)) for side in sides)
        return levels(ours, theirs, x)
    student, inputs = layered(pair, sides[0], x)
    return levels(student, layered(pair, sides[1], x)[0], inputs)


def relative(error: Tensor, terms: tuple[Tensor, Tensor]) -> float:
    """Largest error in units of the largest entry of the two terms it is the difference of."""
    scale = max(float(term.abs().max()) for term in terms)
    worst = float(error.abs().max())
    return worst / scale if scale else worst


@LEMMA1.claim(
    "reading",
    expected="holds",
    on=DeepPair,
    examples=EXAMPLES,
    compares=("largest difference from automatic differentiation, relative", "≤", "rounding"),
)
def gradient_rule(
    pair: DeepPair,
    context: Context,
    *,
    activation: Activation = "rectifier",
    gated: bool = True,
    factor: float = 1.0,
) -> Evidence:
    """Recursive gradient rule

    g_l(x) = D_l(x) [ A_l(x) f*_l(x) − B_l(x) f_l(x) ],   A_l = V_lᵀ V*_l,   B_l = V_lᵀ V_l
    V_L = V*_L = I,   V_{l−1} = V_l D_l W_lᵀ,   V*_{l−1} = V*_l D*_l W*_lᵀ

    Holds for ReLU and leaky ReLU, any depth and widths, and with biases when a bias is the weight of one more
    node of value 1. V_l holds the gates above l only; those of layer l stand outside.
    """
    found = backward(pair, context, activation)
    worst = 0.0
    for level, g in zip(found.levels, found.gradients, strict=True):
        pull, push = (level if gated else replace(level, gate=torch.ones_like(level.gate))).terms
        worst = max(worst, relative(factor * (pull - push)[:, : g.shape[1]] - g, (pull, push)))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE)


gradient_rule.rejects("tanh with its derivative as the gate", DEEP, activation="tanh")
gradient_rule.rejects("the gates of layer l left out", DEEP, gated=False)
gradient_rule.rejects("larger by 1e-10 of itself", DEEP, factor=1 + 1e-10)


@LEMMA1.claim(
    "sharp",
    part="residual",
    expected="holds",
    on=DeepPair,
    examples=EXAMPLES,
    place="Eqn 5",
    note=DERIVED,
    compares=("largest difference of r_l from f*_L − f_L, relative", "≤", "rounding"),
)
def residual_is_the_same_everywhere(
    pair: DeepPair, context: Context, *, activation: Activation = "rectifier", factor: float = 1.0
) -> Evidence:
    """The residual is the same at every layer

    r_l := V*_l f*_l − V_l f_l = f*_L − f_L   at every layer l,   so  g_l = D_l V_lᵀ (f*_L − f_L)

    V_l f_l = f_L for every l, so Lemma 1 is back-propagation with the output error written in the coordinates
    of layer l. The paper calls r_l the residue of each layer; it is one and the same vector.
    """
    found = backward(pair, context, activation)
    worst = 0.0
    for level in found.levels:
        theirs, ours = level.residual_terms
        worst = max(worst, relative(theirs - ours - factor * found.residual, (theirs, ours)))
    return Evidence.at_most(worst, bound=0.0, tolerance=TOLERANCE)


residual_is_the_same_everywhere.rejects("tanh with its derivative as the gate", DEEP, activation="tanh")
residual_is_the_same_everywhere.rejects("larger by 1e-10 of itself", DEEP, factor=1 + 1e-10)
