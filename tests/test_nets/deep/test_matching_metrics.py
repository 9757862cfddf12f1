"""Correlations, winners, ranks and block sizes, against NumPy and by hand."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from nets.deep.node_matching import (
    block_rms,
    correlation,
    effective_number,
    lucky_nodes,
    mean_best,
    winner_rank,
    winners,
)


@given(seed=st.integers(0, 2**20))
def test_correlation_is_pearson(seed: int) -> None:
    """Equal to numpy.corrcoef; a dead node correlates with nothing."""
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, 50, 4)), rng.standard_normal((2, 50, 3))
    a[1, :, 2] = 0.0
    rho = correlation(torch.as_tensor(a), torch.as_tensor(b)).numpy()
    for s in range(2):
        with np.errstate(all="ignore"):
            expected = np.nan_to_num(np.corrcoef(a[s].T, b[s].T)[:4, 4:])
        np.testing.assert_allclose(rho[s], expected, atol=1e-13)


def test_winners_ranks_and_luck() -> None:
    """The winner ranks first in its own correlations; a student may win two teachers."""
    rho = torch.tensor([[[0.9, 0.8], [0.1, 0.7], [0.5, 0.2]]], dtype=torch.float64)
    assert winners(rho).tolist() == [[0, 0]]
    assert lucky_nodes(rho).tolist() == [[True, False, False]]
    assert winner_rank(rho, torch.tensor([[0, 1]])).tolist() == [[0.0, 0.5]]
    assert abs(float(mean_best(rho)) - 0.85) < 1e-15


def test_block_sizes_and_effective_numbers() -> None:
    """A block of one entry is that entry; k equal shares count as k."""
    W = torch.tensor([[[1.0, -2.0], [3.0, 4.0]]], dtype=torch.float64)
    rows, columns = torch.tensor([[True, False]]), torch.tensor([[False, True]])
    assert float(block_rms(W, rows, columns)) == 2.0
    assert torch.isnan(block_rms(W, rows & False, columns)).all()
    assert float(effective_number(torch.tensor([1.0, 1.0, 1.0, 0.0]))) == 3.0
