"""The result of a run: times, states, observables and how the run ended, with lossless NetCDF files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynamics.ode import files as netcdf
from dynamics.ode.status import Status

if TYPE_CHECKING:
    import xarray as xr


def _no_mapping() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, eq=False)
class Trajectory:
    """States and observables along a run of a flow or of a training loop.

    Shapes: ``t (T,)``; every array in ``state`` and ``observables`` is ``(T, *ensemble, *trailing)``, where
    ``dimensions[name]`` names the trailing axes (``{"W": ("input", "node"), "loss": ()}``). The axes between
    time and the trailing ones are the ensemble; an array without an entry in ``dimensions`` has none.

    ``events`` maps the name of each event to the times at which it occurred. ``attributes`` are JSON-able facts
    about the run (resolved configuration, seed, device, versions); they are stored with it, and tuples in them
    become lists, as in JSON. Versions of the software are added when absent.

    Memory: its arrays, as given (not copied). Raises ``ValueError`` where shapes, names or attributes are inconsistent.
    """

    t: NDArray[np.float64]
    state: Mapping[str, NDArray[Any]]
    observables: Mapping[str, NDArray[Any]] = field(default_factory=_no_mapping)
    nfev: int = 0
    n_steps: int = 0
    status: Status = Status.FINISHED
    message: str = ""
    dimensions: Mapping[str, tuple[str, ...]] = field(default_factory=_no_mapping)
    attributes: Mapping[str, Any] = field(default_factory=_no_mapping)
    events: Mapping[str, tuple[float, ...]] = field(default_factory=_no_mapping)

    def __post_init__(self) -> None:
        put = object.__setattr__  # the dataclass is frozen; this is its one normalisation
        put(self, "t", np.asarray(self.t, dtype=np.float64))
        put(self, "state", {name: np.asarray(array) for name, array in self.state.items()})
        put(self, "observables", {name: np.asarray(array) for name, array in self.observables.items()})
        put(self, "status", Status(self.status))
        put(self, "dimensions", {name: tuple(names) for name, names in self.dimensions.items()})
        put(self, "events", {name: tuple(map(float, times)) for name, times in self.events.items()})
        attributes = {name: netcdf.plain(name, value) for name, value in self.attributes.items()}
        put(self, "attributes", {"versions": netcdf.software_versions(), **attributes})
        self._validate()

    def _validate(self) -> None:
        if self.t.ndim != 1:
            raise ValueError(f"t: expected a vector of times, got shape {self.t.shape}")
        twice = sorted(self.state.keys() & self.observables.keys())
        if twice:
            raise ValueError(f"observables: names {twice} are taken by the state")
        netcdf.layout(self)

    @property
    def success(self) -> bool:
        """Whether the run ended as asked; never with a non-finite number in the state."""
        finite = all(bool(np.isfinite(array).all()) for array in self.state.values())
        return self.status.successful and finite

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """State and observables by name."""
        return {**self.state, **self.observables}

    def to_xarray(self) -> xr.Dataset:
        """As an ``xarray.Dataset`` with dimensions time, instance, node, input, output.

        Several ensemble axes are flattened (C order) to the one dimension ``instance``; each variable's own
        ensemble shape stays in its attribute ``ensemble_shape``.
        """
        return netcdf.to_dataset(self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write a NetCDF-4 file, atomically: ``path`` is either the complete new file or as it was before.

        Raises ``ValueError`` where the folder does not exist, ``OSError`` where it cannot be written.
        """
        netcdf.write(self.to_xarray(), path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Trajectory:
        """Read what :meth:`save` wrote, bit for bit; ``ValueError`` for any other file."""
        fields: dict[str, Any] = netcdf.read(path)
        return cls(**fields)

    def __repr__(self) -> str:
        end = self.t[-1] if self.t.size else math.nan
        shapes = ", ".join(f"{name} {array.shape}" for name, array in self.arrays.items())
        return (
            f"Trajectory({self.status}, {self.t.size} times to t = {end:.6g}, {self.n_steps} steps, "
            f"{self.nfev} evaluations; {shapes})"
        )
