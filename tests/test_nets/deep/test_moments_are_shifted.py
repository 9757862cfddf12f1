"""Correlations keep their digits where a node's mean is large, and a node that never changes has none."""

from __future__ import annotations

import numpy as np
import torch

from nets.deep.metrics import _Sums
from nets.deep.structured_pruning import _Spread


def correlation_by_numpy(own: np.ndarray, taught: np.ndarray) -> np.ndarray:
    return np.corrcoef(own, taught)[0, 1]


def match_of(own: np.ndarray, taught: np.ndarray):
    sums = _Sums()
    for chunk in np.array_split(np.arange(len(own)), 7):
        ours, theirs = (torch.as_tensor(values[chunk])[None, :, None] for values in (own, taught))
        sums.add((ours, ours), (theirs, theirs))
    return sums.match()


def test_a_large_mean_costs_no_digits():
    """Means of 1e7 beside spreads of 1: without the shift rho is off by a few per cent."""
    rng = np.random.default_rng(0)
    own = rng.standard_normal(5000)
    taught = 0.6 * own + 0.8 * rng.standard_normal(5000)
    found = float(match_of(1e7 + own, 1e7 + taught).rho)
    assert abs(found - correlation_by_numpy(own, taught)) < 1e-8  # 1e7 eps of each value's spread


def test_a_constant_node_has_no_correlation():
    """A node that holds a non-zero constant that float64 cannot sum exactly correlates with nothing."""
    rng = np.random.default_rng(1)
    for constant in (0.1, 1 / 3, 1e7 + 0.1):
        assert float(match_of(np.full(3001, constant), rng.standard_normal(3001)).rho) == 0.0


def test_spreads_of_pruning_keep_their_digits():
    """Those by which whole nodes are compared: right at means of 1e7, and 0 exactly for a constant."""
    rng = np.random.default_rng(2)
    rows = np.stack([1e7 + rng.standard_normal(3001), np.full(3001, 1 / 3), np.full(3001, 1e7 + 0.1)])
    spread = _Spread()
    for part in np.array_split(rows, 7, axis=-1):
        spread.add(torch.as_tensor(part)[None])
    first, *constants = spread.value[0].tolist()
    assert abs(first - rows[0].std()) < 1e-8
    assert constants == [0.0, 0.0]
