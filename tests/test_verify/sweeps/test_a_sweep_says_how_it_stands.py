"""What is ahead of a sweep: points, hours and space, counted from what is there."""

from __future__ import annotations

import pytest

from luckproof import sweep
from tests.test_verify.sweeps.small_sweeps import SMALL
from verify.sweeps.configuration import from_mapping
from verify.sweeps.estimate import estimate
from verify.sweeps.shards import ALL
from verify.sweeps.status import SweepStatus
from verify.sweeps.store import Store


def test_the_time_to_go_is_that_of_the_pending_points() -> None:
    """Neither done nor failed; nothing is said while nobody is at work."""
    status = SweepStatus(100, 30, {"memory": 4, "refused": 6}, 0, [], [], 0.5, "code")
    assert status.pending == 60
    assert status.eta == 120.0
    assert "0.5 points a second, 2 min 0 s to go" in str(status)
    idle = SweepStatus(100, 30, {}, 0, [], [], None, "code")
    assert idle.eta is None
    assert "nobody is at work" in str(idle)


def test_the_estimate_is_of_what_is_missing(tmp_path):
    """Hours count the points ahead, disk space all of them; a sweep that is done takes no time."""
    configuration, store = from_mapping(SMALL), Store(tmp_path)
    before = estimate(configuration, None, ALL, jobs=2)
    assert (before.points, before.pending) == (6, 6)
    assert before.hours == pytest.approx(6 * before.seconds / 2 / 3600)
    sweep(SMALL, tmp_path, jobs=1)
    after = estimate(configuration, store, ALL, jobs=2)
    assert (after.pending, after.hours) == (0, 0.0)
    assert after.gigabytes == pytest.approx(6e-9 * after.bytes)
