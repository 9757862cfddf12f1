"""The file of a point, written and read past the general writer: a NetCDF-4 file in a few milliseconds.

A root attribute tells the dimensions of every variable once more, so that a reader need not follow HDF5's references.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.files.checksums import LENGTH, DamagedFileError, is_sealed, last_line
from dynamics.files.netcdf import SEAL
from verify.sweeps.store import POINT_ATTRIBUTE

if TYPE_CHECKING:
    import h5py
    import xarray as xr

DIMENSIONS = "sweep_dimensions"
"""The attribute with the dimensions of every variable."""

_NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable.{size:10d}"


def to_bytes(dataset: xr.Dataset) -> bytes:
    """The content of the file of a data set, with its checksum; the same data set gives the same bytes."""
    import h5py

    dimensions = {str(name): [str(axis) for axis in v.dims] for name, v in dataset.variables.items()}
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", track_order=True) as file:
        aside = [str(name) for name in dataset.coords if name not in dataset.sizes]
        if aside:
            file.attrs["coordinates"] = " ".join(aside)
        facts = {SEAL: f"sha256, in the last {LENGTH} bytes of the file", DIMENSIONS: json.dumps(dimensions)}
        for name, value in {**dataset.attrs, **facts}.items():
            file.attrs[name] = value
        scales = {}
        for axis, size in dataset.sizes.items():
            own = dataset.variables[axis].to_numpy() if axis in dataset.variables else None
            scales[str(axis)] = add_dimension(file, str(axis), size, own)
        for key, variable in dataset.variables.items():
            stored = file[str(key)] if str(key) in scales else None
            if stored is None:
                values = stored_form(variable.to_numpy())
                stored = file.create_dataset(str(key), data=values, track_times=False)
                attach(stored, variable.dims, scales)
            for name, value in variable.attrs.items():
                stored.attrs[name] = value
    content = buffer.getvalue()
    return content + last_line(content)


def add_dimension(file: h5py.Group, name: str, size: int, values: NDArray[Any] | None) -> h5py.Dataset:
    """A dimension in NetCDF's way: a scale with its coordinate's values, or one that says that there are none."""
    if values is not None:
        scale = file.create_dataset(name, data=stored_form(values), track_times=False)
        scale.make_scale(name)
    else:
        scale = file.create_dataset(name, shape=(size,), dtype=">f4", track_times=False)
        scale.make_scale(_NO_VARIABLE.format(size=size))
    return scale


def attach(stored: h5py.Dataset, dimensions: Any, scales: Mapping[str, h5py.Dataset]) -> None:
    """Tell a variable's dimensions."""
    for place, axis in enumerate(dimensions):
        stored.dims[place].attach_scale(scales[str(axis)])


def stored_form(values: NDArray[Any]) -> Any:
    """Texts as HDF5 takes them; numbers as they are."""
    import h5py

    if values.dtype.kind in "UO":
        return np.array(values.tolist(), dtype=h5py.string_dtype())
    return values


@dataclass(frozen=True)
class PointContent:
    """What a point's file holds.

    ``variables``: dimensions and values by name, the coordinates' too; ``attributes``: plain values.
    """

    variables: dict[str, tuple[tuple[str, ...], NDArray[Any]]]
    attributes: dict[str, Any]


def read(path: Path, key: str) -> PointContent:
    """The content of the file of the point ``key``.

    Raises:
        DamagedFileError: it is not as it was written, or another point's.
    """
    import h5py

    data = path.read_bytes()
    try:
        if not is_sealed(io.BytesIO(data)):
            raise DamagedFileError("its checksum is gone")
    except DamagedFileError as error:
        raise DamagedFileError(
            f"{str(path)!r} is damaged: {error}; run the sweep again to compute it anew"
        ) from error
    with h5py.File(io.BytesIO(data), "r") as file:
        attributes = {name: _plain(value) for name, value in file.attrs.items()}
        if attributes.get(POINT_ATTRIBUTE) != key:
            raise DamagedFileError(
                f"{str(path)!r} holds another point than its name says; remove it and run the sweep again"
            )
        dimensions = json.loads(attributes[DIMENSIONS])
        variables = {name: (tuple(axes), _values(file[name])) for name, axes in dimensions.items()}
    return PointContent(variables, attributes)


def _values(stored: h5py.Dataset) -> NDArray[Any]:
    import h5py

    if h5py.check_string_dtype(stored.dtype) is not None:
        return np.asarray(stored.asstr()[()], dtype=object)
    return np.asarray(stored[()])


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
