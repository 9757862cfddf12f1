"""Theorem 4's constants: closed forms against what random members of the balls do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luckproof import BiasedGaussian, IsotropicGaussian, teachers
from verify.luckmatters.assumption2 import in_ball
from verify.mathematics.theorem4_constants import (
    overlap_ratios,
    theorem4_isotropic,
    theorem4_thresholded,
)
from verify.mathematics.thresholded_lipschitz import lipschitz_d_thresholded

pytestmark = pytest.mark.statement("luckmatters.theorem4", "luckmatters.assumption3")


def test_the_printed_dbar_exceeds_the_overlap_itself() -> None:
    """m = 1, theta0 = 1: printed rate 0.270 against a decay that starts at 0.184."""
    constants = theorem4_isotropic(1, 1.0, 0.0, 0.0)
    assert constants.rate_printed == pytest.approx(0.2701511529, rel=1e-9)
    assert constants.rate_corrected == pytest.approx(np.cos(1.0) * (np.pi - 1) / (2 * np.pi), rel=1e-14)


def test_three_teachers_without_bias_are_always_vacuous() -> None:
    """gamma < 0 for every m >= 3, however near the start: eps_d is at least 1/3 there."""
    for m in range(3, 10):
        apart = np.arccos(-1 / (m - 1))  # the largest smallest angle that m directions can have
        assert theorem4_isotropic(m, 0.0, apart, apart).gamma < 0
        assert theorem4_isotropic(m, 0.0, np.pi / 2, np.pi / 2).gamma < 0


@pytest.mark.parametrize(
    ("threshold", "m", "theta0", "gamma"),
    [(2.0, 2, 1e-3, 0.555), (3.0, 5, 1e-3, 0.696), (4.0, 20, 1e-3, 0.916), (4.0, 20, 1e-2, -2.009)],
)
def test_thresholds_reach_further(threshold: float, m: int, theta0: float, gamma: float) -> None:
    """Where gamma stands for thresholded teachers, with the upper bound of K_d over the whole ball."""
    assert theorem4_thresholded(m, theta0, threshold, 0.0).gamma == pytest.approx(gamma, abs=1e-3)


@settings(max_examples=10)
@given(
    threshold=st.sampled_from((1.0, 2.0, 4.0)),
    theta0=st.sampled_from((1e-3, 1e-2)),
    seed=st.integers(0, 10**6),
)
def test_lower_bound_of_the_overlap_holds_in_the_ball(threshold: float, theta0: float, seed: int) -> None:
    """d_lower is below d*_jj for every student in the ball."""
    rng = np.random.default_rng(seed)
    teacher = teachers.thresholded(5, 1, threshold, rng)
    students = in_ball(teacher, rng.uniform(0.1, 1.0, 200) * theta0, rng)
    lowest = BiasedGaussian(5).psi_d(students, teacher).min()
    assert theorem4_thresholded(1, theta0, threshold, 0.0).d_lower <= lowest * (1 + 1e-12)


def test_a_point_constant_is_too_small_for_the_ball() -> None:
    """K_d grows with the radius: psi_d doubles within 0.01 of a teacher thresholded at 4."""
    assert lipschitz_d_thresholded(4.0, 2, 1e-2) > 1.7 * lipschitz_d_thresholded(4.0, 2, 1e-4)


def test_overlap_ratios_of_orthogonal_teachers() -> None:
    """eps_d = 1/2, eps_l = 1/pi for orthogonal unit teachers; zero for one teacher."""
    eps_d, eps_l = overlap_ratios(np.eye(4)[:, :3], IsotropicGaussian(4))
    assert (float(eps_d), float(eps_l)) == pytest.approx((0.5, 1 / np.pi), rel=1e-14)
    assert overlap_ratios(np.eye(4)[:, :1], IsotropicGaussian(4)) == (0.0, 0.0)
