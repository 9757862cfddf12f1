"""What a file of a run can hold: refused when the run is put together, not when it is saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.files.netcdf import SEAL, check_name
from dynamics.validation import is_tensor, shown

_DTYPES = tuple(
    map(np.dtype, ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"))
)  # those of NetCDF, and truth values

_MEANT_BY_READERS = frozenset(
    {"coordinates", "bounds", "grid_mapping", "CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", SEAL}
)
"""Names of attributes that HDF5 or a reader of NetCDF takes for its own."""


_LONGEST = 200


def stored_array(name: str, value: Any) -> NDArray[Any]:
    """``value`` as an array of a kind that comes back from a file as it is, in this machine's order of bytes.

    Raises TypeError for any other kind: complex, masked, objects, texts, other precisions.
    """
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name}: expected an array without a mask, got a masked one")
    if is_tensor(value):
        raise TypeError(f"{name}: expected a NumPy array, got {shown(value)}")
    try:
        array = np.asarray(value)
    except ValueError:  # a ragged list
        raise TypeError(f"{name}: expected an array, got {shown(value)}") from None
    native = array.dtype.newbyteorder("=")
    if native not in _DTYPES:
        raise TypeError(
            f"{name}: expected real numbers of 32 or 64 bits, integers or truth values, got {array.dtype}"
        )
    return array if array.dtype == native else array.astype(native)


def stored_labels(name: str, value: Any) -> NDArray[Any]:
    """The same for the values of a coordinate, which may be texts too."""
    array = np.asarray(value)
    if array.dtype.kind != "U":
        return stored_array(name, value)
    for text in array.ravel().tolist():
        if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise ValueError(
                f"{name}: expected texts without NUL and halves of characters, got {shown(text)}"
            )
    return array


def check_names(argument: str, names: Iterable[Any]) -> None:
    """Refuse names that a file cannot hold; raises ValueError naming ``argument``."""
    for name in names:
        check_name(argument, name)


def check_distinct(argument: str, names: Iterable[str]) -> None:
    """Refuse names that occur twice; raises ValueError naming ``argument``."""
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"{argument}: the names {twice} occur twice")


def is_plain_attribute(name: str) -> bool:
    """Whether an attribute of this name can stand in a file by itself; others go into one text together."""
    plain = name.isascii() and name.isidentifier() and name[0] != "_" and len(name) <= _LONGEST
    return plain and name not in _MEANT_BY_READERS
