"""A looser tolerance is never dearer by much: where a method's steps are rejected for length it gets a tighter one."""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import ProjectedFlow, TeacherStudent, integrate, teachers


@pytest.mark.parametrize("rtol", [0.02, 0.1, 0.5])
def test_cvode_is_not_given_more_than_a_hundredth(rtol: float) -> None:
    """A stiff run takes what it takes at .01, in both tolerances; the result says which were asked for and given."""
    flow = ProjectedFlow(TeacherStudent.at_angle(teachers.orthonormal(100, 100, 0), 0.8, 1))
    usual, loose = (
        integrate(flow, (0.0, 30.0), t_eval=[30.0], rtol=r, atol=r / 10, method="CVODE") for r in (0.01, rtol)
    )
    assert loose.success
    assert loose.nfev == usual.nfev
    assert np.array_equal(loose.state["W"], usual.state["W"])
    assert (loose.attributes["rtol"], loose.attributes["atol"]) == (rtol, rtol / 10)
    assert loose.attributes["solver_rtol"] == pytest.approx(0.01)
    assert loose.attributes["solver_atol"] == pytest.approx(0.001)


def test_other_methods_get_what_is_asked_for() -> None:
    """Control: explicit methods have no such limit."""
    flow = ProjectedFlow(TeacherStudent.at_angle(teachers.orthonormal(4, 3, 0), 0.8, 1))
    run = integrate(flow, (0.0, 3.0), rtol=0.1, atol=0.1, method="RK45")
    assert (run.attributes["solver_rtol"], run.attributes["solver_atol"]) == (0.1, 0.1)
