"""Temporary files beside a target: their names fit any folder, and those that a killed process left are removed.

A process holds a lock on each of its temporary files; one that nobody holds was left behind. The system drops the lock
with the process, however it ends.
"""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":  # no such locks there: what was left is removed when it is a day old
    import fcntl

PREFIX, SUFFIX = ".luckproof-", ".tmp"
"""Names are these and 16 digits: 31 bytes, however long the target's name is."""

SWEEPING_SHARE = 0.01
"""Share of the time that looking for leftovers may take in a full folder."""

FULL_FOLDER = 1000
"""Files from which on a folder is full: looking through fewer takes less than a millisecond."""

_DAY = 86_400.0
_rest_until: dict[str, float] = {}


@contextmanager
def temporary_in(folder: Path) -> Iterator[tuple[int, Path]]:
    """A new file in ``folder``, open for writing, and its path; it is gone afterwards unless it was renamed."""
    descriptor, path = _new_file(folder)
    try:
        yield descriptor, path
    finally:
        with suppress(FileNotFoundError):
            path.unlink()
        os.close(descriptor)  # after the name is gone, so that no one finds it unlocked


def _new_file(folder: Path) -> tuple[int, Path]:
    while True:
        path = folder / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
        # Mode 0o666 under the user's mask, as any file that is written here.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        if _hold(descriptor) and os.fstat(descriptor).st_nlink:
            return descriptor, path
        os.close(descriptor)  # swept between its making and its lock: another one


def _hold(descriptor: int) -> bool:
    """Take the lock; False where another has it. File systems without locks count as taken for ourselves."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def sweep(folder: Path) -> None:
    """Remove temporary files of processes that are gone; what cannot be removed stays, silently."""
    started = time.monotonic()
    if started < _rest_until.get(str(folder), 0.0):
        return
    count = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            count += 1
            if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX):
                with suppress(OSError):
                    _remove_if_left(entry.path)
    if count > FULL_FOLDER:
        now = time.monotonic()
        _rest_until[str(folder)] = now + (now - started) / SWEEPING_SHARE


def _remove_if_left(path: str) -> None:
    if sys.platform == "win32":
        if time.time() - os.stat(path).st_mtime > _DAY:
            os.unlink(path)
        return
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(path)
    finally:
        os.close(descriptor)
