"""Data sets as NetCDF-4 files: atomic writing, strict reading."""

from __future__ import annotations

import os
import secrets
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr


def write(dataset: xr.Dataset, path: str | PathLike[str]) -> None:
    """Write under a temporary name in the same folder, then rename; nothing is left behind on failure.

    Raises:
        ValueError: the folder does not exist, or ``path`` is one.
        OSError: it cannot be written.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise ValueError(f"path: the folder {str(target.parent)!r} does not exist")
    if target.is_dir():
        raise ValueError(f"path: {str(target)!r} is a folder, expected a file name")
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        encoding = {name: {"_FillValue": None} for name in dataset.variables}
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
        with open(temporary, "r+b") as file:
            os.fsync(file.fileno())  # the rename must not reach the disk before the data
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | PathLike[str]) -> xr.Dataset:
    """The data set in a file, in memory.

    Raises:
        ValueError: it cannot be read as NetCDF-4.
    """
    import xarray as xr

    try:
        return xr.load_dataset(path, engine="h5netcdf", decode_times=False)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"path: cannot read {str(path)!r} as NetCDF-4: {error}") from error
