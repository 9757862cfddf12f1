"""A problem is validated once, at construction, with one clear error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from luckproof import (
    BiasedGaussian,
    GradientFlow,
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    TwoLayerFlow,
    teachers,
)

UNIT = np.eye(3)[:, :2]
BAD = UNIT.copy()
BAD[0, 0] = np.nan
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"teacher_W": [1.0, 2.0]}, ValueError, r"teacher_W: expected .* shape"),
        ({"teacher_W": "abc"}, TypeError, "teacher_W: expected an array of real numbers"),
        ({"student_W": BAD}, ValueError, "student_W: expected finite entries"),
        ({"student_W": np.zeros((3, 2))}, ValueError, "student_W: expected non-zero columns"),
        ({"student_W": np.eye(4)}, ValueError, "student_W: expected d = 3 rows"),
        ({"student_W": np.ones((3, 0))}, ValueError, "student_W: expected a non-empty"),
        ({"teacher_V": np.ones((3, 1))}, ValueError, r"teacher_V: expected shape \(..., 2, 1\)"),
        (
            {"student_V": np.ones((2, 2)), "teacher_V": np.ones((2, 3))},
            ValueError,
            "student_V: expected shape",
        ),
        ({"measure": IsotropicGaussian(5)}, ValueError, "measure: expected a measure on columns of length 3"),
        ({"measure": "gauss"}, TypeError, "measure: expected an InputMeasure"),
        (
            {"teacher_W": np.ones((2, 3, 2)), "student_W": np.ones((5, 3, 2))},
            ValueError,
            "leading axes: expected broadcastable",
        ),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], error: type[Exception], words: str) -> None:
    """Shape, NaN, zero column, wrong measure: the message names argument, expectation and value."""
    with pytest.raises(error, match=words):
        TeacherStudent(**({"teacher_W": UNIT, "student_W": UNIT} | arguments))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (
            lambda: ProjectedFlow(TeacherStudent(UNIT, 2 * UNIT)),
            "student_W: expected unit columns .* norm of 2",
        ),
        (lambda: TwoLayerFlow(TeacherStudent(2 * UNIT, UNIT)), "teacher_W: expected unit columns"),
        (
            lambda: TwoLayerFlow(TeacherStudent(UNIT, UNIT[:, :1])),
            "student_W: expected at least m = 2 columns",
        ),
        (lambda: ProjectedFlow(TeacherStudent(UNIT[:, :1], UNIT)), "expected n = m = 1 columns"),
        (lambda: ProjectedFlow(TeacherStudent(UNIT, UNIT, np.ones((2, 2)) * 2)), "expected fan-outs of one"),
        (lambda: ProjectedFlow(TeacherStudent(UNIT, UNIT), modulation="x"), "modulation: expected"),  # type: ignore[arg-type]
        (lambda: TeacherStudent.at_angle(UNIT, 4.0, RNG), r"theta0: expected angles in \[0, pi\]"),
        (lambda: TeacherStudent.near_teacher(UNIT, np.ones((2, 1)), 1, RNG), "n: expected at least m = 2"),
        (lambda: TeacherStudent.near_teacher(UNIT, np.ones((2, 1)), 2, RNG, p_W=-1.0), "p_W: expected"),
        (lambda: teachers.orthonormal(2, 3, RNG), "m: expected at most d = 2 orthonormal"),
        (lambda: teachers.random_unit(0, 3, RNG), "d: expected a positive integer, got 0"),
        (lambda: teachers.separated(1, 3, RNG), "m: expected at most 2 separated"),
        (lambda: teachers.polarised(np.ones((2, 2)), -1.0), "p: expected a number >= 0, got -1"),
        (lambda: teachers.thresholded(3, 2, float("inf"), RNG), "threshold: expected a finite"),
    ],
)
def test_flows_and_constructors_say_what_they_need(build: Callable[[], object], words: str) -> None:
    """Unit columns where a flow needs them, a u-set where students pair with teachers, sane sizes."""
    with pytest.raises(ValueError, match=words):
        build()


def test_a_measure_without_gradient_term_is_refused() -> None:
    """The exact gradient flow needs a gradient term; kernels of one's own take the Gaussian's away."""

    class Own(IsotropicGaussian):
        def kernels(self, A, B):
            return super().kernels(A, B)

    problem = TeacherStudent(np.eye(3), np.eye(3), measure=Own(3))
    with pytest.raises(TypeError, match="measure: expected one with a gradient_term, got Own"):
        GradientFlow(problem)


def test_arrays_are_read_only_copies() -> None:
    """Changing the caller's array does not change the problem, nor can the problem's own be changed."""
    given = UNIT.copy()
    problem = TeacherStudent(given, given)
    given[0, 0] = 7.0
    assert problem.teacher_W[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.student_W[0, 0] = 2.0


def test_teachers_are_what_their_names_say() -> None:
    """Orthonormal, unit, separated (distinct directions from the five entries), thresholded, polarised."""
    rng = np.random.default_rng(1)
    W = teachers.orthonormal(7, 4, rng, (3,))
    np.testing.assert_allclose(np.swapaxes(W, -1, -2) @ W, np.broadcast_to(np.eye(4), (3, 4, 4)), atol=1e-14)
    separated = teachers.separated(5, 30, rng)
    cosine = separated.T @ separated
    assert np.all(cosine[~np.eye(30, dtype=bool)] < 1 - 1e-6)
    ratios = np.abs(separated) / np.abs(separated).max(axis=0)
    assert np.all(np.min(np.abs(ratios[..., None] - np.array([0, 0.5, 1.0])), axis=-1) < 1e-12)
    thresholded = teachers.thresholded(6, 3, 2.0, rng)
    gates = BiasedGaussian(6).psi_d(thresholded, thresholded)
    np.testing.assert_allclose(np.diagonal(gates), 0.022750131948179195, rtol=1e-12)
    strong = teachers.polarised(rng.standard_normal((4, 3)), 2.0)
    np.testing.assert_allclose(np.linalg.norm(strong, axis=1), [1, 1 / 4, 1 / 9, 1 / 16])


def test_starts_are_where_they_should_be() -> None:
    """at_angle puts every student at exactly theta0; near_teacher goes to the teacher as p grows."""
    rng = np.random.default_rng(2)
    teacher = teachers.random_unit(6, 4, rng, (2,))
    problem = TeacherStudent.at_angle(teacher, 0.3, rng)
    np.testing.assert_allclose(np.sum(problem.student_W * teacher, axis=-2), np.cos(0.3), rtol=1e-13)
    far = TeacherStudent.near_teacher(teacher, np.ones((4, 2)), 9, rng, p_W=1e6, p_V=1e6)
    np.testing.assert_allclose(far.student_W[..., :4], teacher, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(far.student_V, axis=-1), 1.0)
    assert far.student_W.shape == (2, 6, 9)
