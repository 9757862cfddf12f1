"""The teachers' own basis: space turned once so that orthonormal teachers are the first coordinate axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dynamics.arrays import Array, Vector
from dynamics.ode.flow import Coordinates, Flow
from dynamics.two_layer.problem import TeacherStudent

ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""Times sqrt(d): entries of ``W*^T W* - I`` up to this are those of teachers that are orthonormal to rounding."""


def teacher_basis(teacher_W: Array) -> Array | None:
    """Orthogonal ``Q`` whose first columns are the teachers, where these are orthonormal to rounding.

    Args:
        teacher_W: (..., d, m).
    Returns:
        (..., d, d) with ``Q^T W* = (I, 0)^T`` to rounding; None where there is none.
    Cost: O(d m^2) an instance, O(d^3) where m < d.
    """
    *_, d, m = teacher_W.shape
    if m > d or np.abs(teacher_W.mT @ teacher_W - np.eye(m)).max() > ROUNDING * math.sqrt(d):
        return None
    if m == d:
        return teacher_W
    Q, R = np.linalg.qr(teacher_W, mode="complete")
    Q[..., :m] *= np.sign(np.diagonal(R, axis1=-2, axis2=-1))[..., None, :]
    return np.asarray(Q)


def in_teacher_basis(
    problem: TeacherStudent, flow_of: Callable[[TeacherStudent], Flow]
) -> Coordinates | None:
    """The flow of a problem in its teachers' own basis, ``W -> Q^T W``, with V as it is.

    The kernels with the teachers are then rows of the students' directions, and ``W* h*`` is ``h*``: of the four matrix
    products of an evaluation two are copies.

    Args:
        problem: teachers and students, and a measure; leading axes are an ensemble.
        flow_of: the flow of a problem turned by ``Q``; its state is W first, and then V where it moves.
    Returns:
        None where the teachers are not orthonormal, the measure is not known to be spherical, or the matrices are too
        small for their products to count.
    """
    spherical = problem.measure.spherical_variance is not None
    Q = teacher_basis(problem.teacher_W) if spherical and _pays(problem) else None
    if Q is None:
        return None
    axes = np.broadcast_to(np.eye(problem.d, problem.m), problem.teacher_W.shape)
    turned = replace(problem, teacher_W=axes, student_W=Q.mT @ problem.student_W)
    shape, size = problem.student_W.shape, problem.student_W.size

    def turn(rotation: Array, y: Vector) -> Vector:
        z = y.copy()
        np.matmul(rotation, y[:size].reshape(shape), out=z[:size].reshape(shape))
        return z

    return Coordinates(flow_of(turned), lambda y: turn(Q.mT, y), lambda z: turn(Q, z))


def _pays(problem: TeacherStudent) -> bool:
    """Whether the products saved take longer than what Python and NumPy take for an evaluation besides."""
    return problem.d * problem.m * problem.n >= LEAST_PRODUCT


LEAST_PRODUCT = 1 << 19
"""Of d m n."""
