"""CommonAngleFlow: seven unknowns that move as all m^2 weights do, for every m; and where its starts end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.two_layer.common_angle import CommonAngleFlow
from luckproof import ProjectedFlow, TeacherStudent, integrate


@given(m=st.integers(3, 9), theta=st.floats(0.05, 1.4), seed=st.integers(0, 2**32 - 1))
def test_its_field_is_that_of_all_weights(m, theta, seed):
    """At the start and at any symmetric state of unit columns the field of W is the full flow's, to rounding."""
    flow, rng = CommonAngleFlow(m, theta), np.random.default_rng(seed)
    for shift in (0.0, 0.3):
        y = flow.initial_state() + shift * rng.standard_normal(10)
        W = flow.students(y)
        length = np.linalg.norm(W, axis=0)
        state = flow.unpack(y)
        y = flow.pack({"pair": state["pair"] / length[:2, None], "other": state["other"] / length[2]})
        W = flow.students(y)
        full = ProjectedFlow(TeacherStudent(np.eye(m), W))
        velocity = full.unpack(full(0.0, full.initial_state()))["W"]
        np.testing.assert_allclose(flow.students(flow(0.0, y)), velocity, atol=1e-12)


def test_students_start_at_the_common_angle():
    """All angles are theta, all norms 1."""
    flow = CommonAngleFlow(7, 0.6)
    W = flow.students(flow.initial_state())
    np.testing.assert_allclose(np.diagonal(W), np.cos(0.6), rtol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 1.0, rtol=1e-15)
    np.testing.assert_allclose(flow.observables(flow.initial_state())["theta"], 0.6, rtol=1e-14)


@pytest.mark.parametrize(("m", "threshold"), [(10, 0.697), (20, 0.563), (40, 0.512)])
def test_thresholds_lie_where_they_were_found(m, threshold):
    """2 % below it w_1 returns to its teacher; 2 % above it ends nearer the second one."""
    ends = []
    for theta in (0.98 * threshold, 1.02 * threshold):
        run = integrate(CommonAngleFlow(m, theta), (0.0, 200.0), t_eval=[0.0, 200.0], method="LSODA")
        ends.append(run.state["pair"][-1][0])
    assert ends[0][0] > 0.99
    assert ends[1][1] > 0.9 > ends[1][0]
    np.testing.assert_allclose(np.sum(ends[1] ** 2 * [1, 1, m - 2]), 1.0, rtol=1e-6)


@pytest.mark.parametrize("m", [0, 2])
def test_fewer_than_three_teachers_are_refused(m):
    """The family needs a third student."""
    with pytest.raises(ValueError, match="m: expected"):
        CommonAngleFlow(m, 0.5)
