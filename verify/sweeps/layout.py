"""How the files of a sweep's points fit into one data set: the largest size of every dimension, a time axis for all."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynamics.ode.results.trajectory_data import PROBLEM
from verify.sweeps.point_file import PointContent

TIME = "time"
RECORD = "record"
"""The dimension of output times that differ between points."""

INSTANCE = "instance"

NUMBERS = "fiub"
"""Kinds of arrays that are collected; all become float64, so that NaN can stand where there is nothing."""


@dataclass
class Layout:
    """What is common to the points that were taken in.

    Attributes:
        axes: names of the sweep's dimensions; a dimension of the files with such a name is called ``run_…``.
        dimensions: of every variable, by name.
        extents: the largest shape of every variable.
        sizes: the largest size of every dimension.
        labels: coordinates by name, with their dimension, as long as all points agree on them.
        disagreed: names of coordinates on which they do not; these are variables.
    """

    axes: Set[str]
    dimensions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    extents: dict[str, tuple[int, ...]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    labels: dict[str, tuple[str, NDArray[Any]]] = field(default_factory=dict)
    disagreed: set[str] = field(default_factory=set)

    def take_in(self, content: PointContent, number: int) -> None:
        """Make room for one more point.

        Raises:
            ValueError: one of its variables has more or fewer dimensions than in the points before.
        """
        for name, (axes, values) in content.variables.items():
            if _is_label(name, axes, values, content):
                self._take_label(name, axes[0], values)
            known = self.dimensions.get(name, axes)
            merged = _merged(name, known, axes)
            if merged is None:
                raise ValueError(
                    f"out: expected points of one kind, got {name} with dimensions {axes} at point {number} and "
                    f"{known} before; sweep flows of different kinds apart"
                )
            before = self.extents.get(name, ())
            extents = [_padded(shape, len(merged), merged) for shape in (before, values.shape)]
            self.extents[name] = tuple(map(max, *extents))
            self.dimensions[name] = merged
            for axis, size in zip(merged, self.extents[name], strict=True):
                self.sizes[axis] = max(size, self.sizes.get(axis, 0))

    def _take_label(self, name: str, axis: str, values: NDArray[Any]) -> None:
        known = self.labels.get(name, (axis, values))[1]
        shared = min(known.size, values.size)
        same_times = name != TIME or known.size == values.size
        if not same_times or not np.array_equal(known[:shared], values[:shared]):
            self.disagreed.add(name)
        self.labels[name] = (axis, known if known.size >= values.size else values)

    def variables(self) -> dict[str, tuple[tuple[str, ...], tuple[int, ...]]]:
        """Dimensions and sizes of every variable of the collection, those of the sweep left out."""
        return {
            self._named(name): (
                tuple(self._called(axis) for axis in axes),
                tuple(self.sizes[axis] for axis in axes),
            )
            for name, axes in self.dimensions.items()
            if name not in self.labels or name in self.disagreed
        }

    def coordinates(self) -> dict[str, tuple[str, NDArray[Any]]]:
        """Labels that hold for all points."""
        agreed = {name: found for name, found in self.labels.items() if name not in self.disagreed}
        return {
            self._named(name): (self._called(axis), _labels(values))
            for name, (axis, values) in agreed.items()
        }

    def fitted(self, content: PointContent) -> dict[str, NDArray[np.float64]]:
        """The variables of one point in the collection's sizes, NaN where it has nothing."""
        found = {}
        for name, axes in self.dimensions.items():
            if name in self.labels and name not in self.disagreed:
                continue
            full = np.full(tuple(self.sizes[axis] for axis in axes), np.nan)
            if name in content.variables:
                values = content.variables[name][1]
                if values.ndim < len(axes):  # one run is an ensemble of one
                    values = np.expand_dims(values, _ensemble_axis(axes))
                if values.dtype.kind in NUMBERS:
                    full[tuple(slice(size) for size in values.shape)] = values
            found[self._named(name)] = full
        return found

    def _called(self, axis: str) -> str:
        """A dimension's name in the collection."""
        if axis == TIME and TIME in self.disagreed:
            return RECORD
        return self._named(axis)

    def _named(self, name: str) -> str:
        return f"run_{name}" if name in self.axes else name


def _merged(name: str, one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...] | None:
    """Dimensions for an array that has ``one`` at some points and ``other`` at others; None where there are none.

    An array of one run fits an ensemble, of which it is the one member; where the two have different names for an
    axis (the layer behind another in deep networks of different depth), the axis is the array's own.
    """
    shorter, longer = sorted((one, other), key=len)
    if len(longer) - len(shorter) == 1:
        place = _ensemble_axis(longer)
        shorter = (*shorter[:place], longer[place], *shorter[place:])
    if len(shorter) != len(longer) or _unnamed(longer) != _unnamed(shorter):
        return None
    if _unnamed(longer):
        return longer
    pairs = enumerate(zip(shorter, longer, strict=True))
    return tuple(axis if axis == same else f"{name}_axis{place}" for place, (axis, same) in pairs)


def _unnamed(axes: tuple[str, ...]) -> bool:
    """Whether the axes are those of a part of the problem, which are numbered."""
    return any(axis.startswith(PROBLEM) for axis in axes)


def _ensemble_axis(axes: tuple[str, ...]) -> int:
    """Where an ensemble's members are counted: the first axis of a part of the problem."""
    return axes.index(INSTANCE) if INSTANCE in axes else 0


def _padded(shape: tuple[int, ...], rank: int, axes: tuple[str, ...]) -> tuple[int, ...]:
    """A shape with an ensemble of one where it lacks that axis; no extent at all for one that was not seen yet."""
    if not shape:
        return (0,) * rank
    place = _ensemble_axis(axes)
    return shape if len(shape) == rank else (*shape[:place], 1, *shape[place:])


def _is_label(name: str, axes: tuple[str, ...], values: NDArray[Any], content: PointContent) -> bool:
    """Whether a variable labels a dimension, rather than being what was computed."""
    aside = str(content.attributes.get("coordinates", "")).split()
    return len(axes) == 1 and (name == axes[0] or name in aside)


def _labels(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(str) if values.dtype == object else values
