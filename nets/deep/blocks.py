"""One layer of S networks at work: forward, backward, and the descent of its parameters, by hand.

The networks stand side by side on the channel axis, ``(B, S n)`` or ``(B, S n, h, w)``: one call of torch's kernel
then normalises all of them, and a convolution of all is one grouped convolution. The gradient of a weight matrix is
not stored: the product that makes it adds it to the matrix (or to its momentum), which on large layers saves a third
of the memory traffic; only where that product is in float32 and the matrix in float64 there are two steps. Autograd is
not used.
"""

from __future__ import annotations

import torch
from torch import Tensor

from nets.deep.architecture import Architecture
from nets.deep.layers import BatchNorm, Layer
from nets.deep.rounded_map import LinearMap, RoundedMap
from nets.deep.steps import Step
from nets.products import Products


def side_by_side(x: Tensor) -> Tensor:
    """``(S, B, n, ...)`` as ``(B, S n, ...)``; a view where S = 1."""
    return x.transpose(0, 1).flatten(1, 2)


def stacked(x: Tensor, count: int) -> Tensor:
    """``(B, S n, ...)`` as ``(S, B, n, ...)``; a view."""
    return x.view(x.shape[0], count, -1, *x.shape[2:]).transpose(0, 1)


class Dense:
    """``z = W^T x + b`` of S networks side by side; an image ``(B, S c, h, w)`` is flattened, network by network."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.count = layer.weight.shape[0]
        self._held: dict[str, Tensor] = {}

    def forward(self, x: Tensor, reuse: bool = False) -> Tensor:
        """The values of the map. With ``reuse`` they may stand in a buffer that the next call overwrites."""
        W, b = self.layer.weight, self.layer.bias
        rows = self._rows(x)
        if self.count == 1:
            z = self._buffer("z", x.shape[0], W.shape[2]) if reuse else None
            return torch.mm(rows[0], W[0], out=z) if b is None else torch.addmm(b[0], rows[0], W[0], out=z)
        return side_by_side(torch.bmm(rows, W) if b is None else torch.baddbmm(b[:, None], rows, W))

    def pull_back(self, x: Tensor, g: Tensor) -> Tensor:
        """The gradient at the map's input, in the shape of ``x``, from the gradient ``g`` at its values."""
        W = self.layer.weight
        if self.count == 1:
            # W g^T, then transposed: with MKL a fifth faster than g W^T
            below = torch.mm(W[0], g.mT, out=self._buffer("b", W.shape[1], g.shape[0]))
            return self._buffer("below", g.shape[0], W.shape[1]).copy_(below.mT).view_as(x)
        return side_by_side(torch.bmm(stacked(g, self.count), W.mT)).view_as(x)

    def gradient(self, x: Tensor, g: Tensor) -> Tensor:
        """The gradient of the weights, from the map's input and the gradient ``g`` at its values."""
        rows, columns = self._rows(x), stacked(g, self.count)
        into = self._buffer("gradient", *self.layer.weight.shape)
        if self.count == 1:
            torch.mm(rows[0].mT, columns[0], out=into[0])
            return into
        return torch.bmm(rows.mT, columns, out=into)

    def descend(self, x: Tensor, g: Tensor, step: Step, velocity: Layer | None) -> None:
        """Move the weights by one step along their gradient, which is not stored."""
        step.along_product(
            self.layer.weight,
            None if velocity is None else velocity.weight,
            self._rows(x),
            stacked(g, self.count),
        )

    def _buffer(self, name: str, *shape: int) -> Tensor:
        held = self._held.get(name)
        if held is None or held.shape != shape:
            held = self._held[name] = self.layer.weight.new_empty(shape)
        return held

    def _rows(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[0], self.count, -1).transpose(0, 1)


class Convolution:
    """A valid convolution of S networks side by side, as one convolution with S groups."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.count = layer.weight.shape[0]

    def forward(self, x: Tensor, reuse: bool = False) -> Tensor:
        """The values of the map, always in new memory."""
        bias = None if self.layer.bias is None else self.layer.bias.flatten()
        return torch.nn.functional.conv2d(x, self.layer.weight.flatten(0, 1), bias, groups=self.count)

    def pull_back(self, x: Tensor, g: Tensor) -> Tensor:
        """The gradient at the map's input."""
        return self._backward(x, g, (True, False, False))[0]

    def gradient(self, x: Tensor, g: Tensor) -> Tensor:
        """The gradient of the filters."""
        return self._backward(x, g, (False, True, False))[1].view_as(self.layer.weight)

    def descend(self, x: Tensor, g: Tensor, step: Step, velocity: Layer | None) -> None:
        """Move the filters by one step."""
        step.along(self.layer.weight, None if velocity is None else velocity.weight, self.gradient(x, g))

    def _backward(self, x: Tensor, g: Tensor, wanted: tuple[bool, bool, bool]) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = torch.ops.aten.convolution_backward(
            g,
            x,
            self.layer.weight.flatten(0, 1),
            None,
            (1, 1),
            (0, 0),
            (1, 1),
            False,
            (0, 0),
            self.count,
            wanted,
        )
        return found


class Normaliser:
    """Batch normalisation of S networks side by side, by torch's kernel."""

    def __init__(self, norm: BatchNorm, architecture: Architecture) -> None:
        self._norm = norm
        self._momentum, self._eps = architecture.momentum, architecture.eps
        self._seen: tuple[Tensor, Tensor, Tensor] | None = None

    def evaluate(self, x: Tensor) -> Tensor:
        """With the running statistics."""
        return torch.native_batch_norm(x, *self._arguments(), False, self._momentum, self._eps)[0]

    def forward(self, x: Tensor) -> Tensor:
        """With the statistics of the batch, which also update the running ones."""
        scale, shift, mean, var = self._arguments()
        out, *statistics = torch.native_batch_norm(
            x, scale, shift, mean, var, True, self._momentum, self._eps
        )
        self._seen = (x, statistics[0], statistics[1])
        return out

    def backward(self, g: Tensor, step: Step, velocity: BatchNorm | None) -> Tensor:
        """The gradient at the input; a trained scale and shift take their step."""
        assert self._seen is not None
        x, mean, invstd = self._seen
        scale, _, running_mean, running_var = self._arguments()
        affine = scale is not None
        below, d_scale, d_shift = torch.ops.aten.native_batch_norm_backward(
            g, x, scale, running_mean, running_var, mean, invstd, True, self._eps, (True, affine, affine)
        )
        norm = self._norm
        if norm.scale is not None and norm.shift is not None:
            v_scale, v_shift = (None, None) if velocity is None else (velocity.scale, velocity.shift)
            step.along(norm.scale, v_scale, d_scale.view_as(norm.scale))
            step.along(norm.shift, v_shift, d_shift.view_as(norm.shift))
        return torch.as_tensor(below)

    def _arguments(self) -> tuple[Tensor | None, Tensor | None, Tensor, Tensor]:
        norm = self._norm
        scale = None if norm.scale is None else norm.scale.view(-1)
        shift = None if norm.shift is None else norm.shift.view(-1)
        return (
            scale,
            shift,
            norm.mean.view(-1),
            norm.var.view(-1),
        )  # views: the running ones are updated through them


def linear_map(layer: Layer, products: Products = "own") -> LinearMap:
    """The linear map of a layer with its products as :data:`~nets.products.PRODUCTS` says."""
    kind = Convolution if layer.weight.dim() == 5 else Dense
    if products == "own":
        return kind(layer)
    rounded = Layer(torch.empty_like(layer.weight, dtype=torch.float32))
    return RoundedMap(kind(layer), kind(rounded), forward=products == "float32")


class Block:
    """One layer: its linear map and, below the top, ReLU and normalisation in the order of the architecture."""

    def __init__(
        self, layer: Layer, architecture: Architecture, top: bool, products: Products = "own"
    ) -> None:
        self.layer = layer
        self._map = linear_map(layer, products)
        self._norm = None if layer.norm is None else Normaliser(layer.norm, architecture)
        self._before = architecture.normalisation == "before"
        self._top = top
        self._input: Tensor | None = None
        self._gated: Tensor | None = None

    def pre_activation(self, x: Tensor) -> Tensor:
        """What the ReLU is given, in evaluation mode; at the top, the output."""
        z = self._map.forward(x)
        return self._norm.evaluate(z) if self._norm is not None and self._before else z

    def evaluate(self, x: Tensor) -> Tensor:
        """The layer's values in evaluation mode, from its inputs."""
        return self.after(self.pre_activation(x))

    def after(self, z: Tensor) -> Tensor:
        """The layer's values in evaluation mode, from its pre-activation."""
        if self._top:
            return z
        f = torch.relu(z)
        return f if self._norm is None or self._before else self._norm.evaluate(f)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's values in training mode; what :meth:`backward` needs is remembered."""
        self._input = x
        z = self._map.forward(x, reuse=True)
        if self._top:
            return z
        if self._norm is not None and self._before:
            z = self._norm.forward(z)
        self._gated = torch.relu_(z)
        return self._gated if self._norm is None or self._before else self._norm.forward(self._gated)

    def backward(self, g: Tensor, step: Step, velocity: Layer | None, lowest: bool) -> Tensor | None:
        """One step of the layer's parameters, and the gradient at its inputs.

        Args:
            g: the gradient at the layer's values; overwritten.
            step: the step that the parameters take.
            velocity: their momentum, as a layer; None without.
            lowest: nothing below wants the gradient at the inputs.
        Returns:
            The gradient at the inputs, taken before the weights move; None where ``lowest``.
        """
        v_norm = None if velocity is None else velocity.norm
        if self._norm is not None and not self._before:
            g = self._norm.backward(g, step, v_norm)
        if not self._top:
            assert self._gated is not None
            g = torch.ops.aten.threshold_backward.grad_input(g, self._gated, 0, grad_input=g)
        if self._norm is not None and self._before:
            g = self._norm.backward(g, step, v_norm)
        x = self._input
        assert x is not None
        below = None if lowest else self._map.pull_back(x, g)  # before the weights move
        self._map.descend(x, g, step, velocity)
        if self.layer.bias is not None:
            v_bias = None if velocity is None else velocity.bias
            sums = g.sum((0, *range(2, g.dim())))
            step.along(self.layer.bias, v_bias, sums.view_as(self.layer.bias))
        return below
