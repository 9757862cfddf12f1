"""Facts of Lemmas 2 to 4 beyond their verdicts: constants, limits and the size of the printed errors."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luckproof import BUDGETS, Context
from verify.luckmatters.lemma2 import difference_in_many_digits, overlaps_of
from verify.luckmatters.lemma3_overlap import both_factors_for_the_step_of_j
from verify.luckmatters.lemma4 import FallOff, departure
from verify.mathematics.families.near_pairs import NearPair, isotropic_pairs, pairs
from verify.mathematics.first_moment_constants import (
    STEEPEST,
    fall_off_ratio,
    first_moment,
    lipschitz_l_isotropic,
    quadratic_fall_off,
)
from verify.mathematics.precise.first_moment import psi_l_biased, psi_l_isotropic

pytestmark = pytest.mark.statement(
    "luckmatters.lemma2", "luckmatters.lemma3", "luckmatters.lemma4", "luckmatters.assumption2"
)

QUICK = BUDGETS["quick"]


@given(alpha=st.floats(0, 2.8), theta0=st.floats(1e-3, 1.0), share=st.floats(0, 1), step=st.floats(-1, 1))
def test_lipschitz_l_bounds_every_step(alpha: float, theta0: float, share: float, step: float) -> None:
    """No step of at most theta0 from an angle up to alpha + theta0 changes the kernel by more than K_l allows."""
    if alpha + theta0 > 3.1 or abs(step) < 1e-3:
        return
    start = share * (alpha + theta0)
    end = min(max(start + step * theta0, 0.0), math.pi)
    change = abs(first_moment(start) - first_moment(end))
    allowed = (
        lipschitz_l_isotropic(alpha, theta0) * first_moment(start) * 2 * math.sin(abs(step) * theta0 / 2)
    )
    assert change <= allowed * (1 + 1e-12) + 1e-15


def test_lipschitz_l_is_the_slope_in_the_limit() -> None:
    """K_l tends to the logarithmic slope of the kernel at the teachers' angle: nothing is given away there."""
    for alpha in (0.5, math.pi / 2, 2.5):
        slope = (math.pi - alpha) * math.sin(alpha) / first_moment(alpha)
        assert lipschitz_l_isotropic(alpha, 1e-7) == pytest.approx(slope, rel=1e-5)
    assert lipschitz_l_isotropic(2.5, 0.7) == math.inf
    assert math.tan(STEEPEST) == pytest.approx(math.pi - STEEPEST, rel=1e-15)


def test_first_moment_is_log_concave() -> None:
    """The step of the derivation of K_l that is not proved there: -kappa'/kappa rises on (0, pi)."""
    x = np.linspace(1e-3, math.pi - 1e-3, 20_001)
    rate = [(math.pi - t) * math.sin(t) / first_moment(t) for t in x]
    assert np.all(np.diff(rate) > 0)


def test_quadratic_constant_is_exact() -> None:
    """C_0 is the supremum of the ratio over the ball, in 40 digits, with its two regimes."""
    with mp.workdps(40):
        for theta in (1e-6, 0.1, 0.479, 1.0, 2.0, 3.0):
            t = mp.mpf(theta)
            kappa = mp.sin(t) + (mp.pi - t) * mp.cos(t)
            exact = (mp.pi - kappa) / (4 * mp.sin(t / 2) ** 2 * kappa)
            assert fall_off_ratio(theta) == pytest.approx(float(exact), rel=1e-11)
    assert quadratic_fall_off(0.47) == 0.5
    for theta0 in (0.3, 0.6, 1.5, 2.5):
        ratios = [fall_off_ratio(t) for t in np.linspace(1e-4, theta0, 400)]
        assert max(ratios) <= quadratic_fall_off(theta0) <= max(0.5, max(ratios)) * (1 + 1e-12)


@given(pair=pairs(QUICK))
@settings(max_examples=12)  # each is several quadratures in 50 digits
def test_difference_agrees_with_forty_digits(pair: NearPair) -> None:
    """||Delta p_jk|| in float64 against mpmath kernels by other formulas."""
    precise, star = difference_in_many_digits(pair)
    assert overlaps_of(pair).delta_p == pytest.approx(precise, abs=1e-14)
    assert overlaps_of(pair).star == pytest.approx(star, abs=1e-14)


@given(pair=isotropic_pairs(QUICK))
def test_printed_31_survives_isotropic_input(pair: NearPair) -> None:
    """One factor suffices in (31) for isotropic Gaussian input, although the proof does not give it."""
    assert both_factors_for_the_step_of_j(pair, Context(), factors=1).margin >= 0


def test_stretched_input_falls_off_linearly() -> None:
    """The constant needed grows tenfold for each tenth of the distance: 27 to 270 for Sigma = diag(1, 4, 1)."""
    needed = [departure(FallOff(), r)[0] / departure(FallOff(), r)[1] / r**2 for r in (1e-2, 1e-3)]
    assert needed[1] / needed[0] == pytest.approx(10, rel=0.2)
    level = [departure(FallOff(stretch=1.0), r) for r in (1e-2, 1e-3)]
    assert [d / star / r**2 for (d, star), r in zip(level, (1e-2, 1e-3), strict=True)] == pytest.approx(
        [0.5, 0.5], rel=1e-2
    )


def test_precise_kernels_agree_where_both_apply() -> None:
    """The quadrature with biases meets the closed form at zero bias, and E[relu^2] of one node."""
    with mp.workdps(25):
        a, b = mp.matrix([1, 0.2, 0]), mp.matrix([0.3, -0.8, 0])
        closed = psi_l_isotropic(a[:2], b[:2])
        assert abs(psi_l_biased(a, b) - closed) < 1e-18
        node = mp.matrix([1, 0, -2])
        square = (1 + 4) * mp.ncdf(-2) - 2 * mp.npdf(2)
        assert abs(psi_l_biased(node, node) - square) < 1e-18
