"""Batch normalisation folded away: in evaluation mode it is affine, so the network is a plain ReLU network."""

from __future__ import annotations

from torch import Tensor

from nets.deep.layers import BatchNorm
from nets.deep.networks import DeepNetworks
from nets.matrix_form.layered import LayeredNetwork


def folded(networks: DeepNetworks) -> LayeredNetwork:
    """The same functions as a plain ReLU network on augmented nodes, whose inputs are ``(x, 1)``.

    A normalisation ``a z + c`` before the ReLU goes into the weights below it, ``W diag(a)`` and ``a b + c``. One
    after the ReLU goes into the weights above it, ``diag(a) W`` and ``b + W^T c``: the hidden values are then those
    before the normalisation. Gates are the networks' own either way. Leading axis S. Raises ValueError for a ConvNet.
    """
    architecture = networks.architecture
    if architecture.convolutional:
        raise ValueError("networks: expected fully connected ones, got a ConvNet (its weights are shared)")
    weights, biases = [], []
    below: tuple[Tensor, Tensor] | None = None
    for layer in networks.layers:
        W = layer.weight
        b = W.new_zeros(W.shape[0], W.shape[2]) if layer.bias is None else layer.bias
        if below is not None:
            scale, shift = below
            b = b + (shift[:, None] @ W)[:, 0]
            W = scale[..., None] * W
        below = None
        if layer.norm is not None:
            scale, shift = affine(layer.norm, architecture.eps)
            if architecture.normalisation == "before":
                W, b = W * scale[:, None], b * scale + shift
            else:
                below = scale, shift
        weights.append(W)
        biases.append(b)
    return LayeredNetwork.with_biases(weights, biases)


def affine(norm: BatchNorm, eps: float) -> tuple[Tensor, Tensor]:
    """``a, c (S, n)`` of a normalisation in evaluation mode, ``a z + c``."""
    scale = (norm.var + eps).rsqrt()
    if norm.scale is not None:
        scale = scale * norm.scale
    shift = -norm.mean * scale
    return scale, shift if norm.shift is None else shift + norm.shift
