"""Which hidden nodes to keep: scores by fan-out, fan-in and optimal brain damage, and the nodes they choose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dynamics.arrays import Array
from dynamics.geometry.angles import norms
from dynamics.two_layer.problem import TeacherStudent
from dynamics.validation import integer


def by_fan_out(W: Array, V: Array) -> Array:
    """``||v_j||``, the node's top-down modulation: (..., d, n), (..., n, c) -> (..., n)."""
    return np.asarray(np.linalg.norm(V, axis=-1))


def by_fan_in(W: Array, V: Array) -> Array:
    """``||w_j||``, the weight norm of the filter."""
    return norms(W)


def by_contribution(W: Array, V: Array) -> Array:
    """``||w_j|| ||v_j||``: unchanged when a node is rescaled to (a w_j, v_j / a), as the function is."""
    return by_fan_in(W, V) * by_fan_out(W, V)


def brain_damage_saliency(problem: TeacherStudent, W: Array, V: Array) -> Array:
    """Optimal brain damage for a node: ``1/2 sum_i H_ii theta_i^2`` over its fan-out.

    The Hessian of the population loss in v_j is ``psi_l(w_j, w_j) I``, so the saliency is ``1/2 psi_l(w_j, w_j)
    ||v_j||^2``: the diagonal of Gauss-Newton and of the full Hessian alike, at any weights. Where the loss is zero it
    is exactly the loss after removing that node.

    Args:
        problem: whose measure gives psi_l.
        W, V: student weights ``(..., d, n)`` and ``(..., n, c)``.
    Returns:
        ``(..., n)``.
    Source: LeCun, Denker and Solla (1990), for the loss of Luck Matters, Eqn 1.
    """
    second_moment = np.diagonal(problem.measure.psi_l(W, W), axis1=-2, axis2=-1)
    return np.asarray(0.5 * second_moment * np.sum(V**2, axis=-1))


def keep_best(scores: Array, k: int) -> NDArray[np.intp]:
    """Indices of the ``k`` largest scores, best first, ``(..., k)``; ties go to the earlier node."""
    if not 1 <= integer("k", k) <= scores.shape[-1]:
        raise ValueError(f"k: expected between 1 and {scores.shape[-1]} nodes to keep, got {k}")
    return np.argsort(-scores, axis=-1, kind="stable")[..., :k]


def select_nodes(W: Array, V: Array, nodes: NDArray[np.intp]) -> tuple[Array, Array]:
    """``W (..., d, k)`` and ``V (..., k, c)`` of the chosen ``nodes (..., k)``."""
    return (
        np.take_along_axis(W, nodes[..., None, :], axis=-1),
        np.take_along_axis(V, nodes[..., :, None], axis=-2),
    )
