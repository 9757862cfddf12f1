"""Adversarial and helpful starts: angles, balance and order of the students, and one error for bad input."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import TeacherStudent, adversarial_start, helpful_start, paired_angles, teachers


def teacher(batch: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return teachers.orthonormal(6, 3, rng, batch), teachers.polarised(
        rng.standard_normal((*batch, 3, 4)), 1.0
    )


def angles_to(problem: TeacherStudent, node: int) -> np.ndarray:
    target = np.repeat(problem.teacher_W[..., [node]], problem.n, axis=-1)
    return paired_angles(problem.student_W, target)


@pytest.mark.parametrize("batch", [(), (5,)])
@pytest.mark.parametrize("gap", [1e-9, 0.1, 1.0])
def test_adversarial_students_are_opposite_and_balanced(gap, batch):
    """Every student is at pi - gap from the weakest teacher, with equal norms, and pulled towards it."""
    W, V = teacher(batch)
    problem = adversarial_start(W, V, 4, np.random.default_rng(1), gap=gap, scale=0.01)
    assert problem.student_W.shape == (*batch, 6, 4)
    np.testing.assert_allclose(np.pi - angles_to(problem, -1), gap, rtol=1e-6 if gap < 1e-6 else 1e-13)
    np.testing.assert_allclose(np.linalg.norm(problem.student_W, axis=-2), 0.01, rtol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(problem.student_V, axis=-1), 0.01, rtol=1e-14)
    assert np.all((problem.student_V * V[..., [-1], :]).sum(-1) > 0)


def test_helpers_come_last_and_nearer():
    """The students that were there stay as they were; the helpers are at their angle from the chosen node."""
    rng = np.random.default_rng(2)
    before = adversarial_start(*teacher(), 4, rng, node=0)
    after = helpful_start(before, 2, rng, angle=0.7, node=1)
    np.testing.assert_array_equal(after.student_W[:, :4], before.student_W)
    np.testing.assert_array_equal(after.student_V[:4], before.student_V)
    np.testing.assert_allclose(angles_to(after, 1)[4:], 0.7, rtol=1e-13)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"gap": 0.0}, "gap: expected an angle in"),
        ({"gap": 4.0}, "gap: expected an angle in"),
        ({"n": 0}, "n: expected a positive integer"),
        ({"node": 3}, "node: expected the index of a teacher node"),
        ({"scale": 0.0}, "scale: expected"),
        ({"teacher_V": np.zeros((3, 4))}, "teacher_V: expected a fan-out other than zero"),
    ],
)
def test_bad_input_is_named(changed, named):
    """One error that names the argument."""
    W, V = teacher()
    arguments = {"teacher_W": W, "teacher_V": V, "n": 2, "rng": np.random.default_rng(0)} | changed
    with pytest.raises(ValueError, match=named):
        adversarial_start(**arguments)
