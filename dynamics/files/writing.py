"""The one place that writes files: all of the content or nothing, and what stands at the path is respected."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from dynamics.files.places import Place, check_writable
from dynamics.files.temporaries import sweep, temporary_in

READER_SECONDS = 10.0
"""How long a pipe without a reader is waited for."""


def write_atomically(
    path: str | PathLike[str], content: str | bytes | memoryview, argument: str = "path"
) -> None:
    """Put ``content`` at ``path``: a reader sees the old file or the new one, whenever the process or machine stops.

    A link is followed, the mode and owner of an older file are kept. A device, a pipe or a descriptor (``/dev/stdout``)
    is written to as it is. A second name of the file (a hard link) keeps the old content.

    Args:
        path: where to.
        content: bytes, or text, which becomes UTF-8.
        argument: the name of the path in error messages.
    Raises:
        ValueError: nothing can be written there (a folder, no folder, write-protected).
        OSError: the disk is full or fails; the older file is untouched and nothing else left behind.
    """
    data = content.encode(errors="backslashreplace") if isinstance(content, str) else content
    place = check_writable(argument, path)
    try:
        if place.streams:
            _send(place, data)
        else:
            _replace(place, data)
    except OSError as error:
        kept = "" if place.streams else "; nothing was written"
        kept += ", the older file is as it was" if place.found is not None and kept else ""
        raise OSError(error.errno, f"{error.strerror or error}{kept}", str(path)) from error


def _replace(place: Place, data: bytes | memoryview) -> None:
    with replacing(place) as descriptor:
        _write_all(descriptor, data)


@contextmanager
def replacing(place: Place) -> Iterator[int]:
    """A new file, open for reading and writing, that stands at ``place`` once the body has ended without an error.

    ``place``: of :func:`dynamics.files.places.check_writable`, and no stream. Raises OSError where the disk fails; the
    older file is then untouched and nothing else left behind.
    """
    folder = place.target.parent
    sweep(folder)
    with temporary_in(folder) as (descriptor, temporary):
        yield descriptor
        if place.found is not None:
            _take_over(descriptor, place.found)
        os.fsync(descriptor)  # the rename must not reach the disk before the data
        os.replace(temporary, place.target)
    _sync_folder(folder)


def _take_over(descriptor: int, found: os.stat_result) -> None:
    """Owner and mode of the older file; the owner only where this user may give files away."""
    if not hasattr(os, "fchown"):
        return
    ours = os.fstat(descriptor)
    if (ours.st_uid, ours.st_gid) != (found.st_uid, found.st_gid):
        with suppress(OSError):
            os.fchown(descriptor, found.st_uid, found.st_gid)
    os.fchmod(descriptor, found.st_mode & 0o7777)


def _sync_folder(folder: Path) -> None:
    """Put the new name on the disk too, where folders can be synchronised."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _send(place: Place, data: bytes | memoryview) -> None:
    if place.descriptor is None:
        descriptor = _open_stream(place.path)
    else:
        for stream in (sys.stdout, sys.stderr):  # what was printed before comes before
            if stream is not None:
                with suppress(OSError, ValueError):
                    stream.flush()
        descriptor = os.dup(place.descriptor)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _open_stream(path: Path) -> int:
    """Open a device or pipe; a pipe that nobody reads is an error after a while, never a run that hangs."""
    until = time.monotonic() + READER_SECONDS
    while True:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            break
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            if time.monotonic() > until:
                raise OSError(errno.ENXIO, f"nobody reads it ({READER_SECONDS:g} s waited)") from error
            time.sleep(0.02)
    os.set_blocking(descriptor, True)
    return descriptor


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    rest = memoryview(data).cast("B")
    while rest:
        rest = rest[os.write(descriptor, rest[: 1 << 30]) :]
