"""Ensembles of deep networks, students or teachers, as stacked parameters; fully connected or convolutional."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from dynamics.boundary import checked
from dynamics.memory import check_fits
from dynamics.validation import positive_int
from nets.deep.architecture import Architecture
from nets.deep.blocks import Block, side_by_side, stacked
from nets.deep.layers import BatchNorm, Layer
from nets.devices import require_dtype, resolve_device
from nets.products import Products, require_products
from nets.tensors import floating_tensor


class DeepNetworks:
    """S networks of one architecture, evaluated and trained side by side.

    ``layers``, bottom up, hold all there is of them, as tensors with leading axis S. Column j of a fully connected
    ``weight`` is the fan-in of node j above it, row k the fan-out of node k below. Outside training a network is
    evaluated with its running statistics.

    Args:
        architecture: what all S networks look like.
        layers: one :class:`Layer` for every linear map.
    Raises:
        ValueError: a tensor has not the shape that the architecture asks for.
    Source: Luck Matters, section 2.
    """

    @checked
    def __init__(self, architecture: Architecture, layers: list[Layer]) -> None:
        self.architecture = architecture
        self.layers = layers
        _require_shapes(self)

    @classmethod
    @checked
    def zeros(
        cls,
        architecture: Architecture,
        count: int,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float64,
    ) -> DeepNetworks:
        """Networks to be filled: weights and biases zero, the normalisation the identity.

        Args:
            architecture: of all networks.
            count: number of networks S.
            device: see :func:`nets.devices.resolve_device`.
            dtype: float64 or float32.
        """
        check_fits("count", positive_int("count", count) * architecture.parameters)
        place, kind = torch.device(resolve_device(device)), require_dtype(dtype)

        def full(value: float, *shape: int) -> Tensor:
            return torch.full((count, *shape), value, device=place, dtype=kind)

        layers = []
        for index in range(architecture.depth):
            nodes, hidden = architecture.node_count(index), index < architecture.depth - 1
            norm = None
            if hidden and architecture.normalisation != "none":
                norm = BatchNorm(full(0, nodes), full(1, nodes))
                if architecture.affine:
                    norm.scale, norm.shift = full(1, nodes), full(0, nodes)
            bias = full(0, nodes) if architecture.bias else None
            weight = full(0, *architecture.weight_shape(index))
            layers.append(Layer(weight, bias, norm))
        return cls(architecture, layers)

    @property
    def count(self) -> int:
        """Number of networks S."""
        return int(self.layers[0].weight.shape[0])

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.layers[0].weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the parameters."""
        return self.layers[0].weight.dtype

    @property
    def weights(self) -> list[Tensor]:
        """The weights of every linear map, bottom up."""
        return [layer.weight for layer in self.layers]

    def tensors(self) -> dict[str, Tensor]:
        """Every parameter and running statistic by name.

        ``0.weight, 0.bias, 0.mean, 0.var, 0.scale, 0.shift, 1.weight, ...``, as far as the architecture has them.
        """
        return dict(_named(self.layers))

    def trained(self) -> dict[str, Tensor]:
        """The tensors that gradient descent moves: all but the running statistics."""
        return {
            name: value for name, value in self.tensors().items() if name.split(".")[1] not in ("mean", "var")
        }

    @checked
    def part(self, networks: slice) -> DeepNetworks:
        """Some of the networks; shares their memory."""
        return self._mapped(lambda value: value[networks])

    def clone(self) -> DeepNetworks:
        """A copy that shares nothing."""
        return self._mapped(lambda value: value.clone())

    def to(self, device: str | torch.device, dtype: torch.dtype | None = None) -> DeepNetworks:
        """The same networks elsewhere, or in another precision."""
        place = torch.device(resolve_device(device))
        kind = self.dtype if dtype is None else require_dtype(dtype)
        return self._mapped(lambda value: value.to(place, kind))

    def activations(self, x: Tensor) -> list[Tensor]:
        """The values of every layer in evaluation mode.

        Args:
            x: inputs ``(S, B, *inputs)``, or ``(B, *inputs)`` for all networks.
        Returns:
            ``[f_1, ..., f_L]``, each ``(S, B, n_l[, h, w])``. A hidden layer's is what the layer above is given, after
            the normalisation where that comes last; f_L is the output.
        """
        return [f for _, f in self.traced(x)]

    def traced(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Pre-activation z_l (the input of the ReLU) and value f_l of every layer, shaped as by :meth:`activations`."""
        values = side_by_side(self.expand(x).to(self.dtype))
        kept = []
        for block in self.blocks():
            z = block.pre_activation(values)
            values = block.after(z)
            kept.append((stacked(z, self.count), stacked(values, self.count)))
        return kept

    def output(self, x: Tensor) -> Tensor:
        """The outputs ``(S, B, C)`` in evaluation mode."""
        return self.activations(x)[-1]

    def expand(self, x: Tensor) -> Tensor:
        """``x`` as ``(S, B, *inputs)``; raises ValueError where it is no batch of inputs of these networks."""
        inputs = self.architecture.inputs
        floating_tensor("x", x)
        if x.shape[-len(inputs) :] != inputs or x.dim() - len(inputs) not in (1, 2):
            raise ValueError(f"x: expected (S, B, {', '.join(map(str, inputs))}), got {tuple(x.shape)}")
        if not x.shape[-len(inputs) - 1]:
            raise ValueError(f"x: expected one or more inputs, got {tuple(x.shape)}")
        if x.dim() - len(inputs) == 1:
            x = x.expand(self.count, *x.shape)
        if x.shape[0] != self.count:
            raise ValueError(f"x: expected inputs for {self.count} networks, got {x.shape[0]}")
        return x

    def blocks(self, products: Products = "own") -> list[Block]:
        """The layers as objects that compute with them and change them in place; ``products`` are of their steps."""
        require_products(products, self.dtype)
        top = len(self.layers) - 1
        return [
            Block(layer, self.architecture, index == top, products) for index, layer in enumerate(self.layers)
        ]

    def fingerprint(self) -> str:
        """A hash of the architecture and of every parameter and running statistic: equal only for equal networks."""
        digest = hashlib.sha256(repr(self.architecture).encode())
        for name, value in self.tensors().items():
            digest.update(name.encode())
            digest.update(value.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()[:32]

    def _mapped(self, change: Callable[[Tensor], Tensor]) -> DeepNetworks:
        return DeepNetworks(self.architecture, [_mapped(layer, change) for layer in self.layers])


def _mapped(holder: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A copy of a dataclass of tensors, optional tensors and further such dataclasses."""
    values = {field.name: getattr(holder, field.name) for field in fields(holder)}
    for name, value in values.items():
        if isinstance(value, Tensor):
            values[name] = change(value)
        elif value is not None:
            values[name] = _mapped(value, change)
    return type(holder)(**values)


def _named(layers: list[Layer]) -> Iterator[tuple[str, Tensor]]:
    for index, layer in enumerate(layers):
        yield f"{index}.weight", layer.weight
        if layer.bias is not None:
            yield f"{index}.bias", layer.bias
        if layer.norm is not None:
            for field in fields(layer.norm):
                value = getattr(layer.norm, field.name)
                if value is not None:
                    yield f"{index}.{field.name}", value


def _require_shapes(networks: DeepNetworks) -> None:
    architecture = networks.architecture
    if len(networks.layers) != architecture.depth:
        raise ValueError(f"layers: expected {architecture.depth}, got {len(networks.layers)}")
    for name, value in networks.tensors().items():
        index, kind = int(name.split(".")[0]), name.split(".")[1]
        shape = architecture.weight_shape(index) if kind == "weight" else (architecture.node_count(index),)
        if tuple(value.shape) != (networks.count, *shape):
            raise ValueError(f"{name}: expected shape {(networks.count, *shape)}, got {tuple(value.shape)}")
