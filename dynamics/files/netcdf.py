"""Data sets as NetCDF-4 files: made in memory, sealed with a checksum, written in one step; read only when whole.

HDF5 itself never sees a file that is being written: on a full disk it would end the process.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Hashable
from os import PathLike
from typing import IO, TYPE_CHECKING

from dynamics.files import foreign_hdf5
from dynamics.files.checksums import LENGTH, DamagedFileError, is_sealed, last_line
from dynamics.files.places import check_readable, check_writable
from dynamics.files.writing import write_atomically
from dynamics.validation import shown

if TYPE_CHECKING:
    import xarray as xr

SEAL = "luckproof_checksum"
"""An attribute that says that a checksum follows: a file that has lost it is damaged too."""

_SEAL_TEXT = f"sha256, in the last {LENGTH} bytes of the file"


class UncheckedFileWarning(UserWarning):
    """A file carries no checksum of ours: damage to it could not be seen."""


def write(dataset: xr.Dataset, path: str | PathLike[str], argument: str = "path") -> None:
    """Write a data set in one step, with a checksum over all of it.

    The same data set gives the same bytes. Memory: once more the size of the data set.

    Raises:
        ValueError: nothing can be written at ``path``, or a part of the data set cannot be stored.
        OSError: the disk is full or fails; an older file is untouched.
    """
    check_writable(argument, path)
    write_atomically(path, to_bytes(dataset), argument)


def to_bytes(dataset: xr.Dataset) -> memoryview:
    """The content of the file of a data set.

    Raises:
        ValueError: naming a variable or attribute that NetCDF cannot hold.
    """
    import h5netcdf
    import xarray as xr

    for name in (*dataset.variables, *dataset.dims):
        check_name("dataset", name, longest=255)
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w") as file:
        store = xr.backends.H5NetCDFStore(file)
        sealed = dataset.assign_attrs({SEAL: _SEAL_TEXT})
        sealed.dump_to_store(store, encoding={name: {"_FillValue": None} for name in dataset.variables})
    with buffer.getbuffer() as content:
        line = last_line(content)
    buffer.seek(0, os.SEEK_END)
    buffer.write(line)
    return buffer.getbuffer()


def read(path: str | PathLike[str], argument: str = "path") -> xr.Dataset:
    """The data set in a file, in memory, once its checksum is found right; see :func:`read_and_tell`."""
    return read_and_tell(path, argument)[0]


def read_and_tell(path: str | PathLike[str], argument: str = "path") -> tuple[xr.Dataset, bool]:
    """The data set in a file, in memory, and whether a checksum vouches for it.

    A file without one, older or by another program, is read with an :class:`UncheckedFileWarning`.

    Raises:
        DamagedFileError: it is not as it was written.
        ValueError: it is not there, no NetCDF-4, leads to other files, or is larger than the memory.
    """
    place = check_readable(argument, path)
    try:
        with open(place, "rb") as file:
            return _read(file, str(path))
    except DamagedFileError as error:
        raise DamagedFileError(
            f"{argument}: {str(path)!r} is damaged: {error}; take it from a copy, or remove it and make it again"
        ) from error
    except _UNREADABLE as error:
        raise ValueError(f"{argument}: cannot read {str(path)!r} as NetCDF-4: {error}") from error


_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
    AttributeError,
    IndexError,
    MemoryError,
)
"""What the parsers raise on bytes that are none of theirs."""


def _read(file: IO[bytes], path: str) -> tuple[xr.Dataset, bool]:
    import xarray as xr

    sealed = is_sealed(file)
    foreign_hdf5.check(file)
    file.seek(0)
    dataset = xr.load_dataset(file, engine="h5netcdf", decode_times=False)
    if dataset.attrs.pop(SEAL, None) is not None and not sealed:
        raise DamagedFileError("its checksum is gone: it was cut short, or rewritten by another program")
    if not sealed:
        warnings.warn(
            f"{path} carries no checksum of luckproof's: damage to it could not be seen",
            UncheckedFileWarning,
            stacklevel=4,
        )
    return dataset, sealed


_NAME = re.compile(r"[^\x00-\x1f\x7f/\ud800-\udfff]+")


def check_name(argument: str, name: Hashable, longest: int = 200) -> str:
    """``name`` where NetCDF can hold a variable or dimension of it.

    Raises:
        ValueError: naming ``argument``: it is no text, empty, too long, has a slash or a control character, or a blank
            at its end.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name != name.strip() or name == ".":
        raise ValueError(
            f"{argument}: expected names without slashes, control characters and outer blanks, got {shown(name)}"
        )
    if len(name.encode()) > longest:
        raise ValueError(f"{argument}: expected names up to {longest} bytes, got {shown(name[:40] + '…')}")
    return name
