"""Scores of nodes: the saliency is a second derivative, selection keeps the best."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luckproof import TeacherStudent, population_loss
from nets.two_layer.pruning import (
    brain_damage_saliency,
    by_contribution,
    by_fan_in,
    by_fan_out,
    keep_best,
    select_nodes,
)

pytestmark = pytest.mark.statement("luckmatters.theorem5.pruning")


@given(seed=st.integers(0, 2**20))
def test_saliency_is_half_the_curvature_times_the_squared_fan_out(seed: int) -> None:
    """Against central differences of the closed-form loss, at any weights (the loss is quadratic in V)."""
    rng = np.random.default_rng(seed)
    W, V = rng.standard_normal((4, 3)), rng.standard_normal((3, 2))
    problem = TeacherStudent(rng.standard_normal((4, 2)), W, rng.standard_normal((2, 2)), V)
    saliency = brain_damage_saliency(problem, W, V)
    for node in range(3):
        step = np.zeros((3, 2))
        step[node] = V[node]
        ahead, here, behind = (population_loss(problem, W, V + sign * step) for sign in (1, 0, -1))
        np.testing.assert_allclose(
            saliency[node], (ahead - 2 * here + behind) / 2, atol=1e-13 * (1 + abs(float(here))) * 50
        )


def test_scores_and_selection() -> None:
    """Norms are the columns' and rows', ties go to the earlier node, kept nodes keep their weights."""
    W, V = np.array([[3.0, 1.0, 0.0], [4.0, 0.0, 2.0]]), np.array([[1.0], [2.0], [2.0]])
    assert by_fan_in(W, V).tolist() == [5, 1, 2]
    assert by_fan_out(W, V).tolist() == [1, 2, 2]
    assert by_contribution(W, V).tolist() == [5, 2, 4]
    kept = keep_best(by_fan_out(W, V), 2)
    assert kept.tolist() == [1, 2]
    small_W, small_V = select_nodes(W, V, kept)
    assert small_W.tolist() == W[:, 1:].tolist()
    assert small_V.tolist() == V[1:].tolist()
    with pytest.raises(ValueError, match="k: expected between 1 and 3"):
        keep_best(by_fan_out(W, V), 4)
