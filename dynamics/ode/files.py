"""Trajectories as labelled data sets and NetCDF-4 files: layout, attributes, atomic writing, strict reading."""

from __future__ import annotations

import json
import math
import os
import secrets
from collections.abc import Mapping
from enum import Enum
from functools import cache
from importlib import metadata
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from dynamics.ode.trajectory import Trajectory

FORMAT = "luckproof trajectory 1"
RESERVED = ("format", "nfev", "n_steps", "status", "message", "success", "events", "json_attributes")


@cache
def software_versions() -> dict[str, str]:
    """Versions of the distributions a result rests on."""
    return {name: _version(name) for name in ("luckproof", "numpy", "scipy", "xarray")}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return "not installed"


def plain(name: str, value: Any) -> Any:
    """``value`` as JSON would give it back: numbers, strings, lists and dictionaries."""
    if name in RESERVED:
        raise ValueError(f"attributes: the name {name!r} is reserved for the trajectory itself")
    try:
        return json.loads(json.dumps(value, default=_json_default))
    except (TypeError, ValueError) as error:
        raise TypeError(f"attributes[{name!r}]: expected JSON-able data, got {value!r}: {error}") from error


def _json_default(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum | Path):
        return str(value)
    raise TypeError(f"type {type(value).__name__} has no JSON form")


def layout(trajectory: Trajectory) -> dict[str, tuple[tuple[int, ...], tuple[str, ...]]]:
    """Per array: its ensemble shape and the names of its trailing axes, checked for consistency."""
    sizes = {"time": trajectory.t.size}
    result = {}
    for name, array in trajectory.arrays.items():
        trailing = trajectory.dimensions.get(name)
        if trailing is None:
            trailing = tuple(f"{name}_axis{axis}" for axis in range(array.ndim - 1))
        if array.ndim < 1 + len(trailing) or array.shape[0] != trajectory.t.size:
            raise ValueError(
                f"{name}: expected shape (T={trajectory.t.size}, ..., {', '.join(trailing)}), got {array.shape}"
            )
        ensemble = array.shape[1 : array.ndim - len(trailing)]
        measured = dict(zip(trailing, array.shape[array.ndim - len(trailing) :], strict=True))
        if ensemble:
            measured["instance"] = math.prod(ensemble)
        for dimension, size in measured.items():
            if sizes.setdefault(dimension, size) != size:
                raise ValueError(
                    f"{name}: dimension {dimension!r} has size {size}, but {sizes[dimension]} in another array"
                )
        result[name] = (ensemble, trailing)
    clashes = sorted(result.keys() & (sizes.keys() | {"time"}))
    if clashes:
        raise ValueError(f"arrays {clashes} bear the name of a dimension")
    return result


def to_dataset(trajectory: Trajectory) -> xr.Dataset:
    """The labelled data set of a trajectory; see ``Trajectory.to_xarray``."""
    import xarray as xr  # slow to import, and not needed to integrate

    variables = {}
    for name, (ensemble, trailing) in layout(trajectory).items():
        array = trajectory.arrays[name]
        lead = ("instance",) if ensemble else ()
        flat = array.reshape(
            array.shape[:1] + ((math.prod(ensemble),) if ensemble else ()) + array.shape[1 + len(ensemble) :]
        )
        named = name in trajectory.dimensions
        attributes = {
            "role": "state" if name in trajectory.state else "observable",
            "ensemble_shape": json.dumps(ensemble),
            "trailing": json.dumps(trailing if named else None),
        }
        variables[name] = (("time", *lead, *trailing), flat, attributes)
    return xr.Dataset(variables, coords={"time": trajectory.t}, attrs=_encode(trajectory))


def _encode(trajectory: Trajectory) -> dict[str, Any]:
    """Attributes NetCDF can hold: strings and numbers as they are, anything else as JSON text."""
    attributes = {
        "format": FORMAT,
        "nfev": trajectory.nfev,
        "n_steps": trajectory.n_steps,
        "status": str(trajectory.status),
        "message": trajectory.message,
        "success": int(trajectory.success),
        "events": {name: list(times) for name, times in trajectory.events.items()},
        **trajectory.attributes,
    }
    encoded = [name for name, value in attributes.items() if not _holds(value)]
    texts = {name: json.dumps(attributes[name]) for name in encoded}
    return {**attributes, **texts, "json_attributes": json.dumps(encoded)}


def _holds(value: Any) -> bool:
    """Whether a NetCDF attribute gives ``value`` back as it is."""
    if isinstance(value, str):  # neither an empty one, nor NUL, nor half a surrogate pair
        return value != "" and "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, float)


def write(dataset: xr.Dataset, path: str | PathLike[str]) -> None:
    """Write under a temporary name in the same folder, then rename; nothing is left behind on failure."""
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


def read(path: str | PathLike[str]) -> dict[str, Any]:
    """The fields of the trajectory in a file written by :func:`write`."""
    import xarray as xr

    try:
        dataset = xr.load_dataset(path, engine="h5netcdf", decode_times=False)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"path: cannot read {str(path)!r} as NetCDF-4: {error}") from error
    if dataset.attrs.get("format") != FORMAT:
        found = dataset.attrs.get("format")
        raise ValueError(
            f"path: {str(path)!r} is not a trajectory file: format {found!r}, expected {FORMAT!r}"
        )
    try:
        return _decode(dataset)
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"path: {str(path)!r} is a damaged trajectory file: {error!r}") from error


def _decode(dataset: xr.Dataset) -> dict[str, Any]:
    held = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in dataset.attrs.items()
    }
    for name in json.loads(held["json_attributes"]):
        held[name] = json.loads(held[name])
    arrays: dict[str, dict[str, Any]] = {"state": {}, "observable": {}}
    dimensions = {}
    for key, variable in dataset.data_vars.items():
        name = str(key)
        ensemble = tuple(json.loads(variable.attrs["ensemble_shape"]))
        trailing = json.loads(variable.attrs["trailing"])
        skip = 2 if ensemble else 1
        values = variable.to_numpy()
        arrays[variable.attrs["role"]][name] = values.reshape(
            values.shape[:1] + ensemble + values.shape[skip:]
        )
        if trailing is not None:
            dimensions[name] = tuple(trailing)
    return {
        "t": dataset["time"].to_numpy(),
        "state": arrays["state"],
        "observables": arrays["observable"],
        "nfev": int(held["nfev"]),
        "n_steps": int(held["n_steps"]),
        "status": held["status"],
        "message": held["message"],
        "events": held["events"],
        "dimensions": dimensions,
        "attributes": {name: value for name, value in held.items() if name not in RESERVED},
    }
