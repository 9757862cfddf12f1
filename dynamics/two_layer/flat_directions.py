"""Flat directions at a solution of a two-layer problem, counted from which nodes share a line and which are silent.

A step ``(dW, dV)`` is flat where it leaves the student's function as it is. Along a step that function changes by
``sum_j 1(w_j.x > 0) A_j x`` with ``A_j = v_j dw_j^T + dv_j w_j^T`` (c, d). Of such functions, the parts with kinks at
different hyperplanes are independent, and ``1(w.x > 0) = 1/2 + sign(w.x) / 2``. So a step is flat where, line by line
of nodes with one kink, ``sum_j sign_j A_j = 0``, and over all nodes ``sum_j A_j = 0``.

A node alone on its line with a fan-out has ``A_j = 0``, which leaves it no step along which w_j turns (the exchange of
scale between w_j and v_j where neither is fixed). Steps are free at silent nodes and among nodes that share a line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.angles import angle_pair
from dynamics.geometry.columns import unit_columns

SILENT = 1e-7
"""A fan-out up to this share of the largest is none: its node turns at a rate of the square of it, below rounding. In
the same way, singular values of the conditions on unit columns and unit fan-outs up to this are zero."""

ONE_LINE = 4 * float(np.finfo(np.float64).eps)
"""Nodes nearer to one line than this are on it: a column's direction is known to one and a half ``eps``."""


def flat_directions(W: Array, V: Array, *, projected: bool, trains_V: bool) -> NDArray[np.int64]:
    """Number of flat directions at a state, for an input that sees every kink.

    Args:
        W, V: fan-ins (..., d, n) and fan-outs (..., n, c) of a state in which the student is the teacher's function.
        projected: whether columns move along their spheres only.
        trains_V: whether V moves.
    Returns:
        (...), integers.
    Cost: O(n^2 d), and for nodes that share lines a singular value decomposition of their steps; instances in which
        every node has a line of its own and a fan-out take no loop.
    """
    size = np.linalg.norm(V, axis=-1)
    silent = size <= SILENT * size.max(axis=-1, keepdims=True)
    d = W.shape[-2]
    turning = d - 1 if projected else d
    exchanges = 0 if projected or not trains_V else 1
    count = np.array(np.where(silent, turning, exchanges).sum(axis=-1))
    near = np.minimum(*angle_pair(W, W)) <= ONE_LINE
    shared = near.sum(axis=-1) > 1
    for index in map(tuple, np.argwhere(shared.any(axis=-1))):
        nodes = shared[index]
        alone = np.where(silent[index], turning, exchanges)[nodes].sum()
        count[index] += _among_shared(
            W[index][:, nodes],
            np.where(silent[index], 0.0, 1.0)[nodes, None] * V[index][nodes],
            near[index][np.ix_(nodes, nodes)],
            projected=projected,
            trains_V=trains_V,
        )
        count[index] -= alone
    return np.asarray(count, dtype=np.int64)


def _among_shared(W: Array, V: Array, near: NDArray[np.bool_], *, projected: bool, trains_V: bool) -> int:
    """Flat directions among nodes that share lines, W (d, k), V (k, c): steps less the rank of their conditions."""
    W = unit_columns(W)
    size = np.linalg.norm(V, axis=-1, keepdims=True)
    V = np.divide(V, size, out=np.zeros_like(V), where=size > 0)
    lines = _lines(near)
    sign = np.ones(W.shape[1])
    for line in lines:
        sign[line] = np.where(W[:, line[0]] @ W[:, line] < 0, -1.0, 1.0)
    rows = []
    for node in range(W.shape[1]):
        for A in _changes(W[:, node], V[node], projected=projected, trains_V=trains_V):
            kinks = [sign[node] * A * (node in line) for line in lines]
            rows.append(np.concatenate([*(kink.ravel() for kink in kinks), A.ravel()]))
    values = np.linalg.svd(np.array(rows), compute_uv=False)
    return len(rows) - int(np.sum(values > SILENT))


def _changes(w: Array, v: Array, *, projected: bool, trains_V: bool) -> list[Array]:
    """``A = v dw^T + dv w^T`` for each step of one node, the matrices (c, d)."""
    d, c = len(w), len(v)
    turns = np.linalg.svd(w[None])[2][1:] if projected else np.eye(d)
    found = [np.outer(v, dw) for dw in turns]
    return found + [np.outer(dv, w) for dv in np.eye(c)] if trains_V else found


def _lines(near: NDArray[np.bool_]) -> Sequence[NDArray[np.intp]]:
    """The nodes of each line: a node belongs to the first line of which it is near the first node."""
    left, lines = list(range(len(near))), []
    while left:
        line = [node for node in left if near[left[0], node]]
        lines.append(np.array(line))
        left = [node for node in left if node not in line]
    return lines
