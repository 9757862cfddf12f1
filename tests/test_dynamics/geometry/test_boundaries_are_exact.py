"""Visibility, observers and co-linearity of ReLU nodes in a box are what their definitions say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from dynamics.geometry.boundaries import aligned, colinear, observation, separation, visibility
from luckproof import Box

seeds = st.integers(0, 2**16)


def random_box(d: int, rng: np.random.Generator) -> Box:
    return Box(rng.standard_normal(d), rng.uniform(0.2, 2, d))


@given(d=st.integers(1, 5), seed=seeds)
def test_observation_is_the_linear_programme(d, seed):
    """Largest pre-activation of k on the boundary of j inside the closed box, by HiGHS and in closed form."""
    rng = np.random.default_rng(seed)
    box = random_box(d, rng)
    observer, node = rng.standard_normal((2, d + 1))
    w, b = node[:-1], node[-1]
    bounds = list(zip(box.centre - box.half_width, box.centre + box.half_width, strict=True))
    found = linprog(-observer[:-1], A_eq=w[None], b_eq=[-b], bounds=bounds)
    ours = observation(box, observer[:, None], node[:, None])[0, 0]
    if found.success and visibility(box, node[:, None])[0] > 1e-9:
        assert ours == pytest.approx(-found.fun + observer[-1], abs=1e-9)
    elif not found.success:
        assert ours == -np.inf


@given(d=st.integers(1, 5), seed=seeds)
def test_visible_means_both_signs_occur(d, seed):
    """The boundary is visible exactly where the corners of the box have both signs."""
    rng = np.random.default_rng(seed)
    box = random_box(d, rng)
    nodes = rng.standard_normal((d + 1, 6))
    signs = np.stack(np.meshgrid(*[[-1, 1]] * d), axis=-1).reshape(-1, d)
    z = (box.centre + signs * box.half_width) @ nodes[:-1] + nodes[-1]
    np.testing.assert_array_equal(visibility(box, nodes) > 0, (z.max(axis=0) > 0) & (z.min(axis=0) < 0))


def test_a_node_without_weights_has_no_boundary():
    """w = 0: never visible, never observed, co-linear with nothing if its bias is 0 as well."""
    box = Box.cube(2)
    pure = np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert np.all(visibility(box, pure) == -np.inf)
    assert np.all(observation(box, np.ones((3, 1)), pure) == -np.inf)
    assert not colinear(pure[:, 1:], pure).any()
    assert separation(pure) == 0


def test_an_antiparallel_node_is_colinear_but_not_aligned():
    """Definition 3 takes positive multiples; the theorems need either sign."""
    w = np.array([[0.3], [-1.0], [0.2]])
    assert aligned(w, 5 * w).all()
    assert colinear(w, -5 * w).all()
    assert not aligned(w, -5 * w).any()
    assert separation(np.concatenate([w, -w], axis=1)) == 0
    assert not colinear(w, w + np.array([[0.0], [0.0], [1e-8]])).any()


@pytest.mark.parametrize("half_width", [[1.0, 0.0], [1.0], [[1.0, 1.0]]])
def test_a_region_without_inside_is_refused(half_width):
    """An empty or misshapen box is named."""
    with pytest.raises(ValueError, match="half_width"):
        Box(np.zeros(2), np.array(half_width))
