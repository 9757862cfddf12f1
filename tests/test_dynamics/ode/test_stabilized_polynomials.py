"""The stabilised methods' coefficients: stability polynomial, order conditions, interval."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from dynamics.ode.steppers import rkc_coefficients as rkc
from dynamics.ode.steppers import rock4_coefficients as rock4
from luckproof import Array

EPS = float(np.finfo(float).eps)
STAGES = (6, 7, 8, 11, 16, 25, 40, 63, 100, 157, 200)
"""Half of them are none of the degrees that the roots were fitted to."""


def rkc_polynomial(stages: int, z: Array) -> Array:
    """R(z) of RKC from its stage recurrence with f = z y."""
    c = rkc.rkc_coefficients(stages)
    before, now = np.ones_like(z), 1 + c.first * z
    for j in range(2, stages + 1):
        after = (
            1 - c.mu[j] - c.nu[j] + c.mu[j] * now + c.nu[j] * before + c.slope[j] * z * now + c.start[j] * z
        )
        before, now = now, after
    return now


def rock_polynomial(stages: int, z: Array) -> Array:
    """R(z) of ROCK4 from its stages with f = z y."""
    c = rock4.rock4_coefficients(stages)
    before = now = np.ones_like(z)
    for mu, nu, kappa in zip(c.mu, c.nu, c.kappa, strict=True):
        before, now = now, (mu * z + nu) * now - kappa * before
    slopes = np.zeros((4, *z.shape), dtype=z.dtype)
    for i in range(4):
        slopes[i] = z * (now + np.tensordot(c.A[i], slopes, 1))
    return np.asarray(now + np.tensordot(c.b, slopes, 1))


def interval(reach: float, stages: int) -> Array:
    """Points of [-reach, 0], as dense near its ends as the polynomial's extrema are."""
    return -reach * (1 + np.cos(np.linspace(0, np.pi, 60 * stages))) / 2


@pytest.mark.parametrize("stages", [2, 3, 5, 12, 40, 120, 250])
def test_rkc_is_the_shifted_chebyshev_polynomial(stages: int) -> None:
    """The recurrence gives 1 - b T_s(w0) + b T_s(w0 + w1 z), evaluated by mpmath with 40 digits."""
    z = interval(rkc.rkc_coefficients(stages).reach, stages)[:: 3 * stages]
    with mp.workdps(40):
        w0 = 1 + mp.mpf(2) / 13 / stages**2
        T = [mp.diff(lambda x: mp.chebyt(stages, x), w0, k) for k in range(3)]
        b, w1 = T[2] / T[1] ** 2, T[1] / T[2]
        exact = [float(1 - b * T[0] + b * mp.chebyt(stages, w0 + w1 * mp.mpf(float(x)))) for x in z]
    # w1 inherits s^2 eps from the rounding of w0, and T_s has slope s^2 at the far end: s^4 eps in all.
    assert np.abs(rkc_polynomial(stages, z) - exact).max() <= stages**4 * EPS


@pytest.mark.parametrize("stages", [2, 3, 5, 12, 40, 120, 250])
def test_rkc_is_stable_on_its_interval(stages: int) -> None:
    """|R| <= 1 on [-reach, 0] with reach near 0.65 s^2; for even s not a tenth further (control).

    For odd s the polynomial enters at the far end from -1/3 and stays below one for a while longer.
    """
    c = rkc.rkc_coefficients(stages)
    assert np.abs(rkc_polynomial(stages, interval(c.reach, stages))).max() <= 1 + 10 * stages**2 * EPS
    assert c.reach == pytest.approx(2 / 3 * (stages**2 - 1) * (1 - 2 / 15 * 2 / 13), rel=0.01)
    if stages % 2 == 0:
        assert np.abs(rkc_polynomial(stages, interval(1.1 * c.reach, stages))).max() > 1


@pytest.mark.parametrize("stages", STAGES)
def test_rock_is_stable_on_its_interval(stages: int) -> None:
    """|R| <= 1 on [-reach, 0] and <= 0.62 for z < -4, reach > 0.24 s^2; unstable a tenth further (control)."""
    reach = rock4.rock4_coefficients(stages).reach
    z = interval(reach, stages)
    values = np.abs(rock_polynomial(stages, z))
    assert values.max() <= 1 + 10 * stages**2 * EPS
    assert values[z < -4].max() <= 0.62
    assert reach > 0.24 * stages**2
    assert np.abs(rock_polynomial(stages, interval(1.1 * reach, stages))).max() > 1


@pytest.mark.parametrize("stages", [6, 9, 20, 45])
def test_rock_polynomial_agrees_with_exp_to_order_four(stages: int) -> None:
    """Taylor coefficients of R by mpmath's differentiation of the stages: 1, 1, 1/2, 1/6, 1/24, and not 1/120."""
    c = rock4.rock4_coefficients(stages)

    def polynomial(z: mp.mpf) -> mp.mpf:
        before = now = mp.mpf(1)
        for mu, nu, kappa in zip(c.mu, c.nu, c.kappa, strict=True):
            before, now = now, (mp.mpf(mu) * z + mp.mpf(nu)) * now - mp.mpf(kappa) * before
        slopes: list[mp.mpf] = []
        for i in range(4):
            slopes.append(z * (now + mp.fdot(map(mp.mpf, map(float, c.A[i, :i])), slopes)))
        return now + mp.fdot(map(mp.mpf, map(float, c.b)), slopes)

    with mp.workdps(50):
        found = [float(a) for a in mp.taylor(polynomial, 0, 5)]
    assert np.abs(np.array(found[:5]) - [1, 1, 1 / 2, 1 / 6, 1 / 24]).max() <= 10 * stages * EPS
    assert abs(found[5] - 1 / 120) > 1e-4


@pytest.mark.parametrize("stages", STAGES)
def test_every_stage_is_given_at_its_own_time(stages: int) -> None:
    """y' = 2 t: with stage times c the whole method integrates t^2 exactly, and times lie in [0, 1]."""
    for c in (rock4.rock4_coefficients(stages), rkc.rkc_coefficients(stages)):
        assert c.times.min() >= 0
        assert c.times.max() <= 1 + 1e-12
    r = rock4.rock4_coefficients(stages)
    before, now = 0.0, 0.0
    for j in range(r.mu.size):
        before, now = now, r.mu[j] * 2 * r.times[j] + r.nu[j] * now - r.kappa[j] * before
    assert now + r.b @ (2 * r.closing_times) == pytest.approx(1.0, abs=stages**2 * EPS)


def test_the_fewest_stages_that_reach() -> None:
    """``stages_for`` gives the smallest s whose interval holds h rho, for both methods."""
    for extent in (0.0, 1.0, 9.0, 33.3, 500.0, 9000.0):
        s = rock4.stages_for(extent)
        assert rock4.rock4_coefficients(s).reach >= extent
        assert s == rock4.FEWEST_STAGES or rock4.rock4_coefficients(s - 1).reach < extent
        s = rkc.stages_for(extent, 250)
        assert rkc.rkc_coefficients(s).reach >= extent
        assert s == 2 or rkc.rkc_coefficients(s - 1).reach < extent
    with pytest.raises(ValueError, match=r"stages: expected 6"):
        rock4.rock4_coefficients(5)
