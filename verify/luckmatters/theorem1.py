"""Theorem 1: the gradient at every hidden node as a difference of modulated teacher and student activations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
import torch
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork, LayerValues
from nets.matrix_form.recursion import node_gradients
from verify.judging import LUCK_MATTERS, Context, Evidence, Item, Source, drawn_fields
from verify.judging.enclosing.enclosure import Margin, as_drawn, as_fraction
from verify.mathematics.backpropagation import autograd_node_gradients, forward, rectifier
from verify.mathematics.enclosed.layered_gradients import (
    MOST_PRODUCTS,
    ExactNetwork,
    largest_gap,
    products_of,
    rational_matrix,
)
from verify.mathematics.families.layered_pairs import DeepPair, layered, parameters_of
from verify.mathematics.gradients.absolute_networks import AbsoluteNetwork, nodes_on_a_path
from verify.mathematics.gradients.layer_terms import TanhNetwork

THEOREM1 = Item(
    "luckmatters.theorem1", Source(LUCK_MATTERS, "Theorem 1, Eqns 2 and 3", version="v4", section="2")
)

EPS = float(np.finfo(np.float64).eps)

DEEP = DeepPair(inputs=10, hidden=((30, 5), (4, 20), (25, 3), (12, 12), (7, 9)), outputs=4, samples=16)
CANCELLING = DeepPair(11, ((10, 8), (4, 2), (7, 1), (7, 7), (4, 1)), 2, 1, seed=993)
"""A single sample whose sums nearly cancel: the difference is 1e-12 of them, rounding of their terms."""

DEEP_WITH_BIASES = replace(DEEP, biased=True)
AS_WIDE_AS_IN_THE_PAPER = DeepPair(inputs=20, hidden=((500, 50), (750, 75)), outputs=10, samples=2)


def compared(student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor, autograd: list[Tensor]) -> Evidence:
    """The recursion (Eqn 3) against automatic differentiation at every node, sample and layer.

    The difference is relative to the layer's larger sum of Eqn 2 with every term in absolute value. A path goes up
    through the widths of both networks and down again: n additions and as many products lose n EPS on either side.
    Augmented nodes have no gradient to compare.
    """
    scales = node_gradients(AbsoluteNetwork.of(student), AbsoluteNetwork.of(teacher), x)
    errors = [0.0]
    for layer, absolute, expected in zip(node_gradients(student, teacher, x), scales, autograd, strict=True):
        difference = float((layer.gradient[..., : expected.shape[-1]] - expected).abs().max())
        errors.append(difference / (absolute.scale or 1.0))
    return Evidence.at_most(
        max(errors),
        bound=0.0,
        tolerance=4 * EPS * nodes_on_a_path(student, teacher),
        largest_gradient=max(float(g.abs().max()) for g in autograd),
    )


def recursion_against_autograd(pair: DeepPair, context: Context, factor: float) -> Evidence:
    """Both sides of Theorem 1 for one pair; ``factor`` alters the gradient."""
    student, teacher, x = parameters_of(pair, context.rng(pair.seed))
    activation = rectifier(pair.slope)
    autograd = [
        factor * g for g in autograd_node_gradients(student, forward(teacher, x, activation), x, activation)
    ]
    ours, inputs = layered(pair, student, x)
    return compared(ours, layered(pair, teacher, x)[0], inputs, autograd)


def exact_gap(pair: DeepPair, *, factor: float = 1.0) -> Margin | None:
    """Minus the largest difference of Eqn 3 and back-propagation in fractions; None for pairs too large for them."""
    if products_of([*pair.hidden, (pair.outputs, pair.outputs)], pair.samples) > MOST_PRODUCTS:
        return None
    drawn = as_drawn(pair)
    student, teacher, x = parameters_of(drawn, Context().rng(pair.seed))
    (ours, inputs), (theirs, _) = (layered(drawn, side, x) for side in (student, teacher))
    slope = Fraction(drawn.slope)
    exact, target = (
        ExactNetwork([rational_matrix(W) for W in side.weights], slope) for side in (ours, theirs)
    )
    return -largest_gap(exact, target, [rational_matrix(row) for row in inputs], as_fraction(factor))


@THEOREM1.claim(
    "printed",
    expected="holds",
    enclose=exact_gap,
    on=DeepPair,
    draw=drawn_fields(DeepPair, slope=st.just(0.0), biased=st.just(False)),
    examples=(DeepPair(), DEEP, CANCELLING, AS_WIDE_AS_IN_THE_PAPER),
    compares=(
        "difference of recursion and automatic differentiation, relative to the sums of absolute values",
        "≤",
        "rounding",
    ),
)
def recursion_is_the_gradient(pair: DeepPair, context: Context, *, factor: float = 1.0) -> Evidence:
    """Recursive gradient rule

    g_j(x) = f'_j(x) [ Σ_j° β*_jj°(x) f_j°(x) − Σ_j' β_jj'(x) f_j'(x) ]  at every layer, for every x
    β = β* = I at the top;  β*_kk° = Σ_jj° w_jk f'_j β*_jj° f'_j° w*_j°k°,  β_kk' = Σ_jj' w_jk f'_j β_jj' f'_j' w_j'k'

    An identity, sample by sample, for any depth and any widths of student and teacher. Two conditions are not printed:
    no free biases, and a positively homogeneous activation (the form called corrected has both). The text before it
    prints g_c = ∂J/∂f_c = f_c° − f_c; that is minus the gradient.
    """
    return recursion_against_autograd(pair, context, factor)


@THEOREM1.claim(
    "corrected",
    expected="holds",
    enclose=exact_gap,
    on=DeepPair,
    examples=(DeepPair(biased=True), DEEP_WITH_BIASES, replace(DEEP_WITH_BIASES, slope=0.1)),
    note="conditions added",
    compares=(
        "difference of recursion and automatic differentiation, relative to the sums of absolute values",
        "≤",
        "rounding",
    ),
)
def recursion_with_biases(pair: DeepPair, context: Context, *, factor: float = 1.0) -> Evidence:
    """Recursive gradient rule with biases and leaky ReLU

    g_j(x) = f'_j(x) [ Σ_j° β*_jj°(x) f_j°(x) − Σ_j' β_jj'(x) f_j'(x) ]  at every layer, for every x
    β = β* = I at the top;  β*_kk° = Σ_jj° w_jk f'_j β*_jj° f'_j° w*_j°k°,  β_kk' = Σ_jj' w_jk f'_j β_jj' f'_j' w_j'k'
    σ positively homogeneous: σ(z) = σ'(z) z;  a bias is the weight of a further node of value 1

    With biases the sums run over one more node in each hidden layer, whose activation is 1. Left out, Eqn 2 is off by
    O(1), as it is for tanh with its derivative as the gate.
    """
    return recursion_against_autograd(pair, context, factor)


recursion_is_the_gradient.errs(
    says="The text before Theorem 1 (v4, section 2) prints the negative gradient as g_c = ∂J/∂f_c = f_c° − f_c.",
    true="g_c = f_c° − f_c is −∂J/∂f_c for J = ½E‖f° − f‖². Theorem 1 itself is an identity for any positively "
    "homogeneous activation; with biases the sums run over one more node of value 1 in each layer.",
    impact="typographical",
    matters="Nothing depends on the sign of the definition: the words beside it say 'negative gradient'.",
)


def with_tanh(pair: DeepPair, context: Context) -> Evidence:
    """Altered claim: tanh in place of ReLU, its derivative as the gate."""
    student, teacher, x = parameters_of(pair, context.rng(pair.seed))
    autograd = autograd_node_gradients(student, forward(teacher, x, torch.tanh), x, torch.tanh)
    ours, theirs = (TanhNetwork(tuple(side.weights)) for side in (student, teacher))
    return compared(ours, theirs, x, autograd)


@dataclass(frozen=True)
class FreeBiases(LayeredNetwork):
    """Biases that the values of the layers have and the recursion does not know of."""

    biases: tuple[Tensor, ...] = ()

    def evaluate(self, x: Tensor) -> LayerValues:
        """Activations and gates of all layers."""
        activations, gates = [x], []
        for level, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = activations[-1] @ W + b
            gates.append(torch.ones_like(z) if level == self.depth - 1 else (z > 0).to(z))
            activations.append(gates[-1] * z)
        return LayerValues(tuple(activations), tuple(gates))


def without_augmentation(pair: DeepPair, context: Context) -> Evidence:
    """Altered claim: biases are used by the networks, and Eqn 3 does not know of them."""
    student, teacher, x = parameters_of(pair, context.rng(pair.seed))
    autograd = autograd_node_gradients(student, forward(teacher, x, torch.relu), x, torch.relu)
    ours, theirs = (FreeBiases(tuple(p.weights), biases=tuple(p.biases)) for p in (student, teacher))
    return compared(ours, theirs, x, autograd)


for form in (recursion_is_the_gradient, recursion_with_biases):
    form.rejects("the gradient 1e-10 larger", DEEP, factor=1 + 1e-10)
    form.rejects("the gradient 1e-10 larger, one hidden layer", DeepPair(), factor=1 + 1e-10)
    form.rejects_variant("tanh with its derivative as the gate", with_tanh, DEEP)
    form.rejects_variant("biases left out of the recursion", without_augmentation, DEEP_WITH_BIASES)
