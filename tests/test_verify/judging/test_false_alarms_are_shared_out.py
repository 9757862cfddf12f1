"""Sampled evidence: its randomness follows both seeds, and its chance of a false alarm is what the run promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, t

from luckproof import Context
from verify.judging.evidence import FALSE_ALARM, SAMPLING_STATEMENTS
from verify.mathematics.mean_over_seeds import exceeds, falls_below


@pytest.mark.parametrize(("examples", "comparisons"), [(1, 1), (100, 1), (1, 5), (100, 5)])
def test_z_is_the_quantile_of_the_shared_chance(examples, comparisons):
    """The chance is divided by statements, examples and comparisons; the quantile is two-sided."""
    share = FALSE_ALARM / SAMPLING_STATEMENTS / examples / comparisons
    assert Context(examples=examples).z(comparisons) == pytest.approx(norm.isf(share / 2), rel=1e-12)


def test_a_whole_run_raises_one_false_alarm_in_a_thousand():
    """The promise of the documentation, whatever the formula shares out."""
    assert FALSE_ALARM <= 1e-3


def test_the_seed_of_the_run_and_the_key_of_the_instance_both_decide_the_sample():
    """Two run seeds give different samples, two keys too; the same pair gives the same one."""
    draws = {
        (seed, key): tuple(Context(seed=seed).rng(key).standard_normal(4))
        for seed in (0, 1)
        for key in (0, 1)
    }
    assert len(set(draws.values())) == 4
    assert draws[1, 0] == tuple(Context(seed=1).rng(0).standard_normal(4))


def test_the_margin_of_an_effect_is_that_of_its_mean():
    """Margin = mean − threshold exactly; whether it is decided is told by the interval, not by the margin."""
    samples = np.array([1.0, 1.2, 0.8, 1.1, 0.9, 1.0])
    evidence = exceeds(samples, 0.25, Context())
    assert evidence.margin == samples.mean() - 0.25
    assert evidence.measured == samples.mean()
    low, high = evidence.details["interval"]
    assert evidence.inconclusive == (low <= 0.25 <= high)
    assert math.isclose((low + high) / 2, samples.mean())
    assert falls_below(samples, 1.25, Context()).margin == 1.25 - samples.mean()


def test_the_interval_of_an_effect_is_students():
    """``mean ± t s/√n``, s with n − 1, at the run's chance."""
    samples = np.array([1.0, 1.2, 0.8, 1.1, 0.9])
    found = exceeds(samples, 0.25, Context())
    reach = t.isf(norm.sf(Context().z()), 4) * np.std(samples, ddof=1) / math.sqrt(5)
    assert found.details["interval"] == pytest.approx([1 - reach, 1 + reach], rel=1e-9)
    assert found.standard_error == pytest.approx(np.std(samples, ddof=1) / math.sqrt(5), rel=1e-12)


def test_an_interval_that_holds_the_threshold_decides_nothing():
    """Half a standard error above the threshold is undecided; a thousand are decided."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(16)
    noise -= noise.mean()
    error = noise.std(ddof=1) / 4
    for claim, sign in ((exceeds, 1), (falls_below, -1)):
        assert claim(noise + sign * 0.5 * error, 0.0, Context()).inconclusive
        assert not claim(noise + sign * 1000 * error, 0.0, Context()).inconclusive
