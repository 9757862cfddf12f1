"""Deep problems and flows are checked once, where they are made; the message names the argument."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.ode.steppers.heun_descent import HeunDescent
from luckproof import (
    DeepFlow,
    DeepProblem,
    EmpiricalMeasure,
    IsotropicGaussian,
    TeacherStudent,
    integrate,
    teachers,
)
from tests.test_dynamics.deep.deep_cases import drawn, unit

X = EmpiricalMeasure(np.ones((5, 3)))
TEACHER = (np.ones((3, 2)), np.ones((2, 1)))
STUDENT = (np.ones((3, 4)), np.ones((4, 1)))


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [
        ((TEACHER, STUDENT, IsotropicGaussian(3)), TypeError, "measure: expected an EmpiricalMeasure"),
        ((np.ones((3, 2)), STUDENT, X), TypeError, "teacher: expected a sequence"),
        ((TEACHER, STUDENT[:1], X), ValueError, "student: expected two or more weight matrices, got 1"),
        ((TEACHER, (*STUDENT, np.ones((1, 1))), X), ValueError, "student: expected 2 weight matrices"),
        ((TEACHER, (np.ones((3, 4)), np.ones((5, 1))), X), ValueError, "student: expected 4 rows in W_1"),
        ((TEACHER, (np.ones((2, 4)), np.ones((4, 1))), X), ValueError, "student: expected (inputs, outputs)"),
        ((TEACHER, (np.ones((3, 4)), np.ones((4, 2))), X), ValueError, "student: expected (inputs, outputs)"),
        ((TEACHER, (np.ones((3, 0)), np.ones((0, 1))), X), ValueError, "student: expected W_0 of shape"),
        (
            (TEACHER, (np.ones((3, 4)), np.full((4, 1), np.nan)), X),
            ValueError,
            "student, W_1: expected finite entries, got 4",
        ),
        ((TEACHER, ("no", STUDENT[1]), X), TypeError, "student, W_0: expected an array of real"),
        (
            (TEACHER, STUDENT, EmpiricalMeasure(np.ones((5, 2)))),
            ValueError,
            "measure: expected samples of len",
        ),
        ((TEACHER, STUDENT, X, 1.0), ValueError, "slope: expected a number in [0, 1)"),
        ((TEACHER, STUDENT, X, "0"), TypeError, "slope"),
        ((TEACHER, STUDENT, X, 0.0, True), ValueError, "teacher: expected (0, .., 0, 1)"),
        (
            (TEACHER, STUDENT, EmpiricalMeasure(np.zeros((5, 3))), 0.0, True),
            ValueError,
            "measure: expected samples that end in 1",
        ),
        (
            ((np.ones((2, 3, 2)), TEACHER[1]), (np.ones((3, 3, 4)), STUDENT[1]), X),
            ValueError,
            "leading axes: expected broadcastable",
        ),
    ],
)
def test_problems(arguments: tuple, error: type[Exception], named: str) -> None:
    with pytest.raises(error) as caught:
        DeepProblem(*arguments)
    assert named in str(caught.value)


def test_biases_and_starts() -> None:
    """Biases of the wrong length or number; impossible starts."""
    with pytest.raises(ValueError, match="student_biases: expected 2 vectors"):
        DeepProblem.with_biases(TEACHER, [np.ones(2), np.ones(1)], STUDENT, [np.ones(4)], X)
    with pytest.raises(ValueError, match="teacher_biases: expected 2 entries in b_0"):
        DeepProblem.with_biases(TEACHER, [np.ones(3), np.ones(1)], STUDENT, [np.ones(4), np.ones(1)], X)
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="p_W"):
        DeepProblem.over_parameterised(TEACHER, 2, rng, measure=X, p_W=-1)
    with pytest.raises(ValueError, match="factor"):
        DeepProblem.over_parameterised(TEACHER, 0, rng, measure=X)
    with pytest.raises(ValueError, match="m: expected at most"):
        teachers.separated_layers((1, 9, 1), rng)


def test_flows() -> None:
    """Unknown modulation, another kind of problem, columns that are not unit, no equilibrium for fewer students."""
    problem = DeepProblem(TEACHER, STUDENT, X)
    with pytest.raises(ValueError, match="modulation: expected one of per_sample, separated, got 'exact'"):
        DeepFlow(problem, "exact")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="problem: expected a DeepProblem, got TeacherStudent"):
        DeepFlow(TeacherStudent(np.eye(3), np.eye(3)))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="student: expected unit columns in W_0"):
        DeepFlow(problem, projected=True)
    DeepFlow(unit(problem), projected=True)
    with pytest.raises(ValueError, match="student: expected at least 5 nodes in layer 1"):
        DeepFlow(drawn(0, (3, 5, 2), (3, 4, 2))).equilibrium()


def test_problems_are_copies_that_cannot_be_written_to() -> None:
    W = np.ones((3, 4))
    problem = DeepProblem(TEACHER, (W, STUDENT[1]), X)
    W[0, 0] = 7
    assert problem.student[0][0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        problem.student[0][0, 0] = 7


def test_loss_control_needs_a_loss() -> None:
    """A flow without ``with_loss``, by name and by class; and the solver by itself."""

    class Silent:
        def initial_state(self) -> np.ndarray:
            return np.ones(2)

        def __call__(self, t: float, y: np.ndarray) -> np.ndarray:
            return -y

    for method in ("HeunDescent", HeunDescent):
        with pytest.raises(TypeError, match="method: HeunDescent expects a flow with with_loss"):
            integrate(Silent(), (0.0, 1.0), method=method)
    with pytest.raises(TypeError, match="with_loss"):
        HeunDescent(lambda t, y: -y, 0.0, np.ones(2), 1.0)
    told = pytest.warns(UserWarning, match="no effect for a chosen solver: `jac`")
    with told, pytest.raises(TypeError, match="with_loss"):
        HeunDescent(lambda t, y: -y, 0.0, np.ones(2), 1.0, jac=None)
