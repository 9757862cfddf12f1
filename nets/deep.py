"""Ensembles of deep fully connected students beside fixed teachers of the same depth, trained on fresh samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from dynamics.measures import InputMeasure
from dynamics.settings import number, positive_int
from dynamics.teachers import random_unit, separated
from nets.data import FreshBatches, network_seeds

Array = NDArray[np.float64]


class DeepNetworks:
    """S stacked networks ``f_{l+1} = relu(W_l^T f_l + b_l)``, no ReLU on the last layer.

    ``weights[l] (S, n_l, n_{l+1})``: column j is the fan-in of node j of layer l + 1, row k the fan-out of
    node k of
    layer l. ``biases[l] (S, 1, n_{l+1})`` or None. Raises ValueError where the shapes of the layers do not chain.
    Source: Luck Matters, section 2.
    """

    def __init__(self, weights: Sequence[torch.Tensor], biases: Sequence[torch.Tensor] | None = None) -> None:
        for lower, upper in pairwise(weights):
            if lower.shape[0] != upper.shape[0] or lower.shape[2] != upper.shape[1]:
                raise ValueError(
                    f"weights: expected layers (S, n_l, n_l+1) that chain, got {tuple(lower.shape)} "
                    f"below {tuple(upper.shape)}"
                )
        self.weights = list(weights)
        self.biases = None if biases is None else list(biases)

    @property
    def count(self) -> int:
        """Number of networks S."""
        return int(self.weights[0].shape[0])

    @property
    def widths(self) -> tuple[int, ...]:
        """``(d, n_1, ..., n_L)``: input, hidden layers, output."""
        return (self.weights[0].shape[1], *(W.shape[2] for W in self.weights))

    def parameters(self) -> list[torch.Tensor]:
        return self.weights + (self.biases or [])

    def layer(self, index: int, below: torch.Tensor) -> torch.Tensor:
        """Activations ``(S, B, n_{l+1})`` of one layer on those below; the place of a normalisation, if any."""
        W = self.weights[index]
        z = below @ W if self.biases is None else torch.baddbmm(self.biases[index], below, W)
        return z if index == len(self.weights) - 1 else torch.relu(z)

    def activations(self, x: torch.Tensor) -> list[torch.Tensor]:
        """``[f_1, ..., f_L]`` on inputs ``x (S, B, d)``; the last is the output."""
        below, kept = x, []
        for index in range(len(self.weights)):
            below = self.layer(index, below)
            kept.append(below)
        return kept

    def clone(self) -> DeepNetworks:
        """A copy that shares nothing."""
        biases = None if self.biases is None else [b.clone() for b in self.biases]
        return DeepNetworks([W.clone() for W in self.weights], biases)


def separated_teacher(
    widths: Sequence[int],
    count: int,
    rng: np.random.Generator,
    *,
    bias: bool = False,
    device: str | torch.device = "cpu",
) -> DeepNetworks:
    """Teachers with the authors' discrete entries: ``widths = (d, m_1, ..., m_L)``, fan-ins of unit norm.

    ``bias``: biases U[-1/2, 1/2] before the fan-in *with its bias* is normalised, as in the authors' generator.
    Source: Luck Matters, section 4.2.
    """
    weights, biases = [], []
    for fan_in, nodes in pairwise(widths):
        columns = separated(fan_in, nodes, rng, (count,))
        shift = rng.uniform(-0.5, 0.5, (count, 1, nodes)) if bias else np.zeros((count, 1, nodes))
        length = np.sqrt(1 + shift**2)
        weights.append(torch.tensor(columns / length, device=device))
        biases.append(torch.tensor(shift / length, device=device))
    return DeepNetworks(weights, biases if bias else None)


def over_parameterised(
    teacher: DeepNetworks, factor: int, rng: np.random.Generator, *, luck: float = 0.0, gain: float = 1.0
) -> DeepNetworks:
    """Students ``factor`` times as wide in every hidden layer, of which the first m_l may start near the teacher's.

    Fan-ins are ``gain`` times unit noise; in the block that joins the first m_l nodes to the first m_{l+1} (all
    outputs at the top) the noise is ``colnorm(noise + luck W*_l)``. ``luck = 0`` is random initialisation.
    The top layer has as many nodes as the teacher's. Source: the start of Luck Matters, section 4.2, layer
    by layer.
    """
    factor = positive_int("factor", factor)
    luck = number("luck", luck)
    m = teacher.widths
    n = (m[0], *(factor * width for width in m[1:-1]), m[-1])
    device = teacher.weights[0].device
    weights = []
    for index, own in enumerate(teacher.weights):
        start = random_unit(n[index], n[index + 1], rng, (teacher.count,))
        start[:, : m[index], : m[index + 1]] += luck * own.cpu().numpy()
        start *= gain / np.linalg.norm(start, axis=1, keepdims=True)
        weights.append(torch.tensor(start, device=device))
    biases = None
    if teacher.biases is not None:
        biases = [torch.zeros((teacher.count, 1, W.shape[2]), device=device, dtype=W.dtype) for W in weights]
    return DeepNetworks(weights, biases)


@dataclass(frozen=True)
class DeepRun:
    """Losses ``(records, S)`` at steps ``steps``, each the mean batch loss since the record before."""

    steps: tuple[int, ...]
    losses: Array

    @property
    def finite(self) -> bool:
        return bool(np.all(np.isfinite(self.losses)))


def train_deep(
    students: DeepNetworks,
    teacher: DeepNetworks,
    measure: InputMeasure,
    *,
    lr: float,
    batch_size: int,
    steps: int,
    seed: int | Sequence[int],
    records: int = 20,
    decay_from: float = 1.0,
) -> DeepRun:
    """Plain SGD on ``J = 1/2 mean_b ||f*(x_b) - f(x_b)||^2`` with fresh samples; the students change in place.

    Each network has its own sample stream (see :func:`nets.data.network_seeds`) and never touches another: the loss
    that is differentiated is the sum of theirs. After the fraction ``decay_from`` of the steps the
    learning rate falls
    linearly to zero. Cost O(S B sum_l n_l n_{l+1}) a step. A diverged run has non-finite losses and ends there.
    """
    lr, steps = number("lr", lr, positive=True), positive_int("steps", steps)
    every = max(1, steps // positive_int("records", records))
    own = students.weights[0]
    batches = FreshBatches(
        measure,
        network_seeds(seed, students.count),
        positive_int("batch_size", batch_size),
        device=own.device,
        dtype=own.dtype,
    )
    parameters = students.parameters()
    total = own.new_zeros(students.count)
    marks: list[int] = []
    losses: list[Array] = []
    for step in range(1, steps + 1):
        x = next(batches).mT
        left = (steps - step + 1) / max(steps * (1 - decay_from), 1)
        rate = lr * min(1.0, left) if decay_from < 1 else lr
        total += descend(students, teacher, x, parameters, rate)
        if step % every == 0 or step == steps:
            since = step - (marks[-1] if marks else 0)
            marks.append(step)
            losses.append((total / since).cpu().numpy())
            total.zero_()
            if not np.all(np.isfinite(losses[-1])):
                break
    return DeepRun(tuple(marks), np.array(losses))


def descend(
    students: DeepNetworks,
    teacher: DeepNetworks,
    x: torch.Tensor,
    parameters: Sequence[torch.Tensor],
    rate: float,
) -> torch.Tensor:
    """One step of all networks along the gradient of their own batch loss; returns the losses ``(S,)``."""
    with torch.no_grad():
        target = teacher.activations(x)[-1]
    for parameter in parameters:
        parameter.requires_grad_(True)
    error = target - students.activations(x)[-1]
    losses = 0.5 * error.square().sum(-1).mean(-1)
    gradients = torch.autograd.grad(losses.sum(), parameters)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.requires_grad_(False)
            parameter.sub_(gradient, alpha=rate)
    return losses.detach()
