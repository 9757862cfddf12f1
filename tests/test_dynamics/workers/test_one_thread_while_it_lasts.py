"""Linear algebra is on one thread inside, for all who are inside, and on as many as before once the last has left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from threadpoolctl import ThreadpoolController

from dynamics.workers.one_thread import one_thread, threads


@pytest.fixture(autouse=True)
def two() -> Iterator[None]:
    """Two threads at the start, whatever the tests run with."""
    import scipy.linalg  # noqa: F401 (its library must be there to have threads)
    import torch  # noqa: F401 (OpenMP's)

    with ThreadpoolController().limit(limits=2):
        if threads() != 2:
            pytest.skip("the libraries here have one thread")
        yield


LATER = """
from threadpoolctl import ThreadpoolController
from dynamics.workers.one_thread import one_thread, threads
def count():
    return len(ThreadpoolController().lib_controllers)
threads()
before = count()
import sksundae
after = count()
with one_thread():
    print(before, after, max(l.num_threads for l in ThreadpoolController().lib_controllers))
"""


def blas_threads() -> int:
    return max(
        library.num_threads for library in ThreadpoolController().select(user_api="blas").lib_controllers
    )


def test_one_inside_and_as_many_as_before_afterwards() -> None:
    """Also where one is inside another, and where the inside raises."""
    with one_thread():
        assert threads() == 1
        with one_thread():
            assert threads() == 1
        assert threads() == 1
    assert threads() == 2
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert threads() == 2


def test_those_who_leave_first_change_nothing_for_the_others() -> None:
    """Two threads of a program that come and go in turn: in each of them there is one, in OpenMP's own number too."""
    inside, leave, seen = threading.Event(), threading.Event(), list[int]()

    def other() -> None:
        with one_thread():
            seen.append(threads())
            inside.set()
            leave.wait(10)
            seen.append(threads())

    thread = threading.Thread(target=other)
    with one_thread():
        thread.start()
        assert inside.wait(10)
    assert blas_threads() == 1  # the other is still inside
    leave.set()
    thread.join()
    assert seen == [1, 1]
    assert threads() == blas_threads() == 2


def test_a_library_that_came_later_is_limited_too() -> None:
    """SUNDIALS brings an OpenBLAS of its own: its threads count as soon as it is there."""
    done = subprocess.run(
        [sys.executable, "-c", LATER], capture_output=True, text=True, check=True, timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    )  # fmt: skip
    before, after, inside = map(int, done.stdout.split())
    assert after > before
    assert inside == 1


def test_torch_computes_on_one_thread() -> None:
    """It takes a number of its own, and in a new thread of the program takes it when it first computes."""
    import torch

    seen = list[int]()

    def computing() -> None:
        with one_thread():
            torch.ones(300, 300) @ torch.ones(300, 300)
            seen.extend([torch.get_num_threads(), threads()])

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        thread = threading.Thread(target=computing)
        thread.start()
        thread.join()
        assert seen == [1, 1]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_whoever_set_the_threads_before_does_not_keep_others_from_it() -> None:
    """A thread that asked for more and is still there: a pool's thread computes on one all the same."""
    seen = list[int]()

    def computing() -> None:
        with one_thread():
            seen.append(threads())

    held = ThreadpoolController().limit(limits=2)
    thread = threading.Thread(target=computing)
    thread.start()
    thread.join()
    held.restore_original_limits()
    assert seen == [1]
