"""Folders that a command writes into: made where they are missing, refused where they cannot be written to."""

from __future__ import annotations

from pathlib import Path


def prepare_folder(option: str, folder: Path) -> None:
    """Make the folder where it is missing.

    Raises:
        ValueError: naming ``option``: there is a file in its place, or it cannot be made or written to.
    """
    from dynamics.files.places import check_writable

    try:
        if folder.exists() and not folder.is_dir():
            raise ValueError(f"{option}: expected a folder, got the file {folder}")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{option}: the folder {folder} cannot be made: {error.strerror}") from error
    check_writable(option, folder / "file")
