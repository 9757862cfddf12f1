"""Sweeps from Python: make or continue one, see how it stands, try failures again, collect its results."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamics.boundary import checked
from dynamics.files.folders import prepare_folder
from dynamics.validation import positive_int, shown
from verify.sweeps.configuration import Configuration, from_mapping, read_configuration
from verify.sweeps.driver import Watch, drive
from verify.sweeps.engines import (
    Engine,
    Executor,
    available_cores,
    check_jobs,
    in_executor,
    in_local_processes,
)
from verify.sweeps.points import code_version
from verify.sweeps.shards import ALL, read_shard
from verify.sweeps.status import SweepStatus, status_of
from verify.sweeps.store import Store

if TYPE_CHECKING:
    import xarray as xr


class Sweep:
    """A sweep in its folder.

    Args:
        out: the folder of a sweep that :func:`sweep` or ``luckproof sweep`` has begun.

    Raises:
        ValueError: there is none, or its manifest is damaged.
    """

    @checked
    def __init__(self, out: str | PathLike[str]) -> None:
        self._store = Store(Path(out))
        try:
            self.configuration, self.code = self._store.manifest("out")
        except OSError as error:  # a name that no folder can bear
            raise ValueError(f"out: {shown(str(out))} cannot be read: {error.strerror}") from error

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self._store.folder

    def __len__(self) -> int:
        """The number of points."""
        return self.configuration.size

    def __repr__(self) -> str:
        sizes = " × ".join(f"{name} {size}" for name, size in self.configuration.dimensions.items())
        return f"Sweep({str(self.folder)!r}: {len(self)} points{', ' + sizes if sizes else ''})"

    def status(self) -> SweepStatus:
        """How it stands now: done, failed with reasons, pending, rate; every finished file is verified (and read)."""
        return status_of(self._store, "out")

    def retry(self, **engine: Any) -> Sweep:
        """Compute what is missing, and what failed once more.

        Args:
            **engine: ``jobs``, ``executor``, ``scheduler``, ``shard`` and ``progress``, as of :func:`sweep`.

        Raises:
            ValueError: the folder was filled by another version of the code, or what :func:`sweep` refuses.
        """
        check_same_code("out", self._store, self.configuration.command, self.code)
        return _run(self._store, self.configuration, retry=True, **engine)

    def collect(self, to: str | PathLike[str] | None = None, *, lazy: bool | None = None) -> xr.Dataset:
        """All finished points as one data set, with the axes as dimensions and coordinates.

        Arrays whose sizes differ between points are filled up with NaN. Where the output times differ, ``time`` is a
        variable along ``record``. Variables ``status``, ``key``, ``nfev`` and ``n_steps`` tell of every point.

        Args:
            to: a file to write it to as well (NetCDF-4, with a checksum), point by point: memory for one point.
            lazy: whether the arrays are Dask's and read when they are asked for (needs Dask, extra ``sweeps``); by
                default where they would take more than a quarter of the available memory.

        Raises:
            DamagedFileError: the file of a finished point is not as it was written.
            ValueError: no point is done, points have different variables, or ``to`` cannot be written to.
            OSError: the disk is full.
        """
        from verify.sweeps.collected_file import write
        from verify.sweeps.collection import Collection

        collection = Collection.of(self._store, self.configuration, self.code)
        if to is not None:
            write(collection, to)
        return collection.to_xarray(lazy)


@checked
def sweep(
    configuration: str | PathLike[str] | Mapping[str, Any],
    out: str | PathLike[str],
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    scheduler: str | None = None,
    shard: str | None = None,
    progress: Watch | None = None,
) -> Sweep:
    """Run a command at every point of a grid of its options; what is done in the folder already is not done again.

    Each point is computed on one thread and kept in a file of its own, under a hash of all its options and of the code.
    The files are the same, bit for bit, on any engine, and however often the sweep was interrupted.

    Args:
        configuration: a TOML file, or the same as a mapping: ``command``, and tables ``base`` (options), ``grid`` (axes
            that are combined) and ``zip`` (axes that go together). An axis is a list, or a range as text: ``"0:5"`` is
            0 to 4, ``"0.1:1.0:10"`` ten values with both ends.
        out: the folder; made where it is missing.
        jobs: processes of this machine; one a core by default. A script that is run as a program calls this under
            ``if __name__ == "__main__":``, as with :mod:`multiprocessing`.
        executor: any :class:`concurrent.futures.Executor` instead (its processes import this project), or an object
            whose ``submit`` returns futures with ``done`` and ``result``.
        scheduler: the address of a Dask scheduler instead, ``tcp://HOST:PORT``.
        shard: a share of the points, ``"i/n"`` with i from 1 to n: every n-th point.
        progress: called with a tally (``total``, ``done``, ``failed``) at the start and after every point.

    Returns:
        The sweep; failed points are in its ``status()``, and raise nothing.

    Raises:
        ValueError: naming the key or argument, what was expected and what came; all points are checked before any runs.
        BusyFolderError: (a ValueError) another driver is at work on the same points.
        EngineError: (a RuntimeError) the executor or scheduler is gone; finished points are kept.
        OSError: a file cannot be written.
    """
    if isinstance(configuration, str) and not configuration:
        raise ValueError("configuration: expected a file or a mapping, got ''")
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor: expected an object with submit, got {shown(executor)}")
    given = isinstance(configuration, Mapping)
    found = from_mapping(configuration) if given else read_configuration(configuration)  # type: ignore[arg-type]
    store = Store(Path(out))
    if jobs is not None:
        positive_int("jobs", jobs)
    fresh = not os.path.lexists(store.folder)
    prepare_folder("out", store.folder)
    try:
        return _run(
            store, found, jobs=jobs, executor=executor, scheduler=scheduler, shard=shard, progress=progress
        )
    except (TypeError, ValueError):
        if fresh:
            for made in (store.drivers, store.folder):
                with suppress(OSError):  # not made yet, or something was begun in it
                    made.rmdir()
        raise


def check_same_code(argument: str, store: Store, command: str, code: str) -> None:
    """Refuse to mix points of two versions of the code; raises ValueError, naming ``argument``."""
    here = code_version(command)
    if code != here:
        raise ValueError(
            f"{argument}: {store.folder} was filled by version {code} of the code, and this is {here}; "
            "run the configuration again, and all points are computed anew"
        )


def _run(
    store: Store,
    configuration: Configuration,
    *,
    jobs: int | None = None,
    executor: Executor | None = None,
    scheduler: str | None = None,
    shard: str | None = None,
    progress: Watch | None = None,
    retry: bool = False,
) -> Sweep:
    share = ALL if shard is None else read_shard("shard", shard)
    with engine_of(jobs, executor, scheduler, len(share.numbers(configuration.size))) as engine:
        drive(
            store,
            configuration,
            engine,
            share,
            workers_write=executor is None and scheduler is None,
            retry=retry,
            watch=progress,
        )
    return Sweep(store.folder)


@contextmanager
def engine_of(
    jobs: int | None, executor: Executor | None, scheduler: str | None, points: int
) -> Iterator[Engine]:
    """The engine that was asked for, for as long as the body runs; raises ValueError where several were."""
    chosen = [
        name
        for name, value in (("jobs", jobs), ("executor", executor), ("scheduler", scheduler))
        if value is not None
    ]
    if len(chosen) > 1:
        raise ValueError(
            f"{chosen[1]}: expected one of jobs, executor and scheduler, got {' and '.join(chosen)}"
        )
    if scheduler is not None:
        from verify.sweeps.dask_engine import on_scheduler

        with on_scheduler(scheduler) as engine:
            yield engine
    elif executor is not None:
        yield in_executor(executor)
    else:
        yield in_local_processes(available_cores() if jobs is None else check_jobs("jobs", jobs, points))
