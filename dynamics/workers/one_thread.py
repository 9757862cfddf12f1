"""One thread for linear algebra while something is computed: the same sums in the same order on every machine."""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController

_lock = threading.Lock()
_inside = 0
"""Calls that are under way in this process."""

_before: list[tuple[Any, int]] = []
"""The libraries that all threads of the program share, with the threads that they had before the first of the calls."""


BRINGERS = ("torch", "sksundae")
"""Packages that bring a library of linear algebra of their own when they are imported, after NumPy's and SciPy's."""


@functools.cache
def _libraries(bringers: tuple[bool, ...]) -> ThreadpoolController:
    """The libraries that are loaded. To look for them takes milliseconds: once, and again when a bringer has come."""
    return ThreadpoolController()


def threads() -> int:
    """The most threads that a library of linear algebra takes in this process now. Cost: microseconds."""
    return max((int(library.num_threads) for library in _loaded()), default=1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Threads of BLAS and OpenMP are one in here, and what they were once the last of several users has left.

    OpenMP has a number for each thread of the program, which is set for the one that enters; BLAS has one for all.
    """
    global _inside
    own = [(library, int(library.num_threads)) for library in _loaded() if _of_each_thread(library)]
    with _lock:
        if not _inside:
            shared = [library for library in _loaded() if not _of_each_thread(library)]
            if "torch" in sys.modules:  # takes a number of its own when it first computes, and sets OpenMP's
                shared.append(_Torch())
            _before[:] = [(library, int(library.num_threads)) for library in shared]
        _inside += 1
        _set([(library, 1) for library, _ in _before])
    _set([(library, 1) for library, _ in own])
    try:
        yield
    finally:
        _set(own)
        with _lock:
            _inside -= 1
            if not _inside:
                _set(_before)


class _Torch:
    """torch's number of threads, as threadpoolctl has those of libraries."""

    @property
    def num_threads(self) -> int:
        return int(sys.modules["torch"].get_num_threads())

    def set_num_threads(self, number: int) -> None:
        """Also that of OpenMP, for this thread of the program."""
        sys.modules["torch"].set_num_threads(number)


def _loaded() -> list[Any]:
    """The libraries of linear algebra; NumPy's and SciPy's must be there to be limited."""
    import numpy  # noqa: F401
    import scipy.linalg  # noqa: F401

    return list(_libraries(tuple(name in sys.modules for name in BRINGERS)).lib_controllers)


def _of_each_thread(library: Any) -> bool:
    """Whether each thread of the program has a number of its own: OpenMP, and what is built on it."""
    return library.user_api == "openmp" or getattr(library, "threading_layer", None) == "openmp"


def _set(numbers: list[tuple[Any, int]]) -> None:
    for library, number in numbers:
        # threadpoolctl from 3.8 on lets one thread set BLAS, the first that ever did, and ignores all others.
        free = getattr(library, "clear_controlling_thread", None)
        if free is not None:
            free(force=True)
        library.set_num_threads(number)
        if free is not None:
            free(force=True)  # nor are others ignored because of this one
