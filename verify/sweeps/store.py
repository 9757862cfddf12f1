"""The folder of a sweep: a manifest, one checksummed file for each finished point, and the failures.

manifest.json            what is swept, by which code, with which versions and threads
points/ab/abcd….nc       a finished point under its key
failures/abcd….json      why a point failed
drivers/1-of-1.json      who is at work
"""

from __future__ import annotations

import errno
import io
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from dynamics.files.checksums import LENGTH, DamagedFileError, is_sealed, last_line
from dynamics.files.places import check_readable
from dynamics.files.writing import write_atomically
from dynamics.ode.results.attributes import provenance
from dynamics.validation import shown
from verify.sweeps.configuration import Configuration, from_mapping

FORMAT = "luckproof sweep 1"
POINT_ATTRIBUTE = "sweep_point"
"""The attribute in which a point's file tells its key."""


class Found(Enum):
    """What stands under a point's key."""

    NOTHING = "nothing"
    WHOLE = "whole"
    DAMAGED = "damaged"


@dataclass(frozen=True)
class Store:
    """A sweep's folder, which exists; the parts in it are made when they are needed."""

    folder: Path

    @property
    def manifest_path(self) -> Path:
        """The file that says what is swept."""
        return self.folder / "manifest.json"

    @property
    def drivers(self) -> Path:
        """Where drivers say that they are at work."""
        return self.folder / "drivers"

    def path(self, key: str) -> Path:
        """The file of the point ``key``; some 256 folders keep each of them small."""
        return Path(self._name(key))

    def _name(self, key: str) -> str:
        """As a text: pathlib keeps something of every name it has seen, and a sweep may have millions."""
        return os.path.join(self.folder, "points", key[:2], f"{key}.nc")

    def write(self, key: str, content: bytes) -> None:
        """Put a finished point in its place, in one step."""
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content, "--out")

    def found(self, key: str) -> Found:
        """Whether the point's file is there and as it was written; all of it is read.

        Raises ValueError where something else stands there (a folder, a pipe): the point could not be written.
        """
        path = self._name(key)
        try:
            with open(path, "rb", opener=_without_waiting) as file:
                return Found.WHOLE if is_sealed(file) else Found.DAMAGED
        except FileNotFoundError:
            return Found.NOTHING
        except DamagedFileError:
            return Found.DAMAGED
        except OSError:
            check_readable("--out", path)
            return Found.DAMAGED

    def failure(self, key: str) -> dict[str, Any] | None:
        """Why the point failed; None where it did not, or where the record is not as it was written."""
        path = self._failure_name(key)
        try:
            return read_sealed(Path(path)) if os.path.exists(path) else None
        except ValueError:
            return None

    def fail(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep why a point failed: ``status``, ``reason``, ``details`` and its options."""
        path = Path(self._failure_name(key))
        path.parent.mkdir(exist_ok=True)
        write_sealed(path, record)

    def forget_failure(self, key: str) -> None:
        """For a point that is to be tried again, or that is done."""
        with suppress(FileNotFoundError):
            os.unlink(self._failure_name(key))

    def _failure_name(self, key: str) -> str:
        return os.path.join(self.folder, "failures", f"{key}.json")

    def write_manifest(self, configuration: Configuration, code: str) -> None:
        """Say what is swept in this folder from now on, and by what; nothing is written where it says so already."""
        made_with = {
            **provenance(),
            "threads": 1,
        }  # a worker holds every point to one, whatever this process has
        content = {"format": FORMAT, "code": code, "configuration": configuration.as_plain(), **made_with}
        try:
            if self.manifest_path.exists() and read_sealed(self.manifest_path) == content:
                return
        except ValueError:  # damaged: replaced
            pass
        write_sealed(self.manifest_path, content)

    def manifest(self, argument: str) -> tuple[Configuration, str]:
        """What is swept here, and by which version of the code.

        Raises:
            ValueError: naming ``argument``: the folder holds no sweep, or its manifest is damaged.
        """
        if not self.manifest_path.is_file():
            raise ValueError(
                f"{argument}: expected the folder of a sweep, got {self.folder}, which has no manifest.json"
            )
        content = read_sealed(self.manifest_path)
        if content.get("format") != FORMAT:
            raise ValueError(
                f"{argument}: expected format {FORMAT!r} in {self.folder}, got {shown(content.get('format'))}"
            )
        return from_mapping(content["configuration"]), content["code"]


def _without_waiting(path: str, flags: int) -> int:
    """Open a regular file; a pipe that nobody writes to is not waited for, nor a device read to its end."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no regular file", path)
    return descriptor


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """JSON with a checksum behind it, in one step."""
    text = json.dumps(content, indent=1).encode()
    write_atomically(path, text + last_line(text), "--out")


def read_sealed(path: Path) -> dict[str, Any]:
    """What :func:`write_sealed` wrote; raises DamagedFileError where it is not as it was written."""
    data = check_readable("--out", path).read_bytes()
    try:
        if not is_sealed(io.BytesIO(data)):
            raise DamagedFileError("its checksum is gone")
        content: dict[str, Any] = json.loads(data[:-LENGTH])
    except ValueError as error:
        raise DamagedFileError(
            f"{str(path)!r} is damaged: {error}; remove it, and run the sweep's configuration again"
        ) from error
    return content
