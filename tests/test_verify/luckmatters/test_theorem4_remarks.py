"""Facts behind Theorem 4's remarks: closed-form times, independent runs, the map of gamma."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.luckmatters.theorem4_vacuity_threshold import limit_gamma, local_lipschitz, rim_lipschitz
from verify.mathematics.precise.projected_flow import arrival, rate_at
from verify.mathematics.runs.near_starts import Start, mean_rate, own_time, time_to, times_to
from verify.mathematics.thresholded_lipschitz import lipschitz_d_thresholded

pytestmark = pytest.mark.statement("luckmatters.theorem4")


@given(theta0=st.floats(0.05, 3.0), share=st.floats(0.01, 0.9))
def test_own_time_is_additive(theta0: float, share: float) -> None:
    """The time to a target is the time to an intermediate angle and on from there."""
    middle, target = theta0 * share**0.5, theta0 * share
    whole = own_time(theta0, target)
    assert own_time(theta0, middle) + own_time(middle, target) == pytest.approx(whole, rel=1e-10)


def test_times_agree_with_mpmath() -> None:
    """The guarded integrator and fixed steps in mpmath reach the target at the same time, projected or not."""
    problem = Start(2, 2, 0.5).problem()
    for projected in (True, False):
        precise = arrival(problem, 1e-1, 40.0, projected=projected)
        assert time_to(problem, 1e-1, 40.0, projected=projected) == pytest.approx(precise, rel=1e-4)


def test_an_ensemble_arrives_as_its_instances_do() -> None:
    """Interpolated times of one run agree with the event of a run alone, also for starts that never arrive."""
    problem = Start(1, 3, 0.5).problem()
    assert float(times_to(problem, 1e-2, 20.0)) == pytest.approx(time_to(problem, 1e-2, 20.0), rel=1e-4)
    assert times_to(problem, 1e-2, 2.0) == math.inf == time_to(problem, 1e-2, 2.0)


def test_rate_of_one_node_in_sixty_digits() -> None:
    """At angle theta the rate of sin theta is (pi - theta) cos theta / 2 pi."""
    problem = Start(1, 3, 0.7).problem()
    rate = rate_at(problem.teacher_W, problem.student_W, 1.0)
    assert rate == pytest.approx((math.pi - 0.7) * math.cos(0.7) / (2 * math.pi), rel=1e-12)


def test_mean_rate_of_an_exponential() -> None:
    """The rate of e^{-0.3 t} between two levels, and NaN where the run stops short."""
    t = np.linspace(0, 60, 50)
    assert mean_rate(t, np.exp(-0.3 * t), 1e-2, 1e-6) == pytest.approx(0.3, rel=1e-12)
    assert math.isnan(mean_rate(t, np.exp(-0.3 * t), 1e-2, 1e-12))


@pytest.mark.parametrize(
    ("threshold", "theta0", "slack"),
    [(2.0, 1e-3, 0.03), (4.0, 1e-3, 0.04), (0.5, 0.03, 0.09), (4.0, 1e-2, 0.6)],
)
def test_the_bound_of_the_ball_constant_is_near_it(threshold: float, theta0: float, slack: float) -> None:
    """The rim of the balls gives K_d from below, the subdivision from above; both meet as the balls shrink.

    Slack: 2 % of the subdivision, 1 % of the rim's directions, and as much again as log psi_d bends over the ball.
    """
    rim, ball = rim_lipschitz(threshold, theta0), lipschitz_d_thresholded(threshold, 2, theta0)
    assert rim <= ball <= rim * (1 + slack)


def test_the_bound_of_the_ball_constant_tends_to_the_slope_at_the_teachers() -> None:
    """In balls of radius 1e-6 / K_0 nothing but the 2 % of the subdivision is left."""
    K_0 = local_lipschitz(3.0)
    assert K_0 <= lipschitz_d_thresholded(3.0, 2, 1e-6 / K_0) <= 1.02 * K_0


def test_gamma_at_the_edge_of_the_map() -> None:
    """How many nodes a threshold carries, and that the slope at the teachers is no constant of a ball."""
    largest = {b: max(m for m in range(2, 400) if limit_gamma(m, b) > 0) for b in (2.0, 3.0, 4.0)}
    assert largest == {2.0: 3, 3.0: 16, 4.0: 305}
    assert local_lipschitz(4.0) == pytest.approx(102.86, rel=1e-4)
    assert lipschitz_d_thresholded(4.0, 2, 1e-2) > 1.9 * local_lipschitz(4.0)
