"""Two-layer students fitted to finite data by gradient descent: labels of a small teacher, or the same shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.two_layer import teachers
from verify.judging import SEED, Instance, fixed, integers, reals


@dataclass(frozen=True)
class LabelledData(Instance):
    """``networks`` data sets of ``samples`` Gaussian inputs in d dimensions, each with two sets of labels.

    Structured: a teacher of m nodes with signs as fan-outs, standardised. Random: the same labels in random order.
    Students: n nodes of norm ``init`` with signs times ``init`` as fan-outs; ``steps`` of gradient descent of ``lr``.
    """

    d: int = fixed(10, integers(1))
    m: int = fixed(2, integers(1))
    n: int = fixed(50, integers(1))
    samples: int = fixed(40, integers(2))
    init: float = fixed(0.1, reals(0.0, 10.0, low_open=True))
    lr: float = fixed(0.1, reals(0.0, 1.0, low_open=True))
    steps: int = fixed(2500, integers(1))
    networks: int = fixed(16, integers(3))
    seed: int = fixed(0, SEED)


@dataclass(frozen=True)
class Fitted:
    """After training, one a network: share of wrong signs, mean squared error, sharpness, effective number of nodes.

    Sharpness: largest eigenvalue of the Hessian of half the mean squared error, taken as the Gram matrix of the
    features (exact where the error is zero). Nodes: participation ratio of ``||w_j|| ||v_j||``.
    """

    wrong: Array
    error: Array
    sharpness: Array
    nodes: Array


@lru_cache(maxsize=8)  # statements and controls look at the same networks
def fitted(instance: LabelledData, *, shuffled: bool) -> Fitted:
    """Train on one of the two sets of labels; inputs and starts are the same for both."""
    rng = np.random.default_rng((instance.seed, 21))
    S, d, n = instance.networks, instance.d, instance.n
    x = rng.standard_normal((S, instance.samples, d))
    nodes = np.stack([teachers.random_unit(d, instance.m, rng) for _ in range(S)])
    y = np.maximum(x @ nodes, 0) @ rng.choice([-1.0, 1.0], (S, instance.m, 1))
    y = (y - y.mean(axis=1, keepdims=True)) / np.maximum(y.std(axis=1, keepdims=True), 1e-12)
    if shuffled:
        y = rng.permuted(y, axis=1)
    start = np.random.default_rng((instance.seed, 22))
    W = torch.as_tensor(instance.init * teachers.random_unit(d, n, start, (S,)))
    V = torch.as_tensor(instance.init * start.choice([-1.0, 1.0], (S, n, 1)))
    return _descend(torch.as_tensor(x), torch.as_tensor(y), W, V, instance)


def _descend(
    x: torch.Tensor, y: torch.Tensor, W: torch.Tensor, V: torch.Tensor, instance: LabelledData
) -> Fitted:
    rate = instance.lr / instance.samples
    with torch.inference_mode():
        for _ in range(instance.steps):
            h = torch.relu(x @ W)
            e = y - h @ V
            back = (e @ V.mT) * (h > 0)
            W = W + rate * (x.mT @ back)
            V = V + rate * (h.mT @ e)
        h = torch.relu(x @ W)
        output = h @ V
        slopes = (x[..., None] * ((h > 0) * V.mT)[:, :, None, :]).flatten(2)
        features = torch.cat([slopes, h], dim=-1)
        size = W.norm(dim=1) * V.norm(dim=2)
        return Fitted(
            wrong=((output > 0) != (y > 0)).double().mean(dim=(1, 2)).numpy(),
            error=(y - output).square().mean(dim=(1, 2)).numpy(),
            sharpness=(torch.linalg.matrix_norm(features, ord=2) ** 2 / instance.samples).numpy(),
            nodes=(size.sum(-1) ** 2 / size.square().sum(-1)).numpy(),
        )
