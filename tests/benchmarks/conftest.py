"""Benchmarks that need the peers (the extra ``peers``) are only collected where benchmarks are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

NEED_PEERS = {"test_contest.py", "test_ensembles.py", "test_work_precision.py"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Other runs do without jax, and need not have it."""
    asked = "bench" in (config.getoption("-m") or "")
    return True if collection_path.name in NEED_PEERS and not asked else None
