"""Paths between critical points: from end to end, with as many segments as promised, on which the loss is zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.mathematics.kinks.connected import TwoCriticalPoints, network_at, segments

PAIRS = st.builds(
    TwoCriticalPoints,
    d=st.integers(1, 3),
    outputs=st.integers(1, 2),
    teachers=st.integers(1, 4),
    copies=st.integers(1, 2),
    idle=st.integers(2, 4),
    seed=st.integers(0, 2**16),
)


@given(pair=PAIRS)
def test_a_path_leads_from_one_end_to_the_other(pair):
    """Its first and last corners are the ends, and there are at most 4m + 3 segments."""
    _, teacher = pair.setting()
    start, end = pair.ends()
    corners = segments(teacher, start, end)
    for corner, goal in ((corners[0], start), (corners[-1], end)):
        assert all(np.array_equal(a, b) for a, b in zip(corner, goal, strict=True))
    assert len(corners) - 1 <= 4 * pair.teachers + 3


@given(pair=PAIRS)
def test_every_corner_computes_the_teacher(pair):
    """Exactly, for corners are dyadic up to the scales of the students."""
    region, teacher = pair.setting()
    x = region.sample(50, np.random.default_rng(0))
    for corner in segments(teacher, *pair.ends()):
        network = network_at(teacher, corner)
        assert np.abs(network(x) - teacher(x)).max() <= 4 * network.rounding(region.reach)


def test_without_a_node_to_spare_there_is_no_such_path():
    """With n = m and another order of the nodes the construction has nowhere to step aside."""
    pair = next(
        p
        for p in (TwoCriticalPoints(2, 1, 3, 1, 0, seed=s) for s in range(20))
        if not np.array_equal(p.ends()[0][0], p.ends()[1][0])
    )
    with pytest.raises(StopIteration):
        segments(pair.setting()[1], *pair.ends())
