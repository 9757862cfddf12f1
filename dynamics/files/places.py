"""What stands at a path that is to be written or read, found out before the work: a link is followed, a pipe is none.

A regular file is replaced as a whole. Devices, pipes and descriptors of this process (``/dev/stdout``, ``/dev/fd/3``)
are written to as they are. Folders, sockets, disks, write-protected files and addresses of the web are refused.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from dynamics.validation import shown

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
_LINKS_AT_MOST = 40

_REFUSED = {
    errno.ELOOP: "is a circle of links",
    errno.ENAMETOOLONG: "is too long a name",
    errno.EACCES: "lies in a folder that may not be entered",
    errno.ENOTDIR: "lies below something that is no folder",
}


@dataclass(frozen=True)
class Place:
    """Where output goes.

    Attributes:
        path: as it was given.
        target: the regular file behind all links, there already or not.
        found: what ``os.stat`` says of it; None where there is nothing yet.
        descriptor: the open file of this process that the path stands for, if it does.
        streams: whether it is written to as it is (a device, a pipe, a descriptor) rather than replaced.
    """

    path: Path
    target: Path
    found: os.stat_result | None = None
    descriptor: int | None = None
    streams: bool = False


def check_writable(argument: str, path: str | PathLike[str]) -> Place:
    """Find out where output at ``path`` would go; nothing is opened or changed.

    Raises:
        ValueError: naming ``argument``, the path and why nothing can be written there.
    """
    given = Path(path)
    descriptor = _descriptor(given)
    if descriptor is not None:
        _check_descriptor(argument, given, descriptor)
        return Place(given, given, descriptor=descriptor, streams=True)
    found = look_at(argument, given)
    if found is not None and not stat.S_ISREG(found.st_mode):
        _check_stream(argument, given, found.st_mode)
        return Place(given, given, found, streams=True)
    target = Path(os.path.realpath(given))
    _check_folder(argument, given, target.parent)
    if found is not None and not os.access(target, os.W_OK):
        raise ValueError(f"{argument}: {given} is write-protected")
    return Place(given, target, found)


def check_readable(argument: str, path: str | PathLike[str]) -> Path:
    """``path`` where a regular file stands there.

    Raises:
        ValueError: naming ``argument`` and what stands there instead.
    """
    given = Path(path)
    found = look_at(argument, given)
    if found is None:
        raise ValueError(f"{argument}: {os.fspath(path)}: no such file")
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{argument}: {given}: expected a regular file, got a {kind_of(found.st_mode)}")
    return given


def same_place(one: str | PathLike[str], other: str | PathLike[str]) -> bool:
    """Whether two paths lead to one file, by links or by other words."""
    if os.path.realpath(one) == os.path.realpath(other):
        return True
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):  # one of them is not there yet
        return False


def kind_of(mode: int) -> str:
    """What a file of this ``st_mode`` is, in a word."""
    kinds = {
        stat.S_IFDIR: "folder",
        stat.S_IFIFO: "pipe",
        stat.S_IFSOCK: "socket",
        stat.S_IFBLK: "disk",
        stat.S_IFCHR: "device",
    }
    return kinds.get(stat.S_IFMT(mode), "file of another kind")


def look_at(argument: str, path: Path) -> os.stat_result | None:
    """What stands at ``path``, links followed; None where nothing does.

    Raises:
        ValueError: naming ``argument``: no path of this machine, a circle of links, or nothing that may be looked at.
    """
    if _ADDRESS.match(str(path)) and not path.exists():
        raise ValueError(f"{argument}: expected a file on this machine, got the address {shown(str(path))}")
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = _REFUSED.get(getattr(error, "errno", 0) or 0, f"cannot be looked at ({error})")
        place = str(path) if len(str(path)) < 200 else f"{str(path)[:80]}…"
        raise ValueError(f"{argument}: {place!r} {why}") from error


def _check_stream(argument: str, path: Path, mode: int) -> None:
    if not (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):
        raise ValueError(f"{argument}: expected a file to write, got the {kind_of(mode)} {path}")
    if not os.access(path, os.W_OK):
        raise ValueError(f"{argument}: the {kind_of(mode)} {path} is not writable")


def _check_folder(argument: str, path: Path, folder: Path) -> None:
    shown = (
        path.parent if path.parent.resolve() == folder else folder
    )  # in the user's words where they say it
    if not folder.exists():
        raise ValueError(f"{argument}: the folder {shown} does not exist")
    if not folder.is_dir():
        raise ValueError(f"{argument}: {shown} is no folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"{argument}: the folder {shown} is not writable")


def _descriptor(path: Path) -> int | None:
    """The descriptor of this process that ``path`` names, as ``/dev/stdout`` does; None for any other path."""
    here = os.path.abspath(path)
    for _ in range(_LINKS_AT_MOST):
        folder, name = os.path.split(here)
        folder = os.path.realpath(folder)
        if folder in ("/dev/fd", f"/proc/{os.getpid()}/fd") and name.isdigit():
            return int(name)
        try:
            here = os.path.normpath(os.path.join(folder, os.readlink(here)))
        except (OSError, ValueError):  # no link: an ordinary path
            return None
    return None


def _check_descriptor(argument: str, path: Path, descriptor: int) -> None:
    import fcntl

    try:
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    except OSError:
        raise ValueError(f"{argument}: {path} is not open") from None
    if flags & os.O_ACCMODE == os.O_RDONLY:
        raise ValueError(f"{argument}: {path} is open for reading alone")
