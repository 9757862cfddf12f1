"""Points computed by the workers of a Dask scheduler; the one place that knows Dask's distributed side."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from verify.sweeps.engines import Engine, in_executor
from verify.sweeps.errors import EngineError

PATIENCE = "10s"
"""How long the scheduler may take to answer."""

COUNTED_EVERY = 5.0
"""Seconds between two looks at how many workers there are."""


@contextmanager
def on_dask(address: str) -> Iterator[Engine]:
    """An engine on the scheduler at ``address`` (``tcp://HOST:PORT``).

    Workers that die are replaced by others, whose work is the same. The scheduler and its workers are trusted: Dask
    sends code between them.

    Raises:
        ValueError: naming ``--scheduler``: Dask is not installed, or nobody answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("--scheduler: Dask is not installed here; pip install 'luckproof[sweeps]'") from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError, ImportError) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"--scheduler: no Dask scheduler answers at {address!r} ({words})") from None
    with client:
        yield in_executor(_Submitting(client), _window(client))


class _Submitting:
    """``client.submit`` as an executor has it: every call is made, however like another one it is."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, function: Any, /, *arguments: Any) -> Any:
        """Start a call; raises EngineError where the scheduler is gone."""
        if self._client.status not in ("running", "connecting"):
            raise EngineError(f"the Dask scheduler is gone ({self._client.status})")
        return self._client.submit(function, *arguments, pure=False)


def _window(client: Any) -> Callable[[], int]:
    """How many points are handed over at a time: two for each thread of the workers that are there now."""
    counted, size = -math.inf, 2

    def now() -> int:
        nonlocal counted, size
        if time.monotonic() > counted + COUNTED_EVERY:
            counted, size = time.monotonic(), max(2, 2 * sum(client.nthreads().values()))
        return size

    return now
