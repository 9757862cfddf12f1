"""Back-propagation by automatic differentiation, through networks as a framework holds them: with free biases."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from verify.mathematics.families.layered_pairs import Parameters

Activation = Callable[[Tensor], Tensor]


def rectifier(slope: float) -> Activation:
    """ReLU, or leaky ReLU of the given slope."""
    return functional.relu if slope == 0 else lambda z: functional.leaky_relu(z, slope)


def forward(parameters: Parameters, x: Tensor, activation: Activation) -> Tensor:
    """Output of the network with free biases, linear at the top."""
    f = x
    for level, (W, b) in enumerate(zip(parameters.weights, parameters.biases, strict=True)):
        f = f @ W + b
        f = activation(f) if level < len(parameters.weights) - 1 else f
    return f


def autograd_node_gradients(
    student: Parameters, target: Tensor, x: Tensor, activation: Activation
) -> list[Tensor]:
    """Minus the gradient of ``1/2 ||f* - f||^2`` at the pre-activations of layers 1, .., L, by autograd."""
    f, pre_activations = x, []
    for level, (W, b) in enumerate(zip(student.weights, student.biases, strict=True)):
        z = (f @ W + b).requires_grad_()
        pre_activations.append(z)
        f = activation(z) if level < len(student.weights) - 1 else z
    loss = 0.5 * (target - f).square().sum()
    return [-g for g in torch.autograd.grad(loss, pre_activations)]
