"""Eqn 6 as a closed system for deep networks, and the relative error of what it puts in place of expectations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dynamics.arrays import Array
from dynamics.deep.problem import DeepProblem
from dynamics.deep.weights import Weights


@dataclass(frozen=True)
class Closure:
    """What Eqn 6 gives once expectations of products are separated.

    Args:
        field: ``W_l'``, l = 0 .. L-1, of the weights' shapes.
        beta: what stands for ``E[beta_l]``, ``(..., n_l, n_l)``, at index l - 1 for l = 1 .. L-1.
        beta_teacher: what stands for ``E[beta*_l]``, ``(..., n_l, m_l)``, likewise.
    """

    field: list[Array]
    beta: list[Array]
    beta_teacher: list[Array]


def closed(problem: DeepProblem, weights: Weights, means: Sequence[Array]) -> Closure:
    """Eqn 6, ``W_l' = L*_l W*_l H*_{l+1}^T - L_l W_l H_{l+1}`` with ``H = beta o D``, closed from the top downwards:

    ``H_L = I``, ``beta*_l = W_l H*_{l+1} W*_l^T``, ``beta_l = W_l H_{l+1} W_l^T``.

    Expectations of products are separated twice: in Eqn 6 itself (Assumption 1), and in beta, of which
    ``E[W D beta D* W*^T]`` would be the exact form. H* has a row for each student, so it is transposed here; the print
    has no transpose, and its shapes do not multiply.

    Args:
        weights: W_0 .. W_{L-1} of the student.
        means: what :func:`dynamics.deep.sample_means.kernel_means` gives over all samples.
    Cost: O(n^3) a layer.
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


def relative_errors(exact: Sequence[Array], approximate: Sequence[Array]) -> Array:
    """``||approximate - exact|| / ||exact||`` in the Frobenius norm.

    Args:
        exact, approximate: matrices ``(..., a, b)``, pair by pair.
    Returns:
        ``(..., pairs)``; NaN where the exact matrix is zero.
    """
    pairs = list(zip(exact, approximate, strict=True))
    error = np.stack([np.linalg.norm(a - b, axis=(-2, -1)) for a, b in pairs], axis=-1)
    size = np.stack([np.linalg.norm(a, axis=(-2, -1)) for a, _ in pairs], axis=-1)
    return np.asarray(np.divide(error, size, out=np.full_like(error, np.nan), where=size > 0))
