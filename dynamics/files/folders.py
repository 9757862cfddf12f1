"""Folders that are written into: made where they are missing, refused where they cannot be written to."""

from __future__ import annotations

import os
import stat
from os import PathLike
from pathlib import Path

from dynamics.files.places import check_writable, kind_of, look_at


def prepare_folder(argument: str, folder: str | PathLike[str]) -> None:
    """Make the folder where it is missing; a link to where nothing stands yet is followed, as it is for files.

    Raises:
        ValueError: naming ``argument``: something else stands in its place, or it cannot be made or written to.
    """
    place = Path(folder)
    found = look_at(argument, place)
    if found is not None and not stat.S_ISDIR(found.st_mode):
        kind = "file" if stat.S_ISREG(found.st_mode) else kind_of(found.st_mode)
        raise ValueError(f"{argument}: expected a folder, got the {kind} {place}")
    try:
        os.makedirs(os.path.realpath(place), exist_ok=True)
    except OSError as error:
        raise ValueError(f"{argument}: the folder {place} cannot be made: {error.strerror}") from error
    check_writable(argument, place / "file")
