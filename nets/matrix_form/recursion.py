"""Theorem 1's recursion: the top-down modulation beta of every layer, sample by sample."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from nets.matrix_form.layered import LayeredNetwork, LayerValues, require_pair, sample_chunks

CHUNK_ELEMENTS = 1 << 22
"""Numbers in one temporary (32 MiB in float64): samples are taken in pieces so small that beta stays below it."""


@dataclass(frozen=True)
class Modulation:
    """beta*(x) and beta(x) of one layer, ``(..., N, n_l, m_l)`` and ``(..., N, n_l, n_l)``."""

    teacher: Tensor
    student: Tensor


def modulations(
    student: LayeredNetwork, teacher: LayeredNetwork, ours: LayerValues, theirs: LayerValues
) -> Iterator[Modulation]:
    """beta of the layers L, L - 1, .., 1 by Eqn 3 as it is printed.

    ``beta*_kk' = sum_jj' w_jk f'_j beta*_jj' f'_j' w*_j'k'`` from ``beta*_L = I``; beta likewise, with both indices
    the student's.

    Args:
        student, teacher: a pair of networks.
        ours, theirs: the values of the student and of the teacher on the same inputs.
    Cost: N n m (n + m) a layer, memory N n (n + m) for the widest: pass few samples at a time. :func:`readouts` is the
        cheap form.
    Source: Luck Matters, Eqn 3.
    """
    top = torch.eye(student.weights[-1].shape[-1]).to(ours.output)
    beta = Modulation(top, top)
    yield beta
    for level in reversed(range(1, student.depth)):
        back = ours.gates[level][..., None, :] * student.weights[level][..., None, :, :]
        down = theirs.gates[level][..., None, :] * teacher.weights[level][..., None, :, :]
        beta = Modulation(back @ beta.teacher @ down.mT, back @ beta.student @ back.mT)
        yield beta


def readouts(network: LayeredNetwork, values: LayerValues) -> Iterator[Tensor]:
    """The factors ``V_l(x) (..., N, C, n_l)`` for l = L, .., 1, with ``f_L = V_l(x) f_l`` at every layer.

    ``V_L = I`` and ``V_l = V_{l+1} D_{l+1} W_l^T`` with D the gates. They factor the modulation, ``beta*_l = V_l^T
    V*_l`` and ``beta_l = V_l^T V_l``: no n x n array a sample is needed.

    Cost: N C n n' a layer.
    Source: Eqn 3 unrolled; Student Specialization, Lemma 1.
    """
    V = torch.eye(network.weights[-1].shape[-1]).to(values.output)
    V = V.expand(*values.output.shape, V.shape[-1])
    yield V
    for level in reversed(range(1, network.depth)):
        V = (V * values.gates[level][..., None, :]) @ network.weights[level][..., None, :, :].mT
        yield V


@dataclass(frozen=True)
class NodeGradients:
    """g_l of one layer, ``(..., N, n_l)``, and ``scale``, the larger of the two sums whose difference it is."""

    gradient: Tensor
    scale: float


def node_gradients(
    student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor, elements: int = CHUNK_ELEMENTS
) -> list[NodeGradients]:
    """Minus the gradient of ``1/2 ||f*(x) - f(x)||^2`` at the pre-activations of layers 1, .., L, by Eqns 2 and 3.

    ``g_j = f'_j [sum_j' beta*_jj' f*_j' - sum_j' beta_jj' f_j']``.

    Args:
        student, teacher: equal depth, inputs and outputs.
        x: ``(..., N, d)``; samples are taken in pieces.
        elements: numbers in one temporary.
    Raises:
        ValueError: the networks do not form a pair.
    Source: Luck Matters, Theorem 1.
    """
    require_pair(student, teacher)
    widest = max(W.shape[-1] for W in student.weights)
    widest *= widest + max(W.shape[-1] for W in teacher.weights)
    pieces = [_gradients_of(student, teacher, part) for part in sample_chunks(x, widest, elements)]
    return [
        NodeGradients(
            torch.cat([layer.gradient for layer in parts], dim=-2), max(layer.scale for layer in parts)
        )
        for parts in zip(*pieces, strict=True)
    ]


def _gradients_of(student: LayeredNetwork, teacher: LayeredNetwork, x: Tensor) -> list[NodeGradients]:
    ours, theirs = student.evaluate(x), teacher.evaluate(x)
    layers = []
    for below, beta in enumerate(modulations(student, teacher, ours, theirs)):
        level = student.depth - below
        pull = (beta.teacher @ theirs.activations[level][..., None])[..., 0]
        push = (beta.student @ ours.activations[level][..., None])[..., 0]
        scale = max(float(pull.abs().max()), float(push.abs().max()))
        layers.append(NodeGradients(ours.gates[level - 1] * (pull - push), scale))
    return layers[::-1]
