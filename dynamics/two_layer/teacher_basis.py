"""The teachers' own basis: space turned once so that teachers lie in the span of the first coordinate axes.

Orthonormal teachers are then these axes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dynamics.arrays import Array, Vector
from dynamics.geometry.leading_rows import MOST_ROWS
from dynamics.ode.flow import Coordinates, Flow
from dynamics.two_layer.problem import TeacherStudent

ROUNDING = 8 * float(np.finfo(np.float64).eps)
"""Times sqrt(d): entries of ``W*^T W* - I`` up to this are those of teachers that are orthonormal to rounding."""


def teacher_basis(teacher_W: Array) -> tuple[Array, Array] | None:
    """Orthogonal ``Q`` and the teachers ``Q^T W*``: ``(I, 0)^T``, or ``(R, 0)^T`` with R upper triangular.

    The former where the teachers are orthonormal to rounding, the latter where they are at most half as many as there
    are dimensions: then leaving out the rows of zeros pays.

    Args:
        teacher_W: (..., d, m).
    Returns:
        (..., d, d) and (..., d, m); None where there is no such basis.
    Cost: O(d m^2) an instance, O(d^3) where m < d.
    """
    *_, d, m = teacher_W.shape
    if m > d:
        return None
    axes = np.broadcast_to(np.eye(d, m), teacher_W.shape)
    orthonormal = np.abs(teacher_W.mT @ teacher_W - np.eye(m)).max() <= ROUNDING * math.sqrt(d)
    if orthonormal and m == d:
        return teacher_W, axes
    if not orthonormal and m > MOST_ROWS * d:
        return None
    Q, R = np.linalg.qr(teacher_W, mode="complete")
    if not orthonormal:
        return np.asarray(Q), np.asarray(np.triu(R))
    Q[..., :m] *= np.sign(np.diagonal(R, axis1=-2, axis2=-1))[..., None, :]
    return np.asarray(Q), axes


def in_teacher_basis(
    problem: TeacherStudent, flow_of: Callable[[TeacherStudent], Flow]
) -> Coordinates | None:
    """The flow of a problem in its teachers' own basis, ``W -> Q^T W``, with V as it is.

    Where teachers are orthonormal the kernels with them are then rows of the students' directions, and ``W* h*`` is
    ``h*``: of the four matrix products of an evaluation two are copies. Others have m rows in place of d in these two.

    Args:
        problem: teachers and students, and a measure; leading axes are an ensemble.
        flow_of: the flow of a problem turned by ``Q``; its state is W first, and then V where it moves.
    Returns:
        None where there is no such basis (:func:`teacher_basis`), the measure is not known to be spherical, or the
        matrices are too small for their products to count.
    """
    spherical = problem.measure.spherical_variance is not None
    found = teacher_basis(problem.teacher_W) if spherical and _pays(problem) else None
    if found is None:
        return None
    Q, teacher_W = found
    turned = replace(problem, teacher_W=teacher_W, student_W=Q.mT @ problem.student_W)
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
