"""Points computed by the workers of a Dask scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dynamics.workers.dask_workers import dask_workers
from verify.sweeps.engines import Engine, in_executor


@contextmanager
def on_scheduler(address: str) -> Iterator[Engine]:
    """An engine on the scheduler at ``address`` (``tcp://HOST:PORT``); raises ValueError where nobody answers."""
    with dask_workers("--scheduler", address) as workers:
        yield in_executor(workers, workers.window)
