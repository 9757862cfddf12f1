"""The late-rate fit: window by rule, exact on exponentials, honest intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luckproof import fit_decay
from verify.mathematics.rates import discrete_rate, mean_rate


@given(rate=st.floats(0.01, 10.0), amplitude=st.floats(1e-3, 10.0))
def test_an_exponential_gives_its_rate(rate: float, amplitude: float) -> None:
    """A pure decay down to a plateau at 1e-14 is fitted to rounding, the plateau left out."""
    t = np.linspace(0, 40 / rate, 500)
    fit = fit_decay(t, amplitude * np.exp(-rate * t) + 1e-14)
    # The plateau adds at most 1e-14 / 1e-11 to the value at the window's end.
    assert fit.rate == pytest.approx(rate, rel=2e-3 / np.log(1e4))
    assert fit.points >= 8


def test_a_faster_mode_is_left_behind() -> None:
    """A second mode at twice the rate is gone where the window starts; without the window it is not."""
    t = np.linspace(0, 40, 400)
    values = np.exp(-t) + 5 * np.exp(-2 * t)
    assert fit_decay(t, values).rate == pytest.approx(1.0, rel=1e-4)
    assert -np.polyfit(t[:40], np.log(values[:40]), 1)[0] > 1.2


def test_the_window_is_the_lower_half_of_the_way_to_the_floor() -> None:
    """From 1e-3 down to 1e-11, in decades: 1e-7 and below, where the upper half has left the faster modes behind."""
    t = np.linspace(0, 40, 4001)
    first, last = fit_decay(t, np.exp(-t)).window
    assert first == pytest.approx(np.log(1e7), abs=0.02)
    assert last == pytest.approx(np.log(1e11), abs=0.02)
    later, _ = fit_decay(t, 1e-5 * np.exp(-t)).window  # a start below 1e-3 is the top
    assert later == pytest.approx(np.log(1e3), abs=0.02)


def test_each_series_has_its_own_rate() -> None:
    """Trailing axes are series; one window serves all."""
    t = np.linspace(0, 30, 300)
    rates = np.array([0.9, 1.0, 1.1])
    np.testing.assert_allclose(fit_decay(t, np.exp(-t[:, None] * rates)).rate, rates, rtol=1e-10)


def test_too_little_decay_is_an_error() -> None:
    """No late window, no rate: the message says what to do."""
    t = np.linspace(0, 1, 50)
    with pytest.raises(ValueError, match="integrate longer or record more often"):
        fit_decay(t, np.exp(-t))
    with pytest.raises(ValueError, match="expected finite sizes"):
        fit_decay(t, np.full(50, np.nan))


def test_the_interval_covers_as_often_as_it_says() -> None:
    """Over 2,000 normal samples of 8 networks a 95 % interval covers the mean in 95 % of them (6 sigma)."""
    draws = np.random.default_rng(0).standard_normal((2000, 8))
    covered = sum(estimate.low <= 0 <= estimate.high for estimate in map(mean_rate, draws))
    assert abs(covered / 2000 - 0.95) < 6 * np.sqrt(0.95 * 0.05 / 2000)
    with pytest.raises(ValueError, match="at least 2 networks"):
        mean_rate([1.0])


def test_discrete_rate_is_that_of_the_map() -> None:
    """(1 - lr rate)^(t / lr) decays at -log(1 - lr rate) / lr."""
    assert discrete_rate(0.2, 0.1) == pytest.approx(-np.log(0.98) / 0.1, rel=1e-14)
