"""The empirical measure is exact on its samples and converges to what they were drawn from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.measures import empirical as measures
from luckproof import BiasedGaussian, EmpiricalMeasure, IsotropicGaussian

EPS = float(np.finfo(np.float64).eps)
seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, count=st.integers(1, 40), weighted=st.booleans())
def test_kernels_are_the_sums_over_samples(seed, count, weighted):
    """psi_l and psi_d equal the sums written out sample by sample; a stack of weights is its members."""
    rng = np.random.default_rng(seed)
    x, p = rng.standard_normal((count, 3)), rng.uniform(0.1, 1.0, count)
    A, B = rng.standard_normal((2, 3, 4)), rng.standard_normal((3, 5))
    measure = EmpiricalMeasure(x, p if weighted else None)
    share = p / p.sum() if weighted else np.full(count, 1 / count)
    psi_l, psi_d = measure.kernels(A, B)
    for i, j, k in np.ndindex(2, 4, 5):
        a, b = x @ A[i, :, j], x @ B[:, k]
        terms = share * np.maximum(a, 0) * np.maximum(b, 0)
        size = np.linalg.norm(A[i, :, j]) * np.linalg.norm(B[:, k]) * (share * (x * x).sum(axis=1)).sum()
        assert abs(psi_l[i, j, k] - terms.sum()) <= 2 * (count + 8) * EPS * size
        assert abs(psi_d[i, j, k] - (share * ((a > 0) & (b > 0))).sum()) <= 2 * count * EPS


def test_gate_counts_are_exact_and_closed_at_the_kink():
    """psi_d is a count over N to the last bit, and w.x = 0 counts as closed."""
    x = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]])
    psi_l, psi_d = EmpiricalMeasure(x).kernels(np.eye(2), np.eye(2))
    assert np.array_equal(psi_d, np.array([[1, 0], [0, 2]]) / 3)
    assert np.array_equal(psi_l, np.array([[1, 0], [0, 2]]) / 3)


def test_chunks_do_not_change_the_result(monkeypatch):
    """Chunks of any size give one result (up to the order of summation), weights included."""
    rng = np.random.default_rng(1)
    x, p, A = rng.standard_normal((1000, 4)), rng.uniform(size=1000), rng.standard_normal((2, 4, 3))
    whole = [EmpiricalMeasure(x, w).kernels(A, A) for w in (None, p)]
    monkeypatch.setattr(measures, "_CHUNK_ELEMENTS", 90)
    for want, w in zip(whole, (None, p), strict=True):
        for one, two in zip(EmpiricalMeasure(x, w).kernels(A, A), want, strict=True):
            np.testing.assert_allclose(one, two, rtol=1000 * EPS)


@pytest.mark.parametrize("exact", [IsotropicGaussian(3, 2.0), BiasedGaussian(2)], ids=repr)
def test_error_falls_as_one_over_root_n(exact):
    """The RMS error over 100 replicas and 16 entries has slope -1/2 in log N, within four standard errors."""
    rng = np.random.default_rng(11)
    A, B = rng.standard_normal((2, 3, 4))
    sizes = 2 ** np.arange(7, 14)
    truth = exact.kernels(A, B)
    replicas = 100
    logs = np.empty((2, replicas, len(sizes)))
    for r, s in np.ndindex(replicas, len(sizes)):
        got = EmpiricalMeasure(exact.sample(int(sizes[s]), rng)).kernels(A, B)
        logs[:, r, s] = [np.log(np.sqrt(np.mean((g - t) ** 2))) for g, t in zip(got, truth, strict=True)]
    x = np.log(sizes) - np.log(sizes).mean()
    slopes = (logs * x).sum(axis=-1) / (x * x).sum()  # one slope per replica
    error = slopes.std(axis=1, ddof=1) / np.sqrt(replicas)
    assert np.all(np.abs(slopes.mean(axis=1) + 0.5) < 4 * error)
    assert np.all(error < 0.02)  # narrow enough to tell -1/2 from -0.4 or -0.6


def test_resampling_follows_the_weights():
    """Samples are rows of the data, drawn by weight: a weight of 0 never, the others within 5 sigma."""
    measure = EmpiricalMeasure([[0.0], [1.0], [2.0]], [0.0, 1.0, 3.0])
    drawn = measure.sample(100_000, np.random.default_rng(2))[:, 0]
    assert set(np.unique(drawn)) == {1.0, 2.0}
    assert abs(np.mean(drawn == 2.0) - 0.75) < 5 * np.sqrt(0.75 * 0.25 / 100_000)
    np.testing.assert_allclose(measure.second_moment(), [[0.25 * 1 + 0.75 * 4]], rtol=4 * EPS)
    np.testing.assert_allclose(EmpiricalMeasure([[1.0], [2.0]]).second_moment(), [[2.5]], rtol=4 * EPS)


def test_the_samples_are_a_copy():
    """Changing the array afterwards does not change the measure."""
    x = np.ones((4, 2))
    measure = EmpiricalMeasure(x)
    x[:] = 0.0
    assert measure.psi_d(np.eye(2), np.eye(2)).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_bad_data_are_named():
    """Shape, values and weights are checked at construction."""
    with pytest.raises(
        ValueError, match=r"samples: expected a non-empty array of shape \(N, d\), got shape \(3,\)"
    ):
        EmpiricalMeasure(np.ones(3))
    with pytest.raises(ValueError, match=r"samples: expected a non-empty array.*\(0, 3\)"):
        EmpiricalMeasure(np.ones((0, 3)))
    with pytest.raises(ValueError, match="samples: expected finite entries, got 1 NaN or Inf"):
        EmpiricalMeasure([[1.0, np.nan]])
    with pytest.raises(ValueError, match=r"weights: expected shape \(2,\), one per sample, got shape \(3,\)"):
        EmpiricalMeasure(np.ones((2, 1)), np.ones(3))
    with pytest.raises(ValueError, match=r"weights: expected non-negative numbers, got minimum -1\.0"):
        EmpiricalMeasure(np.ones((2, 1)), [1.0, -1.0])
    with pytest.raises(ValueError, match=r"weights: expected a positive sum, got 0\.0"):
        EmpiricalMeasure(np.ones((2, 1)), [0.0, 0.0])
