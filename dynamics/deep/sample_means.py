"""Means over samples of quantities of two deep networks, added up over pieces of the samples: memory is bounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dynamics.arrays import Array
from dynamics.deep.problem import DeepProblem, atoms_of
from dynamics.deep.weights import Weights

CHUNK_ELEMENTS = 1 << 21
"""Numbers in the temporaries of one piece of the samples: 16 MiB. A piece holds one sample at least."""


@dataclass(frozen=True)
class Layers:
    """One network on N samples: ``f[l]`` is f_l, l = 0 .. L, ``gates[l]`` the gate of layer l + 1 < L.

    Shapes ``(..., N, n_l)`` and ``(..., N, n_{l+1})``; the top has no gate.
    """

    f: tuple[Array, ...]
    gates: tuple[Array, ...]


def evaluate(weights: Weights, x: Array, slope: float) -> Layers:
    """All activations and gates on ``x (N, d)``. Cost O(N n n') a layer."""
    f, gates = [x], []
    for W in weights[:-1]:
        z = f[-1] @ W
        gate = np.where(z > 0, 1.0, slope)
        gates.append(gate)
        f.append(gate * z)
    f.append(f[-1] @ weights[-1])
    return Layers(tuple(f), tuple(gates))


class Piece:
    """Some of the samples, ``x (N, d)``, with their weights ``p (N, 1)``, and both networks on them, when asked for."""

    def __init__(self, problem: DeepProblem, weights: Weights, x: Array, p: Array) -> None:
        self.problem, self.weights, self.x, self.p = problem, weights, x, p

    @cached_property
    def ours(self) -> Layers:
        return evaluate(self.weights, self.x, self.problem.slope)

    @cached_property
    def theirs(self) -> Layers:
        return evaluate(self.problem.teacher, self.x, self.problem.slope)


Term = Callable[[Piece], list[Array]]
"""The part that one piece contributes to some means over all samples."""


def over_samples(problem: DeepProblem, weights: Weights, *terms: Term, extra: int = 0) -> list[list[Array]]:
    """The means of each term over the measure, added up piece by piece.

    Args:
        weights: W_0 .. W_{L-1} of the student.
        terms: each gives a list of arrays for a piece; all are evaluated in one pass.
        extra: numbers a sample and instance that the terms need beyond activations, gates and one backward pass of
            both networks. A piece has as many samples as keep all of them below :data:`CHUNK_ELEMENTS`.
    Returns:
        For each term its list of arrays, summed over all pieces.
    """
    widths = 3 * sum(W.shape[-1] for W in weights) + 2 * sum(problem.teacher_widths[1:])
    per_sample = math.prod(problem.batch_shape) * (widths + extra)
    totals: list[list[Array]] = [[] for _ in terms]
    for x, p in _pieces(problem, max(1, CHUNK_ELEMENTS // per_sample)):
        piece = Piece(problem, weights, x, p)
        for total, term in zip(totals, terms, strict=True):
            found = term(piece)
            total[:] = [a + b for a, b in zip(total, found, strict=True)] if total else found
    return totals


def _pieces(problem: DeepProblem, size: int) -> Iterator[tuple[Array, Array]]:
    samples, p = atoms_of(problem.measure)
    for start in range(0, len(samples), size):
        x = samples[start : start + size]
        yield x, (np.full(len(x), 1 / len(samples)) if p is None else p[start : start + size])[:, None]


def loss_and_descent(piece: Piece) -> list[Array]:
    """``[J, -dJ/dW_0, .., -dJ/dW_{L-1}]``: the loss and minus its gradient, by Theorem 1 with per-sample beta.

    ``g_l = f'_l [sum beta*_l f*_l - sum beta_l f_l]`` with ``beta*_l = V_l^T V*_l``, ``beta_l = V_l^T V_l``. Since
    ``V_l f_l = f_L`` at every layer, ``g_l = f'_l V_l^T (f* - f)``: back-propagation, in which no beta is formed.
    Source: Luck Matters, Theorem 1.
    """
    ours, weights = piece.ours, piece.weights
    residual = piece.theirs.f[-1] - ours.f[-1]
    weighted = piece.p * residual
    loss = 0.5 * (residual * weighted).sum(axis=(-2, -1))
    g, found = weighted, []
    for level in reversed(range(len(weights))):
        found.append(ours.f[level].mT @ g)
        if level:
            g = ours.gates[level - 1] * (g @ weights[level].mT)
    return [loss, *found[::-1]]


def kernel_means(piece: Piece) -> list[Array]:
    """``E[f_l f_l^T]``, ``E[f_l f*_l^T]`` (L, L*) for l < L, then the same of the gates (D, D*) for l = 1 .. L-1."""
    found = []
    for ours, theirs in ((piece.ours.f[:-1], piece.theirs.f[:-1]), (piece.ours.gates, piece.theirs.gates)):
        for a, b in zip(ours, theirs, strict=True):
            weighted = (piece.p * a).mT
            found += [weighted @ a, weighted @ b]
    return found


def modulation_means(piece: Piece) -> list[Array]:
    """``E[beta_l]``, ``E[beta*_l]`` for l = 1 .. L-1 from the factors ``V_l(x) (..., N, C, n_l)``.

    ``V_{L-1} = W_{L-1}^T`` for all x, ``V_l = V_{l+1} D_{l+1} W_l^T``; never an n x n array per sample. Needs
    :func:`modulation_elements` numbers a sample. Cost N C n n' a layer. Source: Luck Matters, Eqn 3 unrolled.
    """
    share = piece.p.sum()
    ours, theirs = piece.weights[-1], piece.problem.teacher[-1]
    found = [share * ours @ ours.mT, share * ours @ theirs.mT]
    V, V_teacher = ours.mT[..., None, :, :], theirs.mT[..., None, :, :]
    for level in reversed(range(1, len(piece.weights) - 1)):
        V = _handed_down(V, piece.ours.gates[level], piece.weights[level])
        V_teacher = _handed_down(V_teacher, piece.theirs.gates[level], piece.problem.teacher[level])
        left = _flat(piece.p[..., None] * V).mT
        found = [left @ _flat(V), left @ _flat(V_teacher), *found]
    return found


def modulation_elements(problem: DeepProblem) -> int:
    """Numbers a sample that :func:`modulation_means` has alive at once: four factors of the widest layers."""
    widest = max(problem.student_widths[1:-1]) + max(problem.teacher_widths[1:-1])
    return 2 * problem.student_widths[-1] * widest


def _handed_down(V: Array, gate: Array, W: Array) -> Array:
    return np.asarray((V * gate[..., None, :]) @ W.mT[..., None, :, :])


def _flat(V: Array) -> Array:
    """``(..., N, C, n) -> (..., N C, n)``."""
    return V.reshape(*V.shape[:-3], -1, V.shape[-1])
