"""One thread for linear algebra while something is computed: the same sums in the same order on every machine."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside: list[object] = []
"""The limit in force, once for each call that is under way in this process."""


@functools.cache
def _libraries(with_torch: bool) -> ThreadpoolController:
    return (
        ThreadpoolController()
    )  # looks through all loaded libraries: once a process, and once torch has come


def threads() -> int:
    """The most threads that a library of linear algebra takes in this process now. Cost: microseconds."""
    import numpy  # noqa: F401
    import scipy.linalg  # noqa: F401

    return max(
        (int(library.num_threads) for library in _libraries("torch" in sys.modules).lib_controllers),
        default=1,
    )


@contextmanager
def one_thread() -> Iterator[None]:
    """Threads of BLAS and OpenMP are one in here, and what they were once the last of several users has left."""
    import numpy  # noqa: F401  (its libraries must be there to be limited)
    import scipy.linalg  # noqa: F401

    with _lock:
        _inside.append(_libraries("torch" in sys.modules).limit(limits=1) if not _inside else _inside[0])
    try:
        yield
    finally:
        with _lock:
            limit = _inside.pop()
            if not _inside:
                limit.restore_original_limits()  # type: ignore[attr-defined]
