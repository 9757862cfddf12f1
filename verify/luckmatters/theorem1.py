"""Theorem 1: the gradient at every hidden node as a difference of modulated teacher and student activations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import hypothesis.strategies as st
import torch
from torch import Tensor
from torch.nn import functional

from nets.matrix_form.layered import LayeredNetwork, LayerValues
from nets.matrix_form.recursion import NodeGradients, node_gradients
from verify.judging import (
    LUCK_MATTERS,
    Budget,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.mathematics.families.layered_pairs import DeepPair, Parameters, draw, hidden_widths, layered

TOLERANCE = 1e-12
"""Relative to the two sums of Eqn 2. Rounding alone: 2 sqrt(operations) eps < 1e-13 for six layers of 12 nodes."""

CLAIM = """g_j(x) = f'_j(x) [ Σ_j° β*_jj°(x) f_j°(x) − Σ_j' β_jj'(x) f_j'(x) ]  at every layer, for every x
β = β* = I at the top;  β*_kk° = Σ_jj° w_jk f'_j β*_jj° f'_j° w*_j°k°,  β_kk' = Σ_jj' w_jk f'_j β_jj' f'_j' w_j'k'"""


def autograd_node_gradients(
    student: Parameters, target: Tensor, x: Tensor, activation: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Minus the gradient of ``1/2 ||f* - f||^2`` at the pre-activations of layers 1, .., L, by autograd."""
    f, pre_activations = x, []
    for level, (W, b) in enumerate(zip(student.weights, student.biases, strict=True)):
        z = (f @ W + b).requires_grad_()
        pre_activations.append(z)
        f = activation(z) if level < len(student.weights) - 1 else z
    loss = 0.5 * (target - f).square().sum()
    return [-g for g in torch.autograd.grad(loss, pre_activations)]


def forward(parameters: Parameters, x: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """Output of the network with free biases, linear at the top."""
    f = x
    for level, (W, b) in enumerate(zip(parameters.weights, parameters.biases, strict=True)):
        f = f @ W + b
        f = activation(f) if level < len(parameters.weights) - 1 else f
    return f


def rectifier(slope: float) -> Callable[[Tensor], Tensor]:
    """ReLU, or leaky ReLU of the given slope."""
    return functional.relu if slope == 0 else lambda z: functional.leaky_relu(z, slope)


def worst_error(recursion: list[NodeGradients], autograd: list[Tensor]) -> float:
    """Largest difference over layers, relative to its two sums; augmented nodes have no gradient to compare."""
    errors = [0.0]
    for layer, expected in zip(recursion, autograd, strict=True):
        difference = (layer.gradient[..., : expected.shape[-1]] - expected).abs().max()
        if difference > 0:
            errors.append(float(difference) / layer.scale if layer.scale else float("inf"))
    return max(errors)


def evidence(pair: DeepPair, context: Context) -> Evidence:
    """The recursion (Eqn 3) against automatic differentiation at every node, sample and layer."""
    student, teacher, x = draw(pair, context.rng(pair.seed))
    activation = rectifier(pair.slope)
    autograd = autograd_node_gradients(student, forward(teacher, x, activation), x, activation)
    ours, inputs = layered(pair, student, x)
    recursion = node_gradients(ours, layered(pair, teacher, x)[0], inputs)
    largest = max(float(g.abs().max()) for g in autograd)
    return Evidence.at_most(
        worst_error(recursion, autograd), bound=0.0, tolerance=TOLERANCE, largest_gradient=largest
    )


def without_augmentation(pair: DeepPair, context: Context) -> Evidence:
    """Altered claim: biases are used by the networks, and Eqn 3 does not know of them."""
    student, teacher, x = draw(dataclasses.replace(pair, biased=True), context.rng(pair.seed))
    autograd = autograd_node_gradients(student, forward(teacher, x, torch.relu), x, torch.relu)
    ours, theirs = (_FreeBiases(tuple(p.weights), biases=tuple(p.biases)) for p in (student, teacher))
    return Evidence.at_most(
        worst_error(node_gradients(ours, theirs, x), autograd), bound=0.0, tolerance=TOLERANCE
    )


def with_tanh(pair: DeepPair, context: Context) -> Evidence:
    """Altered claim: tanh in place of ReLU, its derivative as the gate."""
    student, teacher, x = draw(pair, context.rng(pair.seed))
    autograd = autograd_node_gradients(student, forward(teacher, x, torch.tanh), x, torch.tanh)
    ours, theirs = (_Tanh(tuple(p.weights)) for p in (student, teacher))
    return Evidence.at_most(
        worst_error(node_gradients(ours, theirs, x), autograd), bound=0.0, tolerance=TOLERANCE
    )


@dataclasses.dataclass(frozen=True)
class _FreeBiases(LayeredNetwork):
    biases: tuple[Tensor, ...] = ()

    def evaluate(self, x: Tensor) -> LayerValues:
        activations, gates = [x], []
        for level, (W, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = activations[-1] @ W + b
            gates.append(torch.ones_like(z) if level == self.depth - 1 else (z > 0).to(z))
            activations.append(gates[-1] * z)
        return LayerValues(tuple(activations), tuple(gates))


class _Tanh(LayeredNetwork):
    def evaluate(self, x: Tensor) -> LayerValues:
        activations, gates = [x], []
        for level, W in enumerate(self.weights):
            z = activations[-1] @ W
            top = level == self.depth - 1
            activations.append(z if top else torch.tanh(z))
            gates.append(torch.ones_like(z) if top else 1 - torch.tanh(z).square())
        return LayerValues(tuple(activations), tuple(gates))


def instances(budget: Budget, homogeneous: bool = False) -> st.SearchStrategy[DeepPair]:
    """Depth 2 to 6, student and teacher widths apart; with ``homogeneous`` leaky ReLU and biases as well."""
    return st.builds(
        DeepPair,
        inputs=st.integers(1, 12),
        hidden=hidden_widths((2, 6), 40 if budget.full else 12),
        outputs=st.integers(1, 6),
        samples=st.integers(1, 16),
        slope=st.sampled_from([0.0, 0.01, 0.1, 0.5]) if homogeneous else st.just(0.0),
        biased=st.booleans() if homogeneous else st.just(False),
        seed=st.integers(0, 2**16),
    )


DEEP = DeepPair(inputs=10, hidden=((30, 5), (4, 20), (25, 3), (12, 12), (7, 9)), outputs=4, samples=16)
PAPER = DeepPair(inputs=20, hidden=((500, 50), (750, 75)), outputs=10, samples=2)

CONTROLS = (
    Control("tanh with its derivative as the gate", lambda context: with_tanh(DEEP, context)),
    Control("biases left out of the recursion", lambda context: without_augmentation(DEEP, context)),
)

PRINTED = Statement(
    key="luckmatters.theorem1",
    form=Form.PRINTED,
    title="Recursive gradient rule",
    claim=CLAIM,
    source=Source(LUCK_MATTERS, "Theorem 1, Eqns 2 and 3"),
    expected=Outcome.HOLDS,
    instance_type=DeepPair,
    instances=instances,
    evidence=evidence,
    controls=CONTROLS,
    examples=(DeepPair(), DEEP, PAPER),
    remark="An identity, sample by sample, for any depth and any widths of student and teacher. Two conditions are "
    "not printed: no free biases, and a positively homogeneous activation (the form called corrected has both). "
    "The text before it prints g_c = ∂J/∂f_c = f_c° − f_c; that is minus the gradient.",
)

CORRECTED = dataclasses.replace(
    PRINTED,
    form=Form.CORRECTED,
    title="Recursive gradient rule with biases and leaky ReLU",
    claim=CLAIM
    + "\nσ positively homogeneous: σ(z) = σ'(z) z;  a bias is the weight of a further node of value 1",
    source=Source(LUCK_MATTERS, "Theorem 1, Eqns 2 and 3", "conditions added"),
    instances=lambda budget: instances(budget, homogeneous=True),
    examples=(
        DeepPair(biased=True),
        dataclasses.replace(DEEP, biased=True),
        dataclasses.replace(DEEP, biased=True, slope=0.1),
    ),
    remark="With biases the sums run over one more node in each hidden layer, whose activation is 1. Left out, "
    "Eqn 2 is off by O(1), as it is for tanh with its derivative as the gate.",
)
