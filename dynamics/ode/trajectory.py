"""The result of a run: times, states, observables and how the run ended, with lossless NetCDF files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynamics.boundary import checked
from dynamics.files import netcdf
from dynamics.ode.results import dataset
from dynamics.ode.results.trajectory_data import TrajectoryData
from dynamics.validation import is_real, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False, repr=False)
class Trajectory(TrajectoryData):
    """States and observables along a run of a flow or of a training loop.

    Args:
        t: the times of the records, ``(T,)``.
        state: arrays of the state by name, ``(T, *ensemble, *trailing)`` each; empty where none was kept.
        time_counts: what ``t`` counts, in words: ``"time"`` of a flow, ``"steps × lr"``, ``"epochs"``.
        observables: what was watched, of such shapes too.
        nfev, n_steps: evaluations of the field (batches of a training), and steps taken.
        status, message: how the run ended, and a sentence about it.
        dimensions: names of the trailing axes, ``{"W": ("input", "node"), "loss": ()}``. The axes between time and
            the trailing ones are the ensemble; an array without an entry has none.
        coordinates: labels along dimensions, ``{"layer": ("layer", [1, 2, 3])}``: the dimension and one value for each
            of its places. A coordinate of another name than its dimension groups the places: ``teacher_layer`` tells
            the layer of every place of ``teacher_node``.
        problem: what the run ran on, so that two runs can be told apart: arrays (the teacher, the start) and plain
            data. ``TeacherStudent.from_description(run.problem)`` is the problem of a two-layer run.
        attributes: JSON-able facts about the run (resolved configuration, seed, device); stored with it, and tuples in
            them become lists, as in JSON. Versions of the software are added when absent.
        events: the times at which each event occurred, by name; an event that never did has no entry.
        event_states: the flat states at these times, (occurrences, size) each.

    Memory: its arrays, as given (not copied).

    Raises:
        ValueError: shapes, names or attributes are inconsistent.
        TypeError: an attribute or a part of the problem has no JSON form.
    """

    @property
    def final(self) -> dict[str, NDArray[Any]]:
        """State and observables of the last record, by name."""
        return {name: array[-1] for name, array in self.arrays.items()}

    @property
    def final_state(self) -> NDArray[np.float64]:
        """The last state as one flat vector, the arrays one behind the other: what a flow's ``__call__`` takes.

        Of runs of a :class:`dynamics.ode.flow.Flow`, or of any object whose ``unpack`` rearranges in that order.

        Raises:
            ValueError: the run kept no state.
        """
        if not self.state:
            raise ValueError(
                "final_state: expected a run that kept its state, got one with observables alone"
            )
        return np.concatenate([np.ravel(array[-1]) for array in self.state.values()])

    @checked
    def at(self, name: str, **chosen: Any) -> NDArray[Any]:
        """The part of one array at chosen values of coordinates: ``run.at("rho_bar", layer=2)``.

        Args:
            name: of the array in ``state`` or ``observables``.
            chosen: value by coordinate. The axis goes where the coordinate is its dimension's own, and keeps the
                places with that value where it groups them (``run.at("best_rho", teacher_layer=2)``).

        Raises:
            ValueError: no such array or coordinate, or a value that occurs nowhere.
        """
        if name not in self.arrays:
            raise ValueError(f"name: expected one of {', '.join(self.arrays)}, got {shown(name)}")
        array, axes = self.arrays[name], list(self.axes()[name].trailing)
        for coordinate, value in chosen.items():
            dimension, values = self.coordinates.get(coordinate, ("", np.empty(0)))
            plain = isinstance(value, str | bool | np.bool_ | np.str_) or is_real(value)
            places = np.flatnonzero(values == value) if plain else np.empty(0, dtype=np.intp)
            if dimension not in axes or not places.size:
                raise ValueError(
                    f"{coordinate}: expected a coordinate of {name} and a value of it, got {shown(value)}"
                )
            axis = axes.index(dimension) - len(axes)
            own = coordinate == dimension
            array = np.take(array, places[0] if own else places, axis=axis)
            axes = [name for name in axes if not own or name != dimension]
        return array

    @checked
    def plot(self, names: Sequence[str] | None = None) -> Figure:
        """A picture of the observables over time: a line for each node and instance, bands where they are many.

        Args:
            names: of observables, a panel each; by default ``sin_theta`` and ``loss``, or all where there are neither.

        Returns:
            A matplotlib figure, which a notebook shows and ``figure.savefig(path)`` writes. Axes are logarithmic where
            the values fall by two decades; values up to 1e-18 are then left out.

        Raises:
            TypeError: names that are no list.
            ValueError: names of no observables.
        """
        from dynamics.ode.results import pictures

        return pictures.plot(self, names)

    @checked
    def animate(
        self,
        path: str | PathLike[str],
        against: Trajectory | None = None,
        *,
        plane: ArrayLike | None = None,
        seconds: float = 6.0,
    ) -> None:
        """Write a film of two-layer students moving to their teachers, beside the loss over time.

        Fan-ins are projected onto a plane: that of the first two teachers, or of the first teacher and the way of the
        students where there is one alone. Of a stack the first instance is shown, of ``against`` all. Up to
        90 of the run's times are pictures.

        Args:
            path: a .gif file, or .mp4 where ffmpeg is there. It is written in one step.
            against: runs, such as those of :func:`nets.train` from the same start, whose students are dots over these.
            plane: two directions (d, 2) in place of that plane.
            seconds: the film's length.
        Raises:
            ValueError, TypeError: naming the argument: a run without fan-ins or teacher, a path that cannot be written.
            OSError: the disk is full.
        Cost: some tenths of a second a picture.
        """
        from dynamics.ode.results.animation import animate

        animate(self, path, against, plane, seconds)

    @checked
    def plot_against(self, runs: Trajectory, names: Sequence[str] | None = None) -> Figure:
        """A picture of this run as the theory of others: its lines under their dots, their deviation below.

        The deviation is the mean over the runs and nodes of runs less theory, with its standard error over the runs;
        the theory is taken at the runs' times on straight lines between its own. Several runs of one instance of the
        theory stand side by side, as ``train`` on repeated problems has them.

        Args:
            runs: such as that of :func:`nets.train`, from the same starts.
            names: of observables that both have; by default as for :meth:`plot`.

        Returns:
            A matplotlib figure.

        Raises:
            TypeError: runs that are no trajectory, or names that are no list.
            ValueError: no observable or no time in common, or runs whose number is no multiple of the theory's.
        """
        from dynamics.ode.results import pictures

        if not isinstance(runs, Trajectory):
            raise TypeError(f"runs: expected a Trajectory, got {shown(runs)}")
        return pictures.plot_against(self, runs, names)

    @checked
    def plot_phase(self, x: str, y: str, *, axes: Axes | None = None) -> Figure:
        """A picture of one watched quantity over another: the paths of all instances and nodes, without the time.

        Args:
            x, y: names of observables or arrays of the state, whole (``"angle"``: a path for each node) or with the
                place of one number in each instance (``"x[0]"``, ``"W[3, 1]"``).
            axes: matplotlib's, to draw on; by default those of a new figure.

        Returns:
            A matplotlib figure: a ring where a path starts, a dot where it ends, an arrow half way. The field beneath
            is drawn by :func:`dynamics.ode.phase_portrait.phase_portrait`.

        Raises:
            TypeError: a name that is no string, axes that are none.
            ValueError: no such array or place, or unequal numbers of both.
        """
        from dynamics.ode.results import phase_plane

        return phase_plane.plot_phase(self, x, y, axes)

    def to_xarray(self) -> xr.Dataset:
        """As an ``xarray.Dataset`` with dimensions time, instance and those of the arrays, and all coordinates.

        Several ensemble axes are flattened (C order) to the one dimension ``instance``; each variable's own
        ensemble shape stays in its attribute ``ensemble_shape``. Arrays of the problem are variables
        ``problem_teacher_W`` and so on.
        """
        return dataset.to_dataset(self)

    @checked
    def save(self, path: str | PathLike[str]) -> None:
        """Write a NetCDF-4 file with a checksum, atomically: ``path`` holds the new file, or what it held before.

        A link at ``path`` is followed, the mode of an older file kept. Memory: once more the size of the arrays.

        Raises:
            ValueError: nothing can be written there.
            OSError: the disk is full or fails; an older file is untouched.
        """
        netcdf.write(self.to_xarray(), path)

    @classmethod
    @checked
    def load(cls, path: str | PathLike[str]) -> Trajectory:
        """Read what :meth:`save` wrote, bit for bit.

        The file's checksum is verified before anything is made of its numbers. Files from before there were checksums
        are read with a :class:`dynamics.files.netcdf.UncheckedFileWarning`; from before the problem was stored, their
        ``problem`` is empty, and ``time_counts`` says that it was not recorded.

        Raises:
            DamagedFileError: it is not as it was written; what is wrong, and what to do.
            ValueError: any other file.
        """
        found, sealed = netcdf.read_and_tell(path)
        try:
            run = cls(**dataset.fields_of(found))
            if run.status.successful and not run.success and not sealed:
                raise ValueError("its state holds NaN or Inf, and it says that the run succeeded")
            return run
        except (ValueError, TypeError) as error:
            raise ValueError(f"path: {str(path)!r} is no trajectory file: {error}") from error

    def __repr__(self) -> str:
        end = self.t[-1] if self.t.size else math.nan
        shapes = ", ".join(f"{name} {array.shape}" for name, array in self.arrays.items())
        return (
            f"Trajectory({self.status}, {self.t.size} times to t = {end:.6g} ({self.time_counts}), "
            f"{self.n_steps} steps, {self.nfev} evaluations; {shapes})"
        )

    def _repr_html_(self) -> str:
        return str(self.to_xarray()._repr_html_())  # which escapes what it shows
