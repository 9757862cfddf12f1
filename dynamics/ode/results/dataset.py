"""A trajectory as a labelled data set, and back: which part of it becomes which variable, coordinate or attribute."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.ode.results.meanings import attributes_of
from dynamics.ode.results.storable import is_plain_attribute
from dynamics.ode.results.trajectory_data import (
    PROBLEM,
    RESERVED_ATTRIBUTES,
    Axes,
    TrajectoryData,
    event_variable,
)
from dynamics.validation import shown

if TYPE_CHECKING:
    import xarray as xr

FORMAT = "luckproof trajectory 2"
FORMAT_WITHOUT_PROBLEM = "luckproof trajectory 1"
"""The format before, which told neither the problem nor what the time axis counts; still read."""

NOT_RECORDED = "not recorded"
"""What the time axis of a run counts whose file does not say so."""


def to_dataset(data: TrajectoryData) -> xr.Dataset:
    """The labelled data set of a trajectory; see ``Trajectory.to_xarray``."""
    import xarray as xr  # slow to import, and not needed to integrate

    variables = {name: _run_variable(data, name, axes) for name, axes in data.axes().items()}
    for key, value in data.problem.items():
        if isinstance(value, np.ndarray):
            axes = tuple(f"{PROBLEM}{key}_axis{axis}" for axis in range(value.ndim))
            variables[f"{PROBLEM}{key}"] = (axes, value, {"role": "problem", **attributes_of(key)})
    for place, (event, states) in enumerate(data.event_states.items()):
        name = event_variable(place)
        axes = (f"{name}_axis0", f"{name}_axis1")
        variables[name] = (axes, states, {"role": "event", "event": json.dumps(event)})
    coordinates: dict[str, Any] = {
        "time": ("time", data.t, {"long_name": data.time_counts} if _is_held(data.time_counts) else {})
    }
    coordinates |= data.coordinates
    return xr.Dataset(variables, coords=coordinates, attrs=_encoded(data))


def _run_variable(
    data: TrajectoryData, name: str, axes: Axes
) -> tuple[tuple[str, ...], NDArray[Any], dict[str, Any]]:
    """Dimensions, values and attributes of one array, its ensemble flattened to the dimension ``instance``."""
    array, (ensemble, trailing) = data.arrays[name], axes
    lead = ("instance",) if ensemble else ()
    flat = (math.prod(ensemble),) if ensemble else ()
    attributes = {
        "role": "state" if name in data.state else "observable",
        "ensemble_shape": json.dumps(ensemble),
        "trailing": json.dumps(trailing if name in data.dimensions else None),
        **attributes_of(name, data.arrays),
    }
    values = array.reshape(array.shape[:1] + flat + array.shape[1 + len(ensemble) :])
    return ("time", *lead, *trailing), values, attributes


def _encoded(data: TrajectoryData) -> dict[str, Any]:
    """Attributes NetCDF can hold: texts and numbers as they are, anything else as JSON text."""
    attributes = {
        "format": FORMAT,
        "nfev": data.nfev,
        "n_steps": data.n_steps,
        "status": str(data.status),
        "message": data.message,
        "success": int(data.success),
        "events": {name: list(times) for name, times in data.events.items()},
        "time_counts": data.time_counts,
        "problem": {k: part for k, part in data.problem.items() if not isinstance(part, np.ndarray)},
        **{name: value for name, value in data.attributes.items() if is_plain_attribute(name)},
        "other_attributes": {
            name: value for name, value in data.attributes.items() if not is_plain_attribute(name)
        },
    }
    encoded = [name for name, value in attributes.items() if not _is_held(value)]
    texts = {name: json.dumps(attributes[name]) for name in encoded}
    return {**attributes, **texts, "json_attributes": json.dumps(encoded)}


def _is_held(value: Any) -> bool:
    """Whether a NetCDF attribute gives ``value`` back as it is."""
    if isinstance(value, str):  # neither an empty one, nor NUL, nor half a surrogate pair
        return value != "" and "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < 2**63
    return isinstance(value, float)


def fields_of(dataset: xr.Dataset) -> dict[str, Any]:
    """The fields of the trajectory that :func:`to_dataset` made the data set of.

    Raises:
        ValueError: for a data set of another format, or one of whose parts are missing.
    """
    found = dataset.attrs.get("format")
    if found not in (FORMAT, FORMAT_WITHOUT_PROBLEM):
        raise ValueError(f"expected format {FORMAT!r}, got {shown(found)}")
    try:
        return _decoded(dataset)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(f"damaged: {error!r}") from error


def _decoded(dataset: xr.Dataset) -> dict[str, Any]:
    held = _decoded_attributes(dataset)
    arrays: dict[str, dict[str, Any]] = {"state": {}, "observable": {}, "problem": {}, "event": {}}
    dimensions = {}
    for key, variable in dataset.data_vars.items():
        name, role, values = str(key), variable.attrs["role"], variable.to_numpy()
        if role == "problem":
            arrays[role][name.removeprefix(PROBLEM)] = _texts_as_such(values)
            continue
        if role == "event":
            arrays[role][json.loads(variable.attrs["event"])] = values
            continue
        ensemble = tuple(json.loads(variable.attrs["ensemble_shape"]))
        skip = 2 if ensemble else 1
        arrays[role][name] = values.reshape(values.shape[:1] + ensemble + values.shape[skip:])
        trailing = json.loads(variable.attrs["trailing"])
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
        "event_states": arrays["event"],
        "time_counts": held.get("time_counts", NOT_RECORDED),
        "problem": {**held.get("problem", {}), **arrays["problem"]},
        "dimensions": dimensions,
        "coordinates": _decoded_coordinates(dataset),
        "attributes": {
            **{name: value for name, value in held.items() if name not in RESERVED_ATTRIBUTES},
            **held.get("other_attributes", {}),
        },
    }


def _decoded_attributes(dataset: xr.Dataset) -> dict[str, Any]:
    held = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in dataset.attrs.items()
    }
    for name in json.loads(held["json_attributes"]):
        held[name] = json.loads(held[name])
    return held


def _decoded_coordinates(dataset: xr.Dataset) -> dict[str, tuple[str, NDArray[Any]]]:
    found = {}
    for name, values in dataset.coords.items():
        if name != "time":
            found[str(name)] = (str(values.dims[0]), _texts_as_such(values.to_numpy()))
    return found


def _texts_as_such(array: NDArray[Any]) -> NDArray[Any]:
    """Texts come out of a file as objects."""
    return array.astype(str) if array.dtype == object else array
