"""All finished points of a sweep as one labelled data set: its layout, and the arrays, read when they are asked for."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.memory import available_memory
from dynamics.ode.results.meanings import attributes_of
from dynamics.ode.results.trajectory_data import PROBLEM
from verify.sweeps import point_file
from verify.sweeps.commands import words_of
from verify.sweeps.configuration import TOGETHER, Configuration
from verify.sweeps.layout import Layout
from verify.sweeps.points import Points
from verify.sweeps.store import Found, Store
from verify.sweeps.work import DONE

if TYPE_CHECKING:
    import xarray as xr

LAZY_SHARE = 0.25
"""Share of the available memory from which on arrays are left in their files."""

PENDING = "pending"


@dataclass(frozen=True)
class Collection:
    """The finished points of a sweep, seen as one data set.

    ``layout``: what the points' files hold, made to fit all; ``facts``: of every point, by name: ``status``, ``key``,
    ``nfev``, ``n_steps``, in the points' order.
    """

    store: Store
    points: Points
    layout: Layout
    facts: dict[str, NDArray[Any]] = field(repr=False)

    @classmethod
    def of(cls, store: Store, configuration: Configuration, code: str) -> Collection:
        """Look through the finished points; raises as ``Sweep.collect`` does."""
        points, layout = Points(configuration, code), Layout(frozenset(configuration.dimensions))
        size = len(points)
        keys = [points[number].key for number in range(size)]
        status = np.full(size, PENDING, dtype=object)
        counts = {name: np.zeros(size, dtype=np.int64) for name in ("nfev", "n_steps")}
        for number, key in enumerate(keys):
            if store.found(key) is Found.NOTHING:
                failure = store.failure(key)
                status[number] = PENDING if failure is None else failure["status"]
                continue
            content = point_file.read(store.path(key), key)
            status[number] = DONE
            for name, values in counts.items():
                values[number] = content.attributes[name]
            layout.take_in(content, number)
        if not (status == DONE).any():
            raise ValueError(f"out: expected a sweep with a finished point, got {store.folder} with none")
        return cls(store, points, layout, {"status": status, "key": np.array(keys, dtype=object), **counts})

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the sweep's dimensions."""
        return tuple(self.points.configuration.dimensions.values())

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays in memory."""
        return sum(
            8 * len(self.points) * int(np.prod(shape)) for _, shape in self.layout.variables().values()
        )

    def coordinates(self) -> dict[str, tuple[str, NDArray[Any]]]:
        """The axes of the sweep, then what all points' files agree on."""
        configuration = self.points.configuration
        found = {axis.name: (axis.name, _labels(axis.values)) for axis in configuration.grid}
        found |= {axis.name: (TOGETHER, _labels(axis.values)) for axis in configuration.together}
        return found | self.layout.coordinates()

    def meaning(self, name: str) -> dict[str, str]:
        """``long_name`` and, where it is known, ``units`` of a variable, or of an axis: its option's words."""
        configuration = self.points.configuration
        if name in configuration.options:
            return words_of(configuration.command, name)
        return attributes_of(name.removeprefix(PROBLEM), self.layout.variables())

    def content(self, number: int) -> dict[str, NDArray[Any]]:
        """The arrays of point ``number``, each as large as in the collection; NaN where it has nothing."""
        key = str(self.facts["key"][number])
        return self.layout.fitted(point_file.read(self.store.path(key), key))

    def done(self) -> Iterator[int]:
        """The numbers of the finished points."""
        return map(int, np.flatnonzero(self.facts["status"] == DONE))

    @property
    def attributes(self) -> dict[str, str]:
        """Where it comes from."""
        import json

        configuration = self.points.configuration
        return {"sweep": json.dumps(configuration.as_plain()), "code": self.points.code}

    def to_xarray(self, lazy: bool | None) -> xr.Dataset:
        """The data set; see ``Sweep.collect``."""
        import xarray as xr

        if lazy is None:
            lazy = self.nbytes > LAZY_SHARE * available_memory()
        arrays = self._lazy_arrays() if lazy else self._arrays()
        dimensions = tuple(self.points.configuration.dimensions)
        variables = {
            name: ((*dimensions, *axes), arrays[name], self.meaning(name))
            for name, (axes, _) in self.layout.variables().items()
        }
        facts = {
            name: (dimensions, _texts(values).reshape(self.shape)) for name, values in self.facts.items()
        }
        coordinates = {name: (*part, self.meaning(name)) for name, part in self.coordinates().items()}
        return xr.Dataset(variables | facts, coords=coordinates, attrs=self.attributes)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        sizes = {name: shape for name, (_, shape) in self.layout.variables().items()}
        found = {name: np.full((len(self.points), *shape), np.nan) for name, shape in sizes.items()}
        for number in self.done():
            for name, values in self.content(number).items():
                found[name][number] = values
        return {name: array.reshape(*self.shape, *sizes[name]) for name, array in found.items()}

    def _lazy_arrays(self) -> dict[str, Any]:
        try:
            import dask.array as da
        except ImportError:
            raise ValueError(
                f"lazy: the arrays take {self.nbytes / 1e9:.3g} GB and would be left in their files, which needs Dask; "
                "pip install 'luckproof[sweeps]', or write them to a file with to"
            ) from None
        found = {}
        for name, (_, shape) in self.layout.variables().items():
            array = InFiles(self, name, (*self.shape, *shape))
            chunks = ("auto",) * len(self.shape) + shape
            found[name] = da.from_array(array, chunks=chunks, name=False, meta=np.empty(0))
        return found


@dataclass(frozen=True)
class InFiles:
    """One variable of a collection as an array whose parts are read from the points' files when they are indexed."""

    collection: Collection
    name: str
    shape: tuple[int, ...]

    dtype = np.dtype(np.float64)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __getitem__(self, index: Any) -> NDArray[np.float64]:
        """A block, cut out by slices or integers."""
        given = index if isinstance(index, tuple) else (index,)
        full = (*given, *(slice(None),) * (self.ndim - len(given)))
        count = len(self.collection.shape)
        ahead = [np.arange(size)[part] for part, size in zip(full, self.collection.shape, strict=False)]
        block = np.full((*(np.size(one) for one in ahead), *self.shape[count:]), np.nan)
        status = self.collection.facts["status"]
        for place in itertools.product(*(range(np.size(one)) for one in ahead)):
            position = tuple(int(np.ravel(one)[at]) for one, at in zip(ahead, place, strict=True))
            number = int(np.ravel_multi_index(position, self.collection.shape)) if position else 0
            if status[number] == DONE:
                block[place] = self.collection.content(number)[self.name]
        dropped = tuple(0 if np.ndim(one) == 0 else slice(None) for one in ahead)
        found: NDArray[np.float64] = block[(*dropped, *full[count:])]
        return found


def _labels(values: tuple[Any, ...]) -> NDArray[Any]:
    """The values of an axis as labels; several numbers in one become a text such as ``10-8-5``."""
    texts = ["-".join(map(str, value)) if isinstance(value, tuple) else value for value in values]
    return np.array([str(text) if isinstance(text, str) else text for text in texts])


def _texts(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(str) if values.dtype == object else values
