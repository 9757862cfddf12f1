"""Where trajectories go, proved: both sides of a basin's boundary, any teachers, and never a guess."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import (
    IsotropicGaussian,
    ProjectedFlow,
    TeacherStudent,
    certify,
    integrate,
    spectral_rate,
    teachers,
    unit_columns,
)

pytest.importorskip("flint")


def turned(a: float) -> TeacherStudent:
    """m = d = 2, each student turned by a towards the other's teacher."""
    return TeacherStudent(np.eye(2), np.array([[np.cos(a), np.sin(a)], [np.sin(a), np.cos(a)]]))


@pytest.mark.parametrize(("below", "limit"), [(0.3, (0, 1)), (0.02, (0, 1)), (-0.02, (1, 0)), (-0.3, (1, 0))])
def test_both_sides_of_the_boundary(below: float, limit: tuple[int, ...]) -> None:
    """The boundary is at pi/4, where the students merge: before it they return, beyond it they swap teachers."""
    proved = certify(turned(np.pi / 4 - below))
    assert proved.certified
    assert proved.limit == limit
    assert proved.late_rate == pytest.approx(0.5 - 1 / (2 * np.pi), abs=1e-5)
    assert 0 < proved.rate < proved.late_rate < 0.5 - 1 / (2 * np.pi)


def test_the_boundary_itself_is_undecided() -> None:
    """Merged students never part: nothing is proved, and the reason is told."""
    found = certify(turned(np.pi / 4), max_steps=60)
    assert not found.certified
    assert found.limit is None
    assert np.isnan(found.rate)
    assert found.reason
    with pytest.raises(ValueError, match="undecided"):
        found.save("nowhere.json")


def test_rest_away_from_the_teachers_is_told() -> None:
    """The antipode is an equilibrium: a start on it rests there."""
    W = np.eye(3, 1)
    found = certify(TeacherStudent(W, -W))
    assert not found.certified
    assert found.reason.startswith("at rest at t = 0, R = 2")


def test_teachers_on_one_line_have_no_basin() -> None:
    """Two equal teachers: the Hessian at the solution is singular, and nothing is proved."""
    W = np.stack([np.eye(3)[0], np.eye(3)[0]], axis=1)
    found = certify(TeacherStudent(W, np.eye(3)[:, :2]))
    assert "no basin is proved around these teachers" in found.reason


def test_the_step_limit_is_told() -> None:
    """Too few steps: undecided, with the number."""
    assert "step limit: 3 steps" in certify(turned(0.6), max_steps=3).reason


@pytest.mark.parametrize(("d", "m", "theta0"), [(5, 3, 0.6), (4, 1, 2.5)])
@pytest.mark.parametrize("draw", [teachers.orthonormal, teachers.random_unit])
def test_the_trajectory_goes_where_it_is_proved_to_go(d: int, m: int, theta0: float, draw: object) -> None:
    """Against an integration; the proved rates are below the measured decay and the spectral rate."""
    problem = TeacherStudent.at_angle(draw(d, m, 1), theta0, 0)  # type: ignore[operator]
    proved = certify(problem)
    assert proved.limit is not None
    flow = ProjectedFlow(problem)
    times = np.array([0.0, proved.time, proved.time + 20.0])
    run = integrate(flow, (0.0, times[-1]), t_eval=times, rtol=1e-10, atol=1e-12)
    goal = problem.teacher_W[:, list(proved.limit)]
    R = [float(np.linalg.norm(unit_columns(run.state["W"][i]) - goal)) for i in (1, 2)]
    assert R[0] <= proved.entry
    assert -np.log(R[1] / R[0]) / 20 > proved.rate
    assert proved.late_rate <= float(np.asarray(spectral_rate(flow))) + 1e-9


def test_the_input_s_variance_is_the_unit_of_time() -> None:
    """Input of standard deviation 2 makes the flow, and with it the rates, four times as fast."""
    start = np.array([[np.cos(0.4), np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    slow, fast = (
        certify(TeacherStudent(np.eye(2), start, measure=IsotropicGaussian(2, s))) for s in (1.0, 2.0)
    )
    assert fast.rate == pytest.approx(4 * slow.rate, rel=1e-12)
    assert fast.time == pytest.approx(slow.time / 4, rel=1e-12)


def test_problems_that_are_not_theorem_4s_are_refused() -> None:
    """Other fan-outs, more students than teachers, an ensemble."""
    W = np.eye(3)
    with pytest.raises(ValueError, match="fan-outs of one"):
        certify(TeacherStudent(W, W, 2 * np.ones((3, 1)), np.ones((3, 1))))
    with pytest.raises(ValueError, match="n = m = 2"):
        certify(TeacherStudent(W[:, :2], W))
    with pytest.raises(ValueError, match="one instance"):
        certify(TeacherStudent(np.stack([W, W]), W))
