"""m = 1: the projected flow is the scalar equation theta' = -(pi - theta) sin(theta) / 2 pi."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from luckproof import ProjectedFlow, TeacherStudent, integrate, teachers

pytestmark = pytest.mark.statement("luckmatters.theorem4")


def passage_time(start: float, end: float) -> float:
    """Time from ``start`` down to ``end`` by quadrature of ``dt = -2 pi dtheta / ((pi - theta) sin theta)``."""

    def per_log_angle(log_angle: float) -> float:
        theta = np.exp(log_angle)
        return float(2 * np.pi * theta / ((np.pi - theta) * np.sin(theta)))

    value, _ = quad(per_log_angle, np.log(end), np.log(start), epsabs=0, epsrel=1e-12, limit=200)
    return float(value)


def angle_at(start: float, time: float, rtol: float) -> float:
    rng = np.random.default_rng(0)
    problem = TeacherStudent.at_angle(teachers.random_unit(7, 1, rng), start, rng)
    run = integrate(ProjectedFlow(problem), (0.0, time), rtol=rtol, atol=1e-15)
    return float(run.observables["angle"][-1, 0])


@pytest.mark.parametrize("start", [0.3, 1.5, 3.0, 3.14])
@pytest.mark.parametrize("end", [0.2, 1e-3])
def test_passage_times_agree_with_quadrature(start: float, end: float) -> None:
    """Integrating for the quadrature's time ends at the quadrature's angle; starts near pi included."""
    # An angle e-folds per 2 time units at most: an error in the path shows relative to the angle.
    assert angle_at(start, passage_time(start, end), 1e-11) == pytest.approx(end, rel=1e-6)


def test_a_wrong_equation_is_seen() -> None:
    """The control: with 2 pi replaced by 2.02 pi the passage time misses the angle by far more than the tolerance."""
    assert angle_at(1.5, 1.01 * passage_time(1.5, 1e-3), 1e-11) != pytest.approx(1e-3, rel=1e-2)


def test_convergence_reaches_the_last_digits() -> None:
    """No floor at 1e-8: the angle falls below 1e-12, as accurate kernels allow."""
    assert angle_at(0.3, 70.0, 1e-13) < 1e-12
