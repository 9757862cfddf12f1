"""The stabilised method's coefficients: stability polynomial, order conditions, interval."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from dynamics.ode.steppers import rock4_coefficients as rock4
from luckproof import Array

EPS = float(np.finfo(float).eps)
STAGES = (6, 7, 8, 11, 16, 25, 40, 63, 100, 157, 200)
"""Half of them are none of the degrees that the roots were fitted to."""


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
    r = rock4.rock4_coefficients(stages)
    assert r.times.min() >= 0
    assert r.times.max() <= 1 + 1e-12
    before, now = 0.0, 0.0
    for j in range(r.mu.size):
        before, now = now, r.mu[j] * 2 * r.times[j] + r.nu[j] * now - r.kappa[j] * before
    assert now + r.b @ (2 * r.closing_times) == pytest.approx(1.0, abs=stages**2 * EPS)


def test_the_fewest_stages_that_reach() -> None:
    """``stages_for`` gives the smallest s whose interval holds h rho."""
    for extent in (0.0, 1.0, 9.0, 33.3, 500.0, 9000.0):
        s = rock4.stages_for(extent)
        assert rock4.rock4_coefficients(s).reach >= extent
        assert s == rock4.FEWEST_STAGES or rock4.rock4_coefficients(s - 1).reach < extent
    with pytest.raises(ValueError, match=r"stages: expected 6"):
        rock4.rock4_coefficients(5)
