"""Eqn 6 closed for deep networks, and how far the closure is from what it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.deep.problem import DeepProblem, Weights


@dataclass(frozen=True)
class Closure:
    """``field[l]``: W_l' by Eqn 6, l = 0 .. L-1; ``beta[l-1]``, ``beta_teacher[l-1]``: the stand-ins for ``E[beta_l]``,
    ``E[beta*_l]``, l = 1 .. L-1."""

    field: list[Array]
    beta: list[Array]
    beta_teacher: list[Array]


def closed(problem: DeepProblem, weights: Weights, means: Sequence[Array]) -> Closure:
    """``W_l' = L*_l W*_l H*_{l+1}^T - L_l W_l H_{l+1}`` with ``H = beta o D`` and, from ``H_L = I`` downwards,

    ``beta*_l = W_l H*_{l+1} W*_l^T``, ``beta_l = W_l H_{l+1} W_l^T``.

    The expectation of a product is separated twice: in Eqn 6 itself (Assumption 1) and in beta, where
    ``E[W D beta D* W*^T]`` would be exact. H* has student rows and enters transposed; printed without, the shapes do
    not multiply. ``means``: of :func:`dynamics.deep.sample_means.kernels`. Cost O(n^3) a layer.
    Source: Luck Matters, Assumption 1 and Theorem 2.
    """
    depth = problem.depth
    L, L_teacher = means[0 : 2 * depth : 2], means[1 : 2 * depth : 2]
    D, D_teacher = means[2 * depth :: 2], means[2 * depth + 1 :: 2]
    H = H_teacher = np.eye(problem.student_widths[-1])
    field: list[Array] = []
    beta: list[Array] = []
    beta_teacher: list[Array] = []
    for level in reversed(range(depth)):
        own, theirs = weights[level], problem.teacher[level]
        field.append(L_teacher[level] @ theirs @ H_teacher.mT - L[level] @ own @ H)
        if level:
            beta.append(own @ H @ own.mT)
            beta_teacher.append(own @ H_teacher @ theirs.mT)
            H, H_teacher = beta[-1] * D[level - 1], beta_teacher[-1] * D_teacher[level - 1]
    return Closure(field[::-1], beta[::-1], beta_teacher[::-1])


def gaps(exact: Sequence[Array], approximate: Sequence[Array]) -> Array:
    """``||approximate - exact|| / ||exact||`` (Frobenius) of each pair of matrices ``(..., a, b)``: ``(..., pairs)``.

    NaN where the exact one is zero.
    """
    pairs = list(zip(exact, approximate, strict=True))
    error = np.stack([np.linalg.norm(a - b, axis=(-2, -1)) for a, b in pairs], axis=-1)
    size = np.stack([np.linalg.norm(a, axis=(-2, -1)) for a, _ in pairs], axis=-1)
    return np.asarray(np.divide(error, size, out=np.full_like(error, np.nan), where=size > 0))
