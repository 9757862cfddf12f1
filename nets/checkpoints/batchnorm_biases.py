"""The biases of batch normalisation in any network's state dict: how many are negative, layer by layer.

After normalisation a pre-activation has mean 0 and variance 1, times the scale gamma, plus the bias beta; a negative
beta shuts the ReLU behind it on more than half of the inputs. Source: Luck Matters, Fig. 6 (v4: Fig. 18).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import ndtr

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.validation import shown

PARTS = ("weight", "bias", "running_mean", "running_var")
"""What marks a prefix as a batch normalisation; layer and group norms have no running statistics."""


@dataclass(frozen=True)
class NormLayer:
    """One batch normalisation of a checkpoint: its ``name``, its scales gamma and biases beta, ``(nodes,)`` each."""

    name: str
    scale: Array
    bias: Array

    @property
    def nodes(self) -> int:
        """Number of normalised nodes (channels)."""
        return int(self.bias.size)

    @property
    def negative(self) -> int:
        """Number of biases below zero."""
        return int((self.bias < 0).sum())

    @property
    def share_negative(self) -> float:
        """Share of biases below zero."""
        return self.negative / self.nodes

    @property
    def open_shares(self) -> Array:
        """``Phi(beta / |gamma|)``: the share of inputs on which a ReLU behind each node is open.

        Assumes that normalised pre-activations are normal and that the ReLU follows directly, as in VGG. Below 1/2
        exactly where beta is negative.
        """
        size = np.abs(self.scale)
        settled = np.where(
            self.bias > 0, np.inf, -np.inf
        )  # where the scale is zero the ReLU's input is the bias
        return np.asarray(ndtr(np.divide(self.bias, size, out=settled, where=size > 0)))


@checked
def norm_layers(state: Mapping[str, torch.Tensor]) -> list[NormLayer]:
    """Every batch normalisation with scale and bias, in the order of ``state``.

    Args:
        state: tensors by name, as :func:`nets.checkpoints.state_dicts.read_state_dict` gives them. A prefix is a
            normalisation where all of ``PARTS`` stand under it, vectors of one length.
    Raises:
        ValueError: there is none, or a scale or bias is not finite.
    """
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise TypeError(f"state: expected tensors by name, got {shown(tensor)} under {shown(name)}")
    layers = [_layer(prefix, state) for prefix in _norms(state)]
    if not layers:
        raise ValueError(
            "state: no batch normalisation with scale and bias found (expected weight, bias, running_mean and "
            f"running_var under one name), got none among {len(state)} tensors{_why(state)}"
        )
    return layers


def has_norms(state: Mapping[str, torch.Tensor]) -> bool:
    """Whether there is a batch normalisation with scale and bias among tensors by name."""
    return bool(_norms(state))


def _norms(state: Mapping[str, torch.Tensor]) -> list[str]:
    """The prefixes under which all parts of a normalisation stand."""
    prefixes = [name.removesuffix("running_mean") for name in state if name.split(".")[-1] == "running_mean"]
    return [prefix for prefix in prefixes if _is_norm(prefix, state)]


def _is_norm(prefix: str, state: Mapping[str, torch.Tensor]) -> bool:
    shapes = {_shape(state.get(prefix + part)) for part in PARTS}
    shape = shapes.pop()
    return not shapes and shape is not None and len(shape) == 1 and shape[0] > 0


def _shape(tensor: torch.Tensor | None) -> tuple[int, ...] | None:
    """None where there is no tensor, or one of parts of several lengths."""
    return None if tensor is None or tensor.is_nested else tuple(tensor.shape)


def _layer(prefix: str, state: Mapping[str, torch.Tensor]) -> NormLayer:
    name = prefix.removesuffix(".") or "(the network itself)"
    scale, bias = (_numbers(name, part, state[prefix + part]) for part in ("weight", "bias"))
    if not (np.isfinite(scale).all() and np.isfinite(bias).all()):
        count = int((~np.isfinite(scale)).sum() + (~np.isfinite(bias)).sum())
        raise ValueError(f"state: {name}: expected finite scales and biases, got {count} NaN or Inf")
    return NormLayer(name, scale, bias)


def _numbers(name: str, part: str, tensor: torch.Tensor) -> Array:
    """A vector of real numbers; a tensor of another kind is refused by name."""
    kinds = {
        "quantised": tensor.is_quantized,
        "complex": tensor.is_complex(),
        "meta": tensor.is_meta,
        "truth-valued": tensor.dtype == torch.bool,
    }
    for kind, found in kinds.items():
        if found:
            raise ValueError(
                f"state: {name}: expected plain numbers in {part}, got a {kind} tensor ({tensor.dtype})"
            )
    dense = tensor.detach() if tensor.layout == torch.strided else tensor.detach().to_dense()
    return dense.to(torch.float64).numpy()


def _why(state: Mapping[str, torch.Tensor]) -> str:
    """What may have become of the normalisations."""
    quantised = any(tensor.is_quantized for tensor in state.values())
    return "; some are quantised, which folds normalisations into the weights" if quantised else ""
