"""The matrix products of a layer's training step in float32, while all that adds up stays in float64."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from nets.deep.layers import Layer
from nets.deep.steps import Step


class LinearMap(Protocol):
    """The linear map of a layer: its values, the gradient at its inputs, and that of its weights."""

    layer: Layer

    def forward(self, x: Tensor, reuse: bool = False) -> Tensor: ...

    def pull_back(self, x: Tensor, g: Tensor) -> Tensor: ...

    def gradient(self, x: Tensor, g: Tensor) -> Tensor: ...

    def descend(self, x: Tensor, g: Tensor, step: Step, velocity: Layer | None) -> None: ...


class RoundedMap:
    """A linear map in float64 whose products are those of operands rounded to float32.

    With ``u = 2^-24``, k terms and ``|A|`` entry by entry, the product of the rounded operands, itself in float32, is
    ``A B + E`` with ``|E| <= ((1 + u)^(k+2) - 1) |A| |B|``: every term is rounded twice before it is multiplied, once
    after, and at most k - 1 times as it is added. So ``||E||_F <= 1.01 (k + 2) u ||A||_F ||B||_F`` for k up to 10^5,
    and typically about ``sqrt(k) u`` of it, as long as nothing is beyond 3e38 or, unless it is zero, below 1e-38.

    Biases, what is between the products, and the step ``W <- W - rate gradient`` are in float64; the gradient is a
    float32 matrix there. The rounded weights are made once a step.

    Args:
        own: the map in float64.
        rounded: the same map of a float32 layer without bias, whose weight is overwritten.
        forward: the values too are a product in float32, and not the gradients alone.
    Memory: the weights and their gradient in float32, and the inputs and gradients of a batch.
    """

    def __init__(self, own: LinearMap, rounded: LinearMap, *, forward: bool) -> None:
        self.layer = own.layer
        self._own, self._rounded, self._forward = own, rounded, forward
        self._held: dict[str, Tensor] = {}

    def forward(self, x: Tensor, reuse: bool = False) -> Tensor:
        """The values of the map; they may stand in a buffer that the next call overwrites."""
        if not self._forward:
            return self._own.forward(x, reuse)
        self._round_weight()
        z = self._rounded.forward(self._single("x", x), reuse)
        values = self._buffer("z", z.shape, torch.float64).copy_(z)
        bias = self.layer.bias
        return values if bias is None else values.add_(bias.view(1, -1, *[1] * (z.dim() - 2)))

    def pull_back(self, x: Tensor, g: Tensor) -> Tensor:
        """The gradient at the map's input, in the shape of ``x``, from the gradient ``g`` at its values."""
        if not self._forward:
            self._round_weight()
        shaped = self._buffer("x", x.shape, torch.float32)  # of x, the shape alone is asked for
        below = self._rounded.pull_back(shaped, self._single("g", g))
        return self._buffer("below", below.shape, torch.float64).copy_(below)

    def gradient(self, x: Tensor, g: Tensor) -> Tensor:
        """The gradient of the weights, in float32."""
        return self._rounded.gradient(self._single("x", x), self._single("g", g))

    def descend(self, x: Tensor, g: Tensor, step: Step, velocity: Layer | None) -> None:
        """Move the weights by one step, in float64."""
        step.along(self.layer.weight, None if velocity is None else velocity.weight, self.gradient(x, g))

    def _round_weight(self) -> None:
        self._rounded.layer.weight.copy_(self.layer.weight)

    def _single(self, name: str, value: Tensor) -> Tensor:
        return self._buffer(name, value.shape, torch.float32).copy_(value)

    def _buffer(self, name: str, shape: torch.Size, dtype: torch.dtype) -> Tensor:
        held = self._held.get(name)
        if held is None or held.shape != shape:
            held = self._held[name] = self.layer.weight.new_empty(shape, dtype=dtype)
        return held
