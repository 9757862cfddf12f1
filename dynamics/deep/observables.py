"""Observables of a deep flow: correlations with the teacher's nodes, sizes of blocks of weights, conserved balances."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.deep.problem import DeepProblem
from dynamics.deep.sample_means import Piece
from dynamics.deep.weights import Weights

Mask = NDArray[np.bool_]


def hidden_moments(piece: Piece) -> list[Array]:
    """For each hidden layer ``E f``, ``E f*``, ``E f^2``, ``E f*^2``, ``E[f f*^T]``, without constant nodes."""
    real = slice(None, -1) if piece.problem.biased else slice(None)
    found = []
    for ours, theirs in zip(piece.ours.f[1:-1], piece.theirs.f[1:-1], strict=True):
        f, g = ours[..., real], theirs[..., real]
        weighted, weighted_teacher = piece.p * f, piece.p * g
        found += [weighted.sum(-2), weighted_teacher.sum(-2)]
        found += [(weighted * f).sum(-2), (weighted_teacher * g).sum(-2), weighted.mT @ g]
    return found


def correlations(moments: Sequence[Array]) -> list[Array]:
    """Pearson correlation of every student and teacher node, ``(..., n_l, m_l)`` for each hidden layer.

    0 for a node that is constant on the samples (dead). Source: Luck Matters, section 4.2, footnote 1.
    """
    found = []
    for f, g, ff, gg, fg in (moments[i : i + 5] for i in range(0, len(moments), 5)):
        # Rounding gives a constant node a variance of a few ulp of its square, which counts as none.
        floor = 1e-14
        a = np.where(ff - f**2 > floor * ff, ff - f**2, 0.0)
        b = np.where(gg - g**2 > floor * gg, gg - g**2, 0.0)
        size = np.sqrt(a[..., :, None] * b[..., None, :])
        covariance = fg - f[..., :, None] * g[..., None, :]
        found.append(np.divide(covariance, size, out=np.zeros_like(size), where=size > 0))
    return found


def mean_best_correlations(rho: Sequence[Array]) -> Array:
    """``rho_bar``, the mean over a layer's teachers of the best student's correlation: ``(..., hidden layers)``."""
    return np.stack([layer.max(axis=-2).mean(axis=-1) for layer in rho], axis=-1)


def lucky_nodes(rho: Array) -> Mask:
    """Which students have the largest correlation with some teacher node: ``(..., n, m) -> (..., n)``."""
    best = rho.argmax(axis=-2)
    return np.asarray((np.arange(rho.shape[-2])[:, None] == best[..., None, :]).any(axis=-1))


def block_norms(problem: DeepProblem, weights: Weights, rho: Sequence[Array]) -> Array:
    """Root mean square of the entries of each W_l in four blocks: between lucky and unlucky nodes below and above it.

    Inputs and outputs count as lucky; constant nodes are left out.

    Args:
        weights: W_0 .. W_{L-1}.
        rho: correlations of each hidden layer, see :func:`correlations`; they tell which nodes are lucky.
    Returns:
        ``(..., L, below, above)`` with 0 for lucky and 1 for unlucky; NaN where a block is empty.
    Source: Luck Matters, section 3.4 (fan-outs of unlucky to lucky nodes should vanish).
    """
    lead = problem.batch_shape
    # The constant coordinate of the inputs is left out, too: a bias is no weight from a node.
    ends = [
        np.ones((*lead, width), dtype=bool)
        for width in (problem.student_widths[0] - problem.biased, problem.student_widths[-1])
    ]
    masks = [ends[0], *map(lucky_nodes, rho), ends[1]]
    found = []
    for W, (below, above) in zip(weights, pairwise(masks), strict=True):
        squares = W[..., : below.shape[-1], : above.shape[-1]] ** 2
        rows, columns = (np.stack([mask, ~mask], axis=-2).astype(float) for mask in (below, above))
        count = rows.sum(-1)[..., :, None] * columns.sum(-1)[..., None, :]
        total = rows @ squares @ columns.mT
        found.append(np.sqrt(np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)))
    return np.stack(found, axis=-3)


def balances(problem: DeepProblem, weights: Weights) -> list[Array]:
    """``||fan-in||^2 - ||fan-out||^2`` of every hidden node, ``(..., n_l)`` a layer, without constant nodes.

    Gradient flow conserves it for every homogeneous unit; biases count as fan-ins.
    Source: Du, Hu, Lee (2018), Algorithmic regularization in homogeneous models.
    """
    found = []
    for below, above in pairwise(weights):
        fan_in, fan_out = (below**2).sum(axis=-2), (above**2).sum(axis=-1)
        found.append((fan_in - fan_out)[..., :-1] if problem.biased else fan_in - fan_out)
    return found


def balance_drift(problem: DeepProblem, weights: Weights) -> Array:
    """Largest change since the start of a node's balance, ``(..., hidden layers)``."""
    now, start = balances(problem, weights), balances(problem, problem.student)
    return np.stack([np.abs(a - b).max(axis=-1) for a, b in zip(now, start, strict=True)], axis=-1)
