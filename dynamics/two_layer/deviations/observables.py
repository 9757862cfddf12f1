"""What is watched along a run, from the deviations: the observables of two layers without their floor."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.columns import column_dots, norms
from dynamics.two_layer.deviations.field import DeviationField
from dynamics.two_layer.deviations.loss import loss_of_columns, loss_of_deviations
from dynamics.two_layer.deviations.teacher_columns import Apart
from dynamics.two_layer.observables import population_loss
from dynamics.two_layer.problem import TeacherStudent

SMALL = 0.03
"""Distance of unit columns from their teachers up to which the loss is a quadratic form in the deviations.

That form is then off by 1e-8 of itself at most; the loss from kernels is off by some 1e-16 of the teacher's second
moment, 1e-12 of the loss at this distance."""


def small(field: DeviationField, Z: Array, scale: Array) -> Array:
    """Whether every student of the u-set is within :data:`SMALL` of its teacher: (...)."""
    z = Z[..., : field.teacher.m]
    furthest = np.sqrt((column_dots(z, z) / field.teacher.norms**2).max(axis=-1))
    return np.asarray(scale[..., 0, 0] * furthest < SMALL)


def observables_of_deviations(
    field: DeviationField, problem: TeacherStudent, Z: Array, E: Array | None, scale: Array
) -> dict[str, Array]:
    """Those of :func:`dynamics.two_layer.observables.two_layer_observables`, of unit columns where projected.

    Args:
        Z, E, scale: as :class:`DeviationField` takes them; leading axes may come before the problem's.
    Returns:
        ``angle``, ``sin_theta``, fan-out norms of the r-set: accurate to some eps of themselves down to 1e-300;
        ``loss`` to 1e-8 of itself down to 1e-300; ``norm_drift`` to eps.
    """
    apart = field.teacher.apart(Z, scale)
    angle = scale[..., 0] * field.teacher.own_angles(apart)
    V = _fan_outs(field, problem, Z, E, scale)
    length = apart.norms.copy()
    length[..., : field.teacher.m] *= field.teacher.lengths
    return {
        "angle": angle,
        "sin_theta": np.sin(angle),
        "fan_out_norm": _fan_out_norms(field, V, E, scale),
        "norm_drift": length / norms(problem.student_W) - 1,
        "loss": _loss(field, problem, (Z, E, scale), apart, V),
    }


def _fan_outs(
    field: DeviationField, problem: TeacherStudent, Z: Array, E: Array | None, scale: Array
) -> Array:
    if E is None:
        return np.broadcast_to(problem.student_V, (*Z.shape[:-2], problem.n, problem.c))
    V = scale * E
    V[..., : field.teacher.m, :] += field.V
    return np.asarray(V)


def _fan_out_norms(field: DeviationField, V: Array, E: Array | None, scale: Array) -> Array:
    length = np.asarray(np.linalg.norm(V, axis=-1))
    if E is not None and E.shape[-2] > field.teacher.m:  # squares of the r-set's may underflow
        r_set = slice(field.teacher.m, None)
        length[..., r_set] = scale[..., 0] * np.linalg.norm(E[..., r_set, :], axis=-1)
    return length


def _loss(
    field: DeviationField,
    problem: TeacherStudent,
    state: tuple[Array, Array | None, Array],
    apart: Apart,
    V: Array,
) -> Array:
    near = small(field, state[0], state[2])
    far = not near.all()
    if far:
        W = apart.unit if field.terms.projected else apart.unit * apart.norms[..., None, :]
        of_kernels = population_loss(problem, W, V, teacher=field.prepared_teacher(problem.measure))
        if not near.any():
            return of_kernels
    if field.terms.projected and state[1] is None:
        of_deviations = loss_of_columns(field.teacher, apart, field.V, field.terms.variance)
    else:
        of_deviations = loss_of_deviations(field, field.seen(*state))
    scale = apart.scale[..., 0, 0]
    of_deviations = scale * scale * of_deviations
    return np.where(near, of_deviations, of_kernels) if far else of_deviations
