"""Whole nodes (channels) removed from deep networks: those that send least to the layer above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from nets.deep.layers import BatchNorm, Layer
from nets.deep.metrics import chunk_size
from nets.deep.networks import DeepNetworks


def contributions(networks: DeepNetworks, x: Tensor) -> list[Tensor]:
    """What every hidden node sends up: the spread of its values times the norm of its fan-out.

    Unchanged when a node is rescaled and its fan-out by the inverse, as the function is. So it compares nodes across a
    batch normalisation, too, where a filter's own norm means nothing.

    Args:
        networks: S networks.
        x: inputs ``(B, *inputs)``; the spread is the standard deviation over them and, in a ConvNet, over positions.
    Returns:
        ``(S, n_l)`` for each hidden layer, bottom up.
    Cost: one evaluation of ``x``.
    """
    spreads = [_Spread() for _ in networks.architecture.widths]
    for part in torch.split(networks.expand(x), chunk_size(networks), dim=1):
        for spread, values in zip(spreads, networks.activations(part), strict=False):
            spread.add(values.double().transpose(1, 2).flatten(2))
    return [spread.value * fan_out_norms(networks, level).double() for level, spread in enumerate(spreads)]


class _Spread:
    """Standard deviation of rows ``(S, n, N)`` that come in parts; 0 exactly for a constant."""

    def __init__(self) -> None:
        self._count = 0
        self._origin: Tensor | None = None
        self._first: Tensor | float = 0.0
        self._second: Tensor | float = 0.0

    def add(self, rows: Tensor) -> None:
        if self._origin is None:
            self._origin = rows[..., :1]
        shifted = rows - self._origin
        self._first = self._first + shifted.sum(-1)
        self._second = self._second + shifted.square().sum(-1)
        self._count += rows.shape[-1]

    @property
    def value(self) -> Tensor:
        mean, second = self._first / self._count, self._second / self._count
        return torch.as_tensor(second - mean**2).clamp_(min=0).sqrt()


def fan_out_norms(networks: DeepNetworks, level: int) -> Tensor:
    """``||v_j||`` of the nodes of hidden layer ``level`` = 0, 1, ..: all weights that read them, ``(S, n)``."""
    above = networks.layers[level + 1].weight
    nodes = networks.architecture.node_count(level)
    by_node = above.transpose(1, 2) if above.dim() == 5 else above.reshape(len(above), nodes, -1)
    return torch.as_tensor(by_node.flatten(2).norm(dim=-1))


def pruned(networks: DeepNetworks, widths: Sequence[int], x: Tensor) -> DeepNetworks:
    """The networks with the strongest nodes of every hidden layer, in their old order.

    Strength is that of :func:`contributions` in the unpruned network; ties go to the earlier node; each network keeps
    nodes of its own. The running statistics of a normalisation stay as they were, though the layers above no longer
    see what they saw: train on before use.

    Args:
        networks: S networks, unchanged.
        widths: how many nodes of every hidden layer stay.
        x: inputs ``(B, *inputs)`` by which strength is measured.
    Raises:
        ValueError: a layer has fewer nodes than asked for.
    """
    architecture = networks.architecture
    if len(widths) != len(architecture.widths) or any(
        not 1 <= kept <= width for kept, width in zip(widths, architecture.widths, strict=False)
    ):
        raise ValueError(f"widths: expected 1 to {architecture.widths} nodes to keep, got {tuple(widths)}")
    strength = contributions(networks, x)
    kept = [
        scores.sort(dim=-1, descending=True, stable=True).indices[:, :width].sort(dim=-1).values
        for scores, width in zip(strength, widths, strict=True)
    ]
    layers = [
        _selected(networks, index, kept[index - 1] if index else None, kept[index : index + 1])
        for index in range(architecture.depth)
    ]
    return DeepNetworks(replace(architecture, widths=tuple(widths)), layers)


def _selected(networks: DeepNetworks, index: int, below: Tensor | None, own: Sequence[Tensor]) -> Layer:
    """Layer ``index`` restricted to the nodes ``below`` it (None: all) and, unless it is the top, to ``own`` nodes."""
    layer = networks.layers[index]
    W = layer.weight
    if W.dim() == 5:
        W = W if below is None else _take(W, below, 2)
        return _narrowed(replace(layer, weight=W), own, 1)
    if below is not None:
        nodes = networks.architecture.node_count(index - 1)
        W = _take(W.reshape(len(W), nodes, -1, W.shape[-1]), below, 1).flatten(1, 2)
    return _narrowed(replace(layer, weight=W), own, 2)


def _narrowed(layer: Layer, own: Sequence[Tensor], axis: int) -> Layer:
    if not own:
        return Layer(layer.weight.clone(), _optional(layer.bias))
    nodes, norm = own[0], layer.norm
    if norm is not None:
        norm = BatchNorm(
            _take(norm.mean, nodes, 1),
            _take(norm.var, nodes, 1),
            _optional(norm.scale, nodes),
            _optional(norm.shift, nodes),
        )
    return Layer(_take(layer.weight, nodes, axis), _optional(layer.bias, nodes), norm)


def _optional(values: Tensor | None, nodes: Tensor | None = None) -> Tensor | None:
    if values is None:
        return None
    return values.clone() if nodes is None else _take(values, nodes, 1)


def _take(values: Tensor, nodes: Tensor, axis: int) -> Tensor:
    """``values (S, ...)`` at each network's own places ``nodes (S, k)`` along ``axis``; a copy."""
    shape = [1] * values.dim()
    shape[0], shape[axis] = nodes.shape
    return values.take_along_dim(nodes.view(shape), axis)
