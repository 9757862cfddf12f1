"""What float64 can add to the radial part of a filter's gradient, from the sizes met in one backward pass.

A filter's radial gradient ``w . dJ/dw`` vanishes under batch normalisation for every gradient ``h`` that comes from
above, so the rounding of the layers above does not matter, only their ``h`` does: it is measured, not estimated,
since the normalisations above may have multiplied it by ``|f| / sigma`` each. The bound then counts the
operations of the block itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nets.matrix_form.normalised import NormalisedStudent, normalisation_variance

EPS = float(np.finfo(np.float64).eps)
UNDERFLOW = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class BlockPass:
    """One hidden block in one pass over N samples.

    ``into (N, d)`` enters the linear layer, ``fed (N, width)`` the normalisation. ``above`` is dJ/d(output of the
    normalisation), ``below`` dJ/d(output of the linear layer), both ``(N, width)``. ``weight`` is dJ/dw, ``bias``
    dJ/db (zeros without biases) and ``scale`` dJ/dc0.
    """

    into: Tensor
    fed: Tensor
    above: Tensor
    below: Tensor
    weight: Tensor
    bias: Tensor
    scale: Tensor


def block_passes(
    student: NormalisedStudent, x: Tensor, loss: Callable[[Tensor], Tensor]
) -> tuple[list[BlockPass], list[Tensor]]:
    """The pass of every hidden block for ``loss(outputs)``, and the gradient of every parameter, from one backward."""
    linears, norms = student.linears[:-1], student.norms
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}

    def record(layer: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        seen[layer] = (inputs[0], output)

    hooks = [layer.register_forward_hook(record) for layer in (*linears, *norms)]
    try:
        value = loss(student.forward(x))
    finally:
        for hook in hooks:
            hook.remove()
    parameters = list(student.parameters())
    between = [seen[layer][1] for layer in (*linears, *norms)]
    gradients = list(torch.autograd.grad(value, parameters + between))
    slope, at = gradients[: len(parameters)], gradients[len(parameters) :]
    of = {id(parameter): gradient for parameter, gradient in zip(parameters, slope, strict=True)}
    passes = []
    for block, (linear, norm) in enumerate(zip(linears, norms, strict=True)):
        below, above = at[block], at[len(linears) + block]
        bias = of[id(linear.bias)] if linear.bias is not None else torch.zeros_like(below[0])
        passes.append(
            BlockPass(
                seen[linear][0].detach(),
                seen[norm][0].detach(),
                above,
                below,
                of[id(linear.weight)],
                bias,
                of[id(norm.weight)],
            )
        )
    return passes, slope


def radial_rounding(linear: nn.Linear, norm: nn.BatchNorm1d, block: BlockPass) -> Tensor:
    """Bound ``(width,)`` on the rounding of ``w . dJ/dw + b dJ/db`` and of ``eps/s^2 c0 dJ/dc0``, to first order.

    With ``h`` the gradient from above, ``g = c0/s (h - mean h - f~ mean(h f~))`` what goes on below,
    ``f~ = (f - mean f)/s``, ``s^2 = sigma^2 + eps``, ``a = |w| . |x| + |b| >= |f|`` and ``A = max a`` over samples:

    - the products with x, w and b: ``(N + 2d + 4) EPS sum |g| a``;
    - the mean of f, rounded by ``N EPS A``, moves every ``f~`` by ``N EPS A/s``; sums over samples and elementwise
      operations add ``(N + 8) EPS`` of what they sum, in all ``(N + 8) EPS |c0|/s sum|h| A (1 + max|f~|)(1 + A/s)``:
      twice, for the gradient and for ``dJ/dc0``.
    """
    samples, fan_in = block.into.shape
    w, c0 = linear.weight.detach(), norm.weight.detach().abs()
    reach = block.into.abs() @ w.abs().T
    if linear.bias is not None:
        reach = reach + linear.bias.detach().abs()
    largest = reach.amax(dim=0)
    s = (normalisation_variance(block.fed) + norm.eps).sqrt()
    whitened = (block.fed - block.fed.mean(dim=0)).abs().amax(dim=0) / s
    products = (samples + 2 * fan_in + 4) * (block.below.abs() * reach).sum(dim=0)
    normalised = c0 / s * block.above.abs().sum(dim=0) * largest * (1 + whitened) * (1 + largest / s)
    # Where the gradient from above is zero, both terms vanish; UNDERFLOW bounds what rounding of subnormals leaves.
    return torch.as_tensor(EPS * (products + 2 * (samples + 8) * normalised) + UNDERFLOW)
