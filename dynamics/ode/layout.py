"""Where each named array of a flow lies in its flat state; what a flow of one's own says of them is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dynamics.validation import shown


class Place(NamedTuple):
    """Where one array lies in the flat state."""

    name: str
    part: slice
    shape: tuple[int, ...]


def layout_of(arrays: Any, dimensions: Any) -> tuple[Place, ...]:
    """The arrays one behind the other, in their order.

    Args:
        arrays: the arrays of a state by name.
        dimensions: names of their trailing axes by name; the axes before these are the ensemble, the same in all.
    Raises:
        TypeError, ValueError: naming the member of the flow, what was expected and what came.
    """
    if not isinstance(arrays, Mapping) or not arrays:
        raise TypeError(f"initial_arrays: expected a mapping of names to arrays, got {shown(arrays)}")
    if not isinstance(dimensions, Mapping):
        raise TypeError(f"dimensions: expected a mapping of names to names of axes, got {shown(dimensions)}")
    places, end = [], 0
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray | np.generic):
            raise TypeError(f"initial_arrays: {name}: expected a NumPy array, got {shown(array)}")
        begin, end = end, end + array.size
        places.append(Place(name, slice(begin, end), array.shape))
    _check_ensembles(places, dimensions)
    return tuple(places)


def _check_ensembles(places: Sequence[Place], dimensions: Mapping[str, Any]) -> None:
    leads = {}
    for name, _, shape in places:
        if name not in dimensions:
            continue
        axes = dimensions[name]
        if (
            isinstance(axes, str)
            or not isinstance(axes, Sequence)
            or not all(isinstance(a, str) for a in axes)
        ):
            raise TypeError(f"dimensions: {name}: expected a tuple of names of axes, got {shown(axes)}")
        if len(axes) > len(shape):
            raise ValueError(
                f"initial_arrays: {name}: expected an array (..., {', '.join(axes)}), got shape {shape}"
            )
        leads[name] = shape[: len(shape) - len(axes)]
    if len(set(leads.values())) > 1:
        raise ValueError(f"initial_arrays: expected the same axes of the ensemble in all, got {leads}")
