"""Whatever draws takes a seed or a generator: one seed, one array, and things of different kinds independent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dynamics.two_layer.critical.critical_points import SplitPlan, dyadic_teacher
from luckproof import (
    Array,
    Box,
    DeepProblem,
    EmpiricalMeasure,
    TeacherStudent,
    adversarial_start,
    helpful_start,
    split_teacher,
    teachers,
)

W, V = np.eye(6)[:, :3], np.eye(3)
SAMPLES = EmpiricalMeasure(np.eye(6))
LAYERS = (W, V)
NETWORK = dyadic_teacher(Box.cube(2), 2, 1, np.random.default_rng(0))

DRAWN: dict[str, Callable[[Any], Array]] = {
    "orthonormal": lambda rng: teachers.orthonormal(6, 3, rng),
    "random_unit": lambda rng: teachers.random_unit(6, 3, rng),
    "separated": lambda rng: teachers.separated(6, 3, rng),
    "separated_entries": lambda rng: teachers.separated_entries(6, 3, rng),
    "separated_layers": lambda rng: teachers.separated_layers((6, 3, 3), rng)[1],
    "thresholded": lambda rng: teachers.thresholded(6, 3, 0.5, rng),
    "at_angle": lambda rng: TeacherStudent.at_angle(W, 0.4, rng).student_W,
    "near_teacher": lambda rng: TeacherStudent.near_teacher(W, V, 4, rng).student_W,
    "adversarial_start": lambda rng: adversarial_start(W, V, 2, rng).student_W,
    "helpful_start": lambda rng: helpful_start(TeacherStudent(W, W, V, V), 2, rng).student_W,
    "over_parameterised": lambda rng: DeepProblem.over_parameterised(LAYERS, 2, rng, measure=SAMPLES).student[0],
    "split_teacher": lambda rng: split_teacher(NETWORK, Box.cube(2), SplitPlan(copies=3), rng).student.V,
}  # fmt: skip


@pytest.mark.parametrize("name", DRAWN)
def test_a_seed_gives_the_same_array_again(name: str) -> None:
    """One seed one array, another seed another; a generator is used up as before."""
    draw = DRAWN[name]
    np.testing.assert_array_equal(draw(3), draw(np.int64(3)))
    assert not np.array_equal(draw(3), draw(4))
    rng, again = np.random.default_rng(5), np.random.default_rng(5)
    first, second = draw(rng), draw(rng)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, draw(again))


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("bad", [-1, 1.5, True, None, "0", np.random], ids=lambda bad: str(bad)[:9])
def test_anything_else_is_named(name: str, bad: object) -> None:
    """A bad seed is an error that names the argument: no global state, no silent draw."""
    with pytest.raises((TypeError, ValueError), match="rng: expected a"):
        DRAWN[name](bad)


def test_start_and_teacher_of_one_seed_are_independent() -> None:
    """With the same numbers behind both, a start would turn along its own teacher, a direction lost to rounding."""
    draws = [
        (
            teachers.random_unit(6, 3, seed),
            TeacherStudent.at_angle(W, np.pi / 2, seed).student_W,
            teachers.orthonormal(6, 3, seed),
            teachers.thresholded(6, 3, 0.0, seed)[:-1],
        )
        for seed in range(400)
    ]
    for a in range(4):
        for b in range(a):
            cosines = [
                float((draw[a] * draw[b]).sum() / np.linalg.norm(draw[a]) / np.linalg.norm(draw[b]))
                for draw in draws
            ]
            assert abs(np.mean(cosines)) < 6 * np.std(cosines) / np.sqrt(len(draws))
            assert np.std(cosines) < 0.4  # of two independent directions in 18 dimensions: 0.24
