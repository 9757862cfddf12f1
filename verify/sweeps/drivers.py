"""Who is at work on a folder: one driver a point, told by lock files that name process and machine.

The lock is the system's, which drops it with the process however that ends; where another machine's locks cannot be
seen, its file counts as held as long as it is touched. Shards of one division have no point in common, and run beside
each other.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.sweeps.errors import BusyFolderError
from verify.sweeps.shards import Shard, read_shard
from verify.sweeps.store import Store

if sys.platform != "win32":
    import fcntl

TOUCHED_EVERY = 10.0
"""Seconds between signs of life of a driver."""

PATIENCE = 0.5
"""Seconds for which a lock is asked for: one who only looks whether it is held has it for a moment."""

STALE_AFTER = 120.0
"""Seconds without a sign of life after which another machine's driver counts as gone."""


@dataclass(frozen=True)
class Driver:
    """A driver that is at work: its process and machine, its share, and when it started (seconds since the epoch)."""

    pid: int
    host: str
    shard: Shard
    started: float

    def __str__(self) -> str:
        share = "" if self.shard.count == 1 else f", shard {self.shard}"
        return f"process {self.pid} on {self.host}{share}"


@contextmanager
def at_work(store: Store, shard: Shard) -> Iterator[None]:
    """Be the driver of a share while the body runs.

    Raises:
        BusyFolderError: another driver is at work on some of the same points.
        OSError: the lock file cannot be written.
    """
    store.drivers.mkdir(exist_ok=True)
    path = store.drivers / f"{shard.number}-of-{shard.count}.json"
    descriptor = _taken(store, path, shard)
    stop = threading.Event()
    heart = threading.Thread(target=_touch, args=(descriptor, stop), daemon=True)
    heart.start()
    try:
        _check_alone(store, shard, path)
        yield
    finally:
        stop.set()
        heart.join()
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)  # after the name is gone, so that nobody locks a file without one


def _taken(store: Store, path: Path, shard: Shard) -> int:
    """The lock file, open, locked and saying who holds it."""
    until = time.monotonic() + PATIENCE
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if _lock_soon(descriptor, until) and not _alive_elsewhere(path, descriptor):
                if _is_at(descriptor, path):
                    content = {
                        "pid": os.getpid(),
                        "host": socket.gethostname(),
                        "shard": str(shard),
                        "started": time.time(),
                    }
                    os.ftruncate(descriptor, 0)
                    os.pwrite(descriptor, json.dumps(content).encode(), 0)
                    return descriptor
                os.close(descriptor)  # its holder has just left and taken the name along
                continue
            raise _busy(store, _described(path))
        except BaseException:
            with suppress(OSError):
                os.close(descriptor)
            raise


def _check_alone(store: Store, shard: Shard, mine: Path) -> None:
    for path, driver in _others(store):
        if path != mine and not driver.shard.apart_from(shard):
            raise _busy(store, driver)


def _busy(store: Store, driver: Driver | None) -> BusyFolderError:
    who = "another driver" if driver is None else str(driver)
    return BusyFolderError(
        f"--out: {who} is at work in {store.folder}; wait for it or end it, or share the points with --shard i/n"
    )


def drivers_at_work(store: Store) -> list[Driver]:
    """All drivers that are at work in the folder."""
    return [driver for _, driver in _others(store)]


def _others(store: Store) -> Iterator[tuple[Path, Driver]]:
    for path in sorted(store.drivers.glob("*-of-*.json")):
        driver = _described(path)
        if driver is not None and _is_held(path):
            yield path, driver


def _described(path: Path) -> Driver | None:
    """What a lock file says; None where it is gone or being written."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        shard = read_shard("shard", content["shard"])
        return Driver(int(content["pid"]), str(content["host"]), shard, float(content["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(descriptor, shared=True) or _alive_elsewhere(path, descriptor)
    finally:
        os.close(descriptor)


def _alive_elsewhere(path: Path, descriptor: int) -> bool:
    """Whether the file is another machine's, whose lock may not be seen here, and was touched a short while ago."""
    driver = _described(path)
    if driver is None or driver.host == socket.gethostname():
        return False
    return time.time() - os.fstat(descriptor).st_mtime < STALE_AFTER


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file still bears the name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _lock_soon(descriptor: int, until: float) -> bool:
    """Take the lock, asking again until that time: drivers that start together look at each other's files."""
    while not _lock(descriptor):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock; False where another process has it. File systems without locks count as free.

    ``shared``: only to see whether a driver holds it, beside others who look.
    """
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _touch(descriptor: int, stop: threading.Event) -> None:
    while not stop.wait(TOUCHED_EVERY):
        with suppress(OSError):
            os.utime(descriptor)
