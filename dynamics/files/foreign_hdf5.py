"""What an HDF5 file may not do to its reader: lead elsewhere, or unpack to more than the memory holds."""

from __future__ import annotations

import math
import os
from typing import IO, TYPE_CHECKING, Any

from dynamics.memory import GIB, available_memory

if TYPE_CHECKING:
    import h5py

MEMORY_SHARE = 0.5
"""Share of the available memory that the arrays of a file may take."""

_ROWS = 4096
"""Texts looked at in one go: their lengths are nowhere written down."""


def check(file: IO[bytes]) -> None:
    """Look through the outline of an HDF5 file before any of its numbers are read.

    Raises:
        ValueError: it has links to elsewhere, storage outside of itself, groups, or more numbers than fit the memory.
        OSError, RuntimeError: HDF5 cannot make sense of it.
    """
    import h5py

    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    limit = int(MEMORY_SHARE * available_memory())
    with h5py.File(file, "r") as root:
        needed = _within(limit, _of_attributes(root, size))
        for name in root:
            if not isinstance(root.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name!r} is a link to elsewhere, which is not followed")
            found = root[name]
            if not isinstance(found, h5py.Dataset):
                raise ValueError(f"{name!r} is a {type(found).__name__.lower()}, expected arrays alone")
            needed += _of_array(name, found, limit) + _of_attributes(found, size)
            _within(limit, needed)


def _within(limit: int, needed: int) -> int:
    if needed > limit:
        raise ValueError(
            f"its arrays take {needed / GIB:.3g} GiB and more, half of the available memory is "
            f"{limit / GIB:.3g} GiB"
        )
    return needed


def _of_array(name: str, array: h5py.Dataset, limit: int) -> int:
    """Bytes of one array in memory; of texts, as far as they stay below ``limit``."""
    import h5py

    if array.external or array.is_virtual:
        raise ValueError(f"the numbers of {name!r} lie in another file, which is not opened")
    entries = math.prod(array.shape or ())
    if array.dtype.kind != "O":
        return entries * int(array.dtype.itemsize)
    if h5py.check_string_dtype(array.dtype) is None:
        raise ValueError(f"{name!r} holds neither numbers nor a list of texts")
    needed = entries * 64
    rows = max(1, _ROWS * len(array) // entries) if array.ndim and entries else 1
    for first in range(0, len(array) if array.ndim and entries else 0, rows):
        if needed > limit:
            break
        needed += sum(map(len, array[first : first + rows].ravel()))
    return needed


def _of_attributes(owner: Any, size: int) -> int:
    """Bytes that the attributes may take; each text of a list of them as long as the file, at most."""
    import h5py

    needed = 0
    for name in owner.attrs:
        attribute = owner.attrs.get_id(name)
        entries = math.prod(attribute.shape or ())
        flexible = isinstance(attribute.get_type(), h5py.h5t.TypeVlenID) or (
            isinstance(attribute.get_type(), h5py.h5t.TypeStringID) and attribute.get_type().is_variable_str()
        )
        needed += entries * (size if flexible else attribute.get_type().get_size())
    return needed
