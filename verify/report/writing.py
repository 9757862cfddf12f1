"""Output files: checked before the work starts, complete or absent after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def check_writable(argument: str, path: Path) -> None:
    """Refuse an output path whose folder is missing or which is a folder itself, before any work is done.

    Raises:
        ValueError: naming ``argument`` and the path.
    """
    if path.is_dir():
        raise ValueError(f"{argument}: expected a file to write, got the folder {path}")
    if not path.parent.is_dir():
        raise ValueError(f"{argument}: the folder {path.parent} does not exist")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"{argument}: the folder {path.parent} is not writable")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write ``content`` under a temporary name in the same folder and rename it: all of it or nothing.

    Raises:
        OSError: the folder is not there or not writable; an older file at ``path`` is then untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp keeps the file private
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
