"""The parameters of one layer of many networks, as stacked tensors."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass
class BatchNorm:
    """Batch normalisation of S networks: running statistics, and a trained scale and shift if any; ``(S, n)`` each."""

    mean: Tensor
    var: Tensor
    scale: Tensor | None = None
    shift: Tensor | None = None


@dataclass
class Layer:
    """One linear map of S networks, ``weight (S, n_l, n_{l+1})`` or ``(S, out, in, k, k)``, ``bias (S, n_{l+1})``."""

    weight: Tensor
    bias: Tensor | None = None
    norm: BatchNorm | None = None
