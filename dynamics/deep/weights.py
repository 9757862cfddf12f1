"""Weight matrices of a deep network: that they chain, that two networks fit, and biases as a constant node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dynamics.arrays import Array
from dynamics.validation import broadcast_lead, real_array, shown

Weights = tuple[Array, ...]
"""W_0 .. W_{L-1} of one network, each ``(..., n_l, n_{l+1})``; column j is the fan-in of node j of layer l + 1."""


def widths(weights: Sequence[Array]) -> tuple[int, ...]:
    """``(n_0, .., n_L)``: the inputs, the nodes of every layer, the outputs."""
    return (weights[0].shape[-2], *(W.shape[-1] for W in weights))


def chained(name: str, weights: Any) -> Weights:
    """The weight matrices as float64; raises ValueError or TypeError unless there are two or more that chain."""
    if not isinstance(weights, Sequence) or isinstance(weights, str):
        raise TypeError(f"{name}: expected a sequence of weight matrices, got {type(weights).__name__}")
    if len(weights) < 2:
        raise ValueError(f"{name}: expected two or more weight matrices, got {len(weights)}")
    layers: list[Array] = []
    for level, weight in enumerate(weights):
        W = real_array(f"{name}, W_{level}", weight)
        if W.ndim < 2 or 0 in W.shape:
            raise ValueError(f"{name}: expected W_{level} of shape (..., n, n'), got {W.shape}")
        if layers and W.shape[-2] != layers[-1].shape[-1]:
            raise ValueError(
                f"{name}: expected {layers[-1].shape[-1]} rows in W_{level} as W_{level - 1} has columns, "
                f"got shape {W.shape}"
            )
        layers.append(W)
    return tuple(layers)


def require_same_ends(teacher: Weights, student: Weights, dim: int) -> None:
    """Raise ValueError unless both have one depth, one number of outputs, and inputs of length ``dim``."""
    if len(teacher) != len(student):
        raise ValueError(
            f"student: expected {len(teacher)} weight matrices as the teacher, got {len(student)}"
        )
    ends = [(net[0].shape[-2], net[-1].shape[-1]) for net in (teacher, student)]
    if ends[0] != ends[1]:
        raise ValueError(f"student: expected (inputs, outputs) {ends[0]} as the teacher, got {ends[1]}")
    if dim != ends[0][0]:
        raise ValueError(f"measure: expected samples of length {ends[0][0]}, got {dim}")


def frozen(W: Array, batch: tuple[int, ...]) -> Array:
    """A read-only copy, broadcast to the leading axes ``batch``."""
    full = np.array(np.broadcast_to(W, (*batch, *W.shape[-2:])))
    full.setflags(write=False)
    return full


def augmented(name: str, weights: Any, biases: Any) -> Weights:
    """Weight matrices with the biases as last row and, below the top, the constant node as last column."""
    layers = chained(name, weights)
    if not isinstance(biases, Sequence) or isinstance(biases, str) or len(biases) != len(layers):
        raise ValueError(f"{name}_biases: expected {len(layers)} vectors, one a layer, got {shown(biases)}")
    stacked = []
    for level, (W, bias) in enumerate(zip(layers, biases, strict=True)):
        b = real_array(f"{name}_biases, b_{level}", bias)
        if b.shape[-1:] != W.shape[-1:]:
            raise ValueError(
                f"{name}_biases: expected {W.shape[-1]} entries in b_{level}, got shape {b.shape}"
            )
        batch = broadcast_lead({name: W, f"{name}_biases": b[..., None]}, trailing=2)
        hidden = level < len(layers) - 1
        full = np.zeros((*batch, W.shape[-2] + 1, W.shape[-1] + hidden))
        full[..., :-1, : W.shape[-1]] = W
        full[..., -1, : W.shape[-1]] = b
        if hidden:
            full[..., -1, -1] = 1.0
        stacked.append(full)
    return tuple(stacked)
