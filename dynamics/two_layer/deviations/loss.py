"""The population loss as a quadratic form in the deviations: it keeps its digits however small it is."""

from __future__ import annotations

import math

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer.deviations.field import (
    DeviationField,
    Seen,
    kernel_differences,
    kernels_of,
    own_square,
)
from dynamics.two_layer.deviations.pair_differences import own
from dynamics.two_layer.deviations.teacher_columns import Apart, TeacherColumns

# Nodes of Gauss-Legendre on [0, 1]: two, or one where the error of one, scale^2 / 20, does not matter.
_TWO_NODES = (0.5 - 0.5 / math.sqrt(3.0), 0.5 + 0.5 / math.sqrt(3.0))
_ONE_NODE = (0.5,)
_ONE_NODE_BELOW = 1e-6


def loss_of_columns(teacher: TeacherColumns, apart: Apart, fan_outs: Array, variance: float) -> Array:
    """``J / scale^2`` where the fan-outs are the teacher's, as :func:`loss_of_deviations`.

    Args:
        fan_outs: of unit columns, (..., m, c).
    """
    return np.asarray(
        variance / (4.0 * np.pi) * _pairing(second_differences(teacher, apart), fan_outs, fan_outs)
    )


def loss_of_deviations(field: DeviationField, seen: Seen) -> Array:
    """``J / scale^2`` with ``J = 1/2 E||f* - f||^2``, for columns that are near the teacher's.

    With ``f - f* = scale [sum_k v*_k (phi_k - phi*_k) / scale + sum_j e_j phi_j]``, phi the nodes of unit columns and e
    the deviations of their fan-outs, J is a sum over pairs of first and second differences of psi_l, each written so
    that nothing cancels.

    Returns:
        (...).
    Accuracy: the second differences are means of an angle by Gauss's rule; the relative error of two nodes was at most
        1e-7 at angles of 0.1 between students and teachers, and falls with the fourth power.
    Cost: four products of the students' size, and an arccos and an arctan for each pair and node.
    """
    fan_outs, e = seen.teacher_fan_outs, seen.deviations
    loss = loss_of_columns(field.teacher, seen.apart, fan_outs, field.terms.variance)
    if e is None:
        return loss
    nodes = e.shape[-2]  # without the r-set where it has no fan-outs
    total = _pairing(kernels_of(seen.pairs)[..., :nodes], e, e)
    total -= 2.0 * _pairing(kernel_differences(seen.pairs)[..., :nodes], fan_outs, e)
    return np.asarray(loss + field.terms.variance / (4.0 * np.pi) * total)


def _pairing(kernel: Array, left: Array, right: Array) -> Array:
    """``<kernel, left right^T>``."""
    return np.asarray((left * (kernel @ right)).sum(axis=(-2, -1)))


def second_differences(teacher: TeacherColumns, apart: Apart) -> Array:
    """``2 pi E (phi_k - phi*_k)(phi_j - phi*_j) / (s scale)^2`` of unit columns, (..., m, m).

    With ``c(1, t)`` and ``c(0, t)`` the cosines of w_j and of w*_j with ``w*_k + t scale z_k``, and
    ``h(c) = pi - arccos c`` the slope of the kernel in the cosine: the mean over t in [0, 1] of
    ``z_j.z_k h(c(1, t)) + w*_j.z_k [h(c(1, t)) - h(c(0, t))] / scale``.
    """
    z, scale = apart.difference, apart.scale
    onto_teacher = np.asarray(teacher.onto(z))  # (j, k): w*_j.z_k
    from_teacher = np.ascontiguousarray(onto_teacher.mT)
    both = np.matmul(z.mT, z)
    nodes = _ONE_NODE if apart.scales[1] < _ONE_NODE_BELOW else _TWO_NODES
    total = np.zeros(both.shape)
    for t in nodes:
        behind = teacher.cosines + t * scale * from_teacher
        rise = onto_teacher + t * scale * both
        ahead = behind + scale * rise
        half = rise / (_sines(ahead) + _sines(behind))
        angle = np.arccos(np.clip(ahead, -1.0, 1.0, out=ahead), out=ahead)
        total += both * (np.pi - angle)
        total += 2.0 * from_teacher * apart.over_scale(np.arctan, half, scale)
    total *= 1.0 / len(nodes)
    own(total)[...] = 2.0 * own_square(teacher.own_angles(apart), scale[..., 0])
    return total


def _sines(cosine: Array) -> Array:
    sine = 1.0 - cosine * cosine
    np.maximum(sine, np.finfo(np.float64).tiny, out=sine)  # own pairs, overwritten in the end
    return np.asarray(np.sqrt(sine, out=sine))
