"""Starts that are as bad, or as good, for one teacher node as section 5.3 of the second paper imagines them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.measures.input_measure import InputMeasure
from dynamics.memory import check_fits
from dynamics.two_layer.problem import TeacherStudent, matrix
from dynamics.validation import Randomness, generator, integer, number, positive_int, shown


def turned_from(
    teacher_W: ArrayLike,
    teacher_V: ArrayLike,
    n: int,
    angle: float,
    rng: Randomness,
    *,
    node: int = -1,
    scale: float = 1e-3,
    measure: InputMeasure | None = None,
) -> TeacherStudent:
    """n students at one angle from a teacher node, in uniformly random tangent directions.

    ``||w_k|| = ||v_k|| = scale`` (balanced, Eqn 8), fan-outs along v*_node, so that each student is drawn to the node.

    Args:
        teacher_W, teacher_V: (..., d, m) and (..., m, c).
        n: number of students.
        angle: of every student to the node, radians in [0, pi].
        rng: a seed or a generator.
        node: index of the teacher node; the default, the last one, is the weakest of polarised teachers.
        scale: norm of fan-ins and of fan-outs, > 0.
        measure: of the input, default ``IsotropicGaussian(d)``.
    Raises:
        ValueError, TypeError: an argument outside its range, a node that is not there, or one without fan-out.
    Source: Student Specialization, section 5.3 and Eqn 8.
    """
    n, scale = positive_int("n", n), number("scale", scale, positive=True)
    W, V = matrix("teacher_W", teacher_W), matrix("teacher_V", teacher_V)
    check_fits("n", n * (W.shape[-2] + V.shape[-1]) * math.prod(W.shape[:-2]))
    if not -W.shape[-1] <= integer("node", node) < W.shape[-1]:
        raise ValueError(
            f"node: expected the index of a teacher node of teacher_W {W.shape}, got {shown(node)}"
        )
    if V.shape[-2] != W.shape[-1]:
        raise ValueError(f"teacher_V: expected {W.shape[-1]} rows, one a node, got shape {V.shape}")
    column, fan_out = W[..., [node]], _of_size_one(V[..., [node], :])
    strength = np.linalg.norm(fan_out, axis=-1, keepdims=True)
    if not np.all(strength > 0):
        raise ValueError(f"teacher_V: expected a fan-out other than zero at node {node}, got zeros")
    source = generator("rng", rng, of="turned_from")
    around = TeacherStudent.at_angle(np.repeat(column, n, axis=-1), number("angle", angle), source)
    start_V = np.repeat(scale * fan_out / strength, n, axis=-2)
    return TeacherStudent(W, scale * around.student_W, V, start_V, measure)  # type: ignore[arg-type]


def _of_size_one(rows: Array) -> Array:
    """Rows times a power of two each, exactly, their largest entries in [1/2, 1): norms neither overflow nor vanish."""
    largest = np.abs(rows).max(axis=-1, keepdims=True)
    return np.asarray(np.ldexp(rows, -np.frexp(largest)[1]))


@checked
def adversarial_start(
    teacher_W: ArrayLike,
    teacher_V: ArrayLike,
    n: int,
    rng: Randomness,
    *,
    gap: float = 0.1,
    node: int = -1,
    scale: float = 1e-3,
    measure: InputMeasure | None = None,
) -> TeacherStudent:
    """All n students within ``gap`` of the direction opposite to a teacher node: as slow a start as one likes.

    The flow needs a time like ``2 pi / (||v*|| gap)`` to reach the node.

    Args:
        gap: radians in (0, pi); the other arguments as :func:`turned_from`.
    Raises:
        ValueError, TypeError: as :func:`turned_from`, or a gap outside its range.
    Source: Student Specialization, section 5.3, "Possible slow convergence to weak teacher nodes".
    """
    if not 0 < number("gap", gap) < np.pi:
        raise ValueError(f"gap: expected an angle in (0, pi), got {shown(gap)}")
    return turned_from(teacher_W, teacher_V, n, np.pi - gap, rng, node=node, scale=scale, measure=measure)


@checked
def helpful_start(
    problem: TeacherStudent,
    helpers: int,
    rng: Randomness,
    *,
    angle: float = np.pi / 3,
    node: int = -1,
    scale: float = 1e-3,
) -> TeacherStudent:
    """``problem`` with more students, after those that are there, near a teacher node that they may shift to.

    Args:
        helpers: number of students added; ``angle``, ``rng``, ``node`` and ``scale`` as :func:`turned_from`.
    Raises:
        ValueError, TypeError: as :func:`turned_from`.
    Source: Student Specialization, section 5.3, "The role played by over-realization".
    """
    positive_int("helpers", helpers)
    if not 0 <= number("angle", angle) <= np.pi:
        raise ValueError(f"angle: expected an angle in [0, pi], got {shown(angle)}")
    check_fits("helpers", helpers * (problem.d + problem.c) * math.prod(problem.batch_shape))
    more = turned_from(
        problem.teacher_W,
        problem.teacher_V,
        helpers,
        angle,
        rng,
        node=node,
        scale=scale,
        measure=problem.measure,
    )
    return TeacherStudent(
        problem.teacher_W,
        np.concatenate([problem.student_W, more.student_W], axis=-1),
        problem.teacher_V,
        np.concatenate([problem.student_V, more.student_V], axis=-2),
        problem.measure,
    )
