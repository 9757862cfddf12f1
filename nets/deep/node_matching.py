"""How far students resemble teachers node by node: correlations, winners and ranks, and blocks of a weight matrix."""

from __future__ import annotations

import torch


def correlation(student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Pearson correlation over samples of every student and teacher activation: (S, B, n), (S, B, m) -> (S, n, m).

    A node that is constant on the samples (dead) has correlation 0 with everything.
    Source: Luck Matters, section 4.2, footnote 1.
    """
    a, b = (f - f.mean(dim=-2, keepdim=True) for f in (student, teacher))
    size_a, size_b = (torch.linalg.vector_norm(f, dim=-2) for f in (a, b))
    scale = size_a[..., :, None] * size_b[..., None, :]
    return torch.where(scale > 0, (a.mT @ b) / torch.where(scale > 0, scale, 1.0), 0.0)


def winners(rho: torch.Tensor) -> torch.Tensor:
    """Index of the student most correlated with each teacher, ``(S, n, m) -> (S, m)``."""
    return rho.argmax(dim=-2)


def mean_best(rho: torch.Tensor) -> torch.Tensor:
    """``rho_bar = mean over teachers of max over students``, ``(S, n, m) -> (S,)``. Source: section 4.2."""
    return rho.amax(dim=-2).mean(dim=-1)


def winner_rank(rho: torch.Tensor, winner: torch.Tensor) -> torch.Tensor:
    """Rank in ``rho (S, n, m)`` of each teacher's ``winner (S, m)`` among the students, scaled to [0, 1], ``(S, m)``.

    0 is first; ties count against the winner. With rho of an early epoch and the winners of the last this is the rank
    whose mean the paper plots. Source: Luck Matters, section 4.2.
    """
    own = rho.gather(-2, winner[..., None, :])
    ahead = (rho >= own).sum(dim=-2) - 1
    return ahead / max(rho.shape[-2] - 1, 1)


def ranks(rho: torch.Tensor) -> torch.Tensor:
    """Rank of every student for every teacher, ``(S, n, m)``: how many others correlate as well or better.

    Integers from 0; divided by n - 1 and taken at the winners they are :func:`winner_rank`.
    """
    ascending = rho.mT.contiguous().sort(dim=-1).values
    below = torch.searchsorted(ascending, rho.mT.contiguous())
    return (rho.shape[-2] - 1 - below).mT


def lucky_nodes(rho: torch.Tensor) -> torch.Tensor:
    """Mask ``(S, n)`` of the students that win at least one teacher."""
    won = torch.zeros(rho.shape[:-1], dtype=torch.bool, device=rho.device)
    return won.scatter(-1, winners(rho), True)


def block_rms(W: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Root mean square of the entries of ``W (S, a, b)`` in a block of masked rows and columns, ``(S,)``.

    NaN where the block is empty.
    """
    inside = (rows[..., :, None] & columns[..., None, :]).to(W.dtype)
    return ((W.square() * inside).sum(dim=(-2, -1)) / inside.sum(dim=(-2, -1))).sqrt()


def effective_number(shares: torch.Tensor) -> torch.Tensor:
    """``(sum_j s_j)^2 / sum_j s_j^2`` of non-negative shares along the last axis.

    n where n are equal and the others zero, 1 where one has all.
    """
    return shares.sum(dim=-1).square() / shares.square().sum(dim=-1)
