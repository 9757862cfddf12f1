"""Benchmarks run on one core, and those that need the extra ``peers`` only where benchmarks are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

NEED_PEERS = {"test_contest.py", "test_ensembles.py", "test_work_precision.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Other runs do without jax, and need not have it."""
    asked = "bench" in (config.getoption("-m") or "")
    return True if collection_path.name in NEED_PEERS and not asked else None


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """One core for everyone: the settings that limit threads do not reach all of jax's.

    Threads inherit what holds where they are started; systems other than Linux go without.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture
def every_core(one_core: None) -> None:
    """For what starts processes of its own."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
