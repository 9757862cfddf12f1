"""A local minimum that is not the teachers is proved where a flow comes to rest, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from dynamics.two_layer.common_angle import CommonAngleFlow
from luckproof import ProjectedFlow, TeacherStudent, integrate, population_loss

pytest.importorskip("flint")

from dynamics.basins.spurious import proved_minimum

M, START = 10, 0.73


@pytest.fixture(scope="module")
def rest() -> np.ndarray:
    """Students at rest: by the flow of their common angle, then by the full flow, which must not leave it."""
    flow = CommonAngleFlow(M, START)
    run = integrate(flow, (0, 500), t_eval=[0, 500], rtol=1e-10, atol=1e-13)
    W = flow.students(flow.pack({name: values[-1] for name, values in run.state.items()}))
    W /= np.linalg.norm(W, axis=0)
    run = integrate(
        ProjectedFlow(TeacherStudent(np.eye(M), W)), (0, 500), t_eval=[0, 500], rtol=1e-12, atol=1e-14
    )
    W = run.state["W"][-1]
    return W / np.linalg.norm(W, axis=0)


def test_the_end_of_a_run_is_near_a_minimum(rest: np.ndarray) -> None:
    """Within 1e-8, with the loss of the students there, which is a fortieth of the worst."""
    proved = proved_minimum(rest, np.eye(M))
    assert proved is not None
    assert proved.radius < 1e-8
    problem = TeacherStudent(np.eye(M), rest)
    loss = float(population_loss(problem, rest, problem.student_V))
    assert 0.02 < proved.loss <= loss * (1 + 1e-9)
    assert proved.loss == pytest.approx(loss, rel=1e-6)
    assert 0.02 < proved.curvature < 0.0229  # its least eigenvalue, found in floats, is 0.0228


def test_nothing_is_proved_beside_it(rest: np.ndarray) -> None:
    """A hundredth away the gradient is too large, and at the start of the run the Hessian is not positive."""
    moved = rest + 0.01 * np.random.default_rng(0).standard_normal(rest.shape)
    assert proved_minimum(moved / np.linalg.norm(moved, axis=0), np.eye(M)) is None
    flow = CommonAngleFlow(M, START)
    assert proved_minimum(flow.students(flow.initial_state()), np.eye(M)) is None
