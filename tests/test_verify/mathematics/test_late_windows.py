"""Windows of late decay: how far they are from nonlinearity, and how long they must be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luckproof import CannotJudgeError, ProjectedFlow, TeacherStudent, TwoLayerFlow, teachers
from verify.luckmatters.theorem5_networks import OverparameterisedNetworks, assumptions, solution_of
from verify.mathematics.late_training import QUANTILE, RESOLUTION, Training, nonlinearity, window_of
from verify.mathematics.tangent_modes import DENSE_LIMIT, Modes, modes_of, settled
from verify.mathematics.tangent_network import TangentNetwork

pytestmark = pytest.mark.statement("luckmatters.theorem4.networks")


@settings(max_examples=25)
@given(
    d=st.integers(2, 8),
    m=st.integers(1, 5),
    size=st.sampled_from((1e-3, 1e-2, 0.1)),
    seed=st.integers(0, 10_000),
)
def test_the_field_is_as_near_its_linearisation_as_said(d: int, m: int, size: float, seed: int) -> None:
    """``||F(W) + H delta|| <= c ||delta|| max ||delta_j||`` at random states near random teachers."""
    rng = np.random.default_rng(seed)
    problem = TeacherStudent.at_angle(teachers.random_unit(d, m, rng), size, rng)
    flow = ProjectedFlow(problem)
    velocity = flow.unpack(flow(0.0, flow.initial_state()))["W"]
    tangent = TangentNetwork.at_solution(problem, problem.student_W, problem.student_V, trains_V=False)
    delta = tangent.deviation(problem.student_W, problem.student_V)
    moved = tangent.tangent(tangent.flat(velocity, problem.student_V))
    gap = np.linalg.norm(moved + tangent.shrink(delta))
    assert gap <= nonlinearity(problem) * np.linalg.norm(delta) * size


@settings(max_examples=25)
@given(size=st.sampled_from((1e-4, 1e-3, 1e-2)), c=st.integers(1, 3), seed=st.integers(0, 10_000))
def test_also_where_fan_outs_move(size: float, c: int, seed: int) -> None:
    """The same with V trained and irrelevant nodes beside the relevant ones."""
    rng = np.random.default_rng(seed)
    nodes, V = teachers.random_unit(5, 4, rng), teachers.random_unit(c, 4, rng).T
    W = TeacherStudent.at_angle(nodes, size, rng).student_W.copy()
    W[:, 2:] = nodes[:, 2:]
    start_V = np.concatenate([V[:2], np.zeros((2, c))]) + size * teachers.random_unit(c, 4, rng).T
    problem = TeacherStudent(nodes[:, :2], W, V[:2], start_V)
    flow = TwoLayerFlow(problem)
    velocity = flow.unpack(flow(0.0, flow.initial_state()))
    tangent = TangentNetwork.at_solution(problem, W, start_V, trains_V=True)
    delta = tangent.deviation(W, start_V)
    moved = tangent.tangent(tangent.flat(velocity["W"], velocity["V"]))
    rest = tangent.matrices(moved + tangent.shrink(delta))
    gap = math.hypot(np.linalg.norm(rest[0][:, :2]), np.linalg.norm(rest[1]))
    assert gap <= nonlinearity(problem) * np.linalg.norm(delta) * 2 * size


def test_a_window_is_as_long_as_its_resolution_asks() -> None:
    """Half the samples, twice the steps, until rounding ends the window."""
    teacher = teachers.orthonormal(6, 2, 0)
    problem = TeacherStudent(teacher, teacher)
    modes = Modes(rate=0.25, mode=np.zeros(12), largest=0.75, flat=0, trace=5.0, noise=4.0)
    short = window_of(problem, modes, Training(0.1, 1024, trains_V=False), 32)
    long = window_of(problem, modes, Training(0.1, 512, trains_V=False), 32)
    assert long.steps == pytest.approx(2 * short.steps, abs=2)
    assert long.resolution(4.0, Training(0.1, 512, trains_V=False), 32) == pytest.approx(RESOLUTION, rel=0.02)
    endless = window_of(problem, modes, Training(0.1, 16, trains_V=False), 8)
    assert endless.steps * 0.1 * 0.25 < 20
    assert endless.resolution(4.0, Training(0.1, 16, trains_V=False), 8) > RESOLUTION
    assert QUANTILE > 5


def test_modes_by_both_ways_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The eigenvalues by Lanczos are those of the dense matrix, and settling leaves the slowest mode."""
    teacher = teachers.random_unit(7, 4, 3)
    problem = TeacherStudent(teacher, teacher)
    tangent = TangentNetwork.at_solution(problem, teacher, problem.teacher_V, trains_V=False)
    rng = np.random.default_rng(0)
    dense = modes_of(tangent, rng)
    monkeypatch.setattr("verify.mathematics.tangent_modes.DENSE_LIMIT", 0)
    applied = modes_of(tangent, rng)
    assert (applied.rate, applied.largest) == pytest.approx((dense.rate, dense.largest), rel=1e-6)
    assert abs(applied.mode @ dense.mode) == pytest.approx(1.0, abs=1e-3)
    step = settled(tangent, dense, tangent.tangent(rng.standard_normal((1, tangent.size))), 200.0)
    assert abs(step[0] @ dense.mode) == pytest.approx(1.0, abs=1e-6)


def test_free_columns_are_no_modes_by_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns without fan-outs are flat: Lanczos counts all of them and finds the slowest mode that does decay."""
    nodes = teachers.orthonormal(7, 5, 3)
    V = np.concatenate([np.eye(3), np.zeros((2, 3))])
    problem = TeacherStudent(nodes[:, :3], nodes, np.eye(3), V)
    tangent = TangentNetwork.at_solution(problem, nodes, V, trains_V=True)
    rng = np.random.default_rng(0)
    dense = modes_of(tangent, rng)
    monkeypatch.setattr("verify.mathematics.tangent_modes.DENSE_LIMIT", 0)
    applied = modes_of(tangent, rng)
    assert (applied.rate, applied.largest) == pytest.approx((dense.rate, dense.largest), rel=1e-6)
    assert applied.flat == dense.flat == 2 * 6
    assert applied.rate > 0.01


def test_a_large_overparameterised_instance_has_a_rate() -> None:
    """Beyond the size at which H is formed, free columns are not taken for the slowest mode."""
    large = OverparameterisedNetworks(m=10, r=10, c=10, d=30, size=1e-6, r_fan_out=1e-6, share=0.4, batch=512)
    _, tangent, modes = solution_of(large)
    assert tangent.size > DENSE_LIMIT
    assert modes.rate > 0.01
    assert modes.flat == 10 * 29
    assert all(np.isfinite(assumption.margin) for assumption in assumptions(large))


def test_a_mode_that_does_not_decay_has_no_window() -> None:
    """Where rounding hides the slowest mode there is no late decay to measure, and the reason is said."""
    teacher = teachers.orthonormal(6, 2, 0)
    modes = Modes(rate=-4e-16, mode=np.zeros(12), largest=0.75, flat=1, trace=5.0, noise=4.0)
    with pytest.raises(CannotJudgeError, match="flat but for rounding"):
        window_of(TeacherStudent(teacher, teacher), modes, Training(0.1, 512, trains_V=False), 32)
