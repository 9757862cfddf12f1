"""A collection written to one NetCDF file, point by point: memory for one point, however large the file."""

from __future__ import annotations

import hashlib
import io
import os
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.files import netcdf
from dynamics.files.checksums import LENGTH, last_line_of
from dynamics.files.places import check_writable
from dynamics.files.writing import replacing
from verify.sweeps.point_file import add_dimension, attach, stored_form

if TYPE_CHECKING:
    import h5py

    from verify.sweeps.collection import Collection

MARGIN = 16 * 2**20
"""Bytes for names, attributes and HDF5's own bookkeeping, reserved beyond the arrays."""

_CHUNK = 2**20


def write(collection: Collection, path: str | PathLike[str], argument: str = "to") -> None:
    """Write the collection in one step, with a checksum.

    Raises:
        ValueError: nothing can be written there.
        OSError: the disk has no room for it; an older file is untouched.
    """
    place = check_writable(argument, path)
    if place.streams:
        netcdf.write(collection.to_xarray(lazy=False), path, argument)
        return
    with replacing(place) as descriptor:
        _reserve(descriptor, collection.nbytes + 200 * len(collection.points) + MARGIN, str(path))
        with _Reserved(os.dup(descriptor), "r+b", closefd=True) as raw:
            _fill(collection, raw)
            _seal(raw, raw.end)


def _reserve(descriptor: int, size: int, path: str) -> None:
    """Take the space on the disk beforehand: HDF5 would end the process where it runs out of it later."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        words = f"{error.strerror}: {size / 1e9:.3g} GB are needed; nothing was written"
        raise OSError(error.errno, words, path) from error


class _Reserved(io.FileIO):
    """A file whose space is taken already, and which is empty in HDF5's eyes; the rest is cut off at the end."""

    end = 0
    """Where the content ends."""

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """As of any file, but from the end of the content."""
        if whence == os.SEEK_END:
            return super().seek(self.end + place)
        return super().seek(place, whence)

    def write(self, data: Any) -> int:
        """Write; the content ends there at the earliest."""
        written = super().write(data)
        self.end = max(self.end, self.tell())
        return written

    def truncate(self, size: int | None = None) -> int:
        """Let the content end there; the space is kept."""
        self.end = self.tell() if size is None else size
        return self.end


def _seal(raw: _Reserved, end: int) -> None:
    """Cut the file to its content and put the checksum behind it."""
    os.ftruncate(raw.fileno(), end)
    raw.seek(0)
    digest, rest = hashlib.sha256(), end
    while rest > 0:
        chunk = raw.read(min(rest, _CHUNK))
        digest.update(chunk)
        rest -= len(chunk)
    raw.write(last_line_of(digest.hexdigest(), end))


def _fill(collection: Collection, raw: io.FileIO) -> None:
    import h5py

    with h5py.File(raw, "w", track_order=True) as file:
        stored = _laid_out(collection, file)
        for number in collection.done():
            place = tuple(collection.points.configuration.places(number).values())
            for name, values in collection.content(number).items():
                stored[name][place] = values


def _laid_out(collection: Collection, file: h5py.File) -> dict[str, h5py.Dataset]:
    """All dimensions, coordinates, facts and attributes; the variables, full of NaN."""
    coordinates, variables = collection.coordinates(), collection.layout.variables()
    sizes = dict(collection.points.configuration.dimensions)
    for axes, shape in variables.values():
        sizes |= dict(zip(axes, shape, strict=True))
    sizes |= {axis: values.size for axis, values in coordinates.values()}
    for name, value in {
        **collection.attributes,
        netcdf.SEAL: f"sha256, in the last {LENGTH} bytes of the file",
    }.items():
        file.attrs[name] = value
    aside = [name for name in coordinates if name not in sizes]
    if aside:
        file.attrs["coordinates"] = " ".join(aside)
    scales = {
        axis: add_dimension(file, axis, size, coordinates[axis][1] if axis in coordinates else None)
        for axis, size in sizes.items()
    }
    for name in aside:
        axis, values = coordinates[name]
        attach(file.create_dataset(name, data=stored_form(values), track_times=False), (axis,), scales)
    for name in coordinates:
        file[name].attrs.update(collection.meaning(name))
    swept = tuple(collection.points.configuration.dimensions)
    for name, values in collection.facts.items():
        data: Any = stored_form(values.reshape(collection.shape))
        attach(file.create_dataset(name, data=data, track_times=False), swept, scales)
    found = {}
    for name, (axes, shape) in variables.items():
        full = (*collection.shape, *shape)
        found[name] = file.create_dataset(name, full, np.float64, fillvalue=np.nan, track_times=False)
        attach(found[name], (*swept, *axes), scales)
        found[name].attrs.update(collection.meaning(name))
    return found
