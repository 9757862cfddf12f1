"""A run of a sweep's driver: what is missing is computed, what fails is kept with its reason, what is done stays."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import overload

from verify.sweeps.configuration import Configuration
from verify.sweeps.drivers import at_work
from verify.sweeps.engines import Engine
from verify.sweeps.points import Points, code_version
from verify.sweeps.shards import Shard
from verify.sweeps.store import Found, Store
from verify.sweeps.work import DONE, LOST, Result, Task

TRIES = 2
"""How often a point is computed whose process dies on it."""


@dataclass
class Tally:
    """How far a driver is with its share.

    Attributes:
        total: points of the share.
        done: finished, those found finished at the start among them.
        failed: by status, those that failed in earlier runs among them.
        damaged: files that were found damaged, and whose points were therefore computed again.
        computed: points that this run has computed.
        seconds: that these took, added up over all workers.
    """

    total: int
    done: int = 0
    failed: dict[str, int] = field(default_factory=dict)
    damaged: int = 0
    computed: int = 0
    seconds: float = 0.0

    @property
    def failures(self) -> int:
        """Points that failed, of any status."""
        return sum(self.failed.values())

    @property
    def pending(self) -> int:
        """Points that are neither done nor failed."""
        return self.total - self.done - self.failures


Watch = Callable[[Tally], None]


@dataclass(frozen=True)
class _Tasks(Sequence[Task]):
    """The points of given numbers as tasks, each made when it is asked for: a sweep may have millions."""

    points: Points
    numbers: Sequence[int]
    folder: str | None

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Task: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Task]: ...
    def __getitem__(self, place: int | slice) -> Task | Sequence[Task]:
        if isinstance(place, slice):
            return _Tasks(self.points, self.numbers[place], self.folder)
        point = self.points[self.numbers[place]]
        return Task(
            point.key, point.options, self.points.code, self.folder, self.points.configuration.command
        )


def drive(
    store: Store,
    configuration: Configuration,
    engine: Engine,
    shard: Shard,
    *,
    workers_write: bool,
    retry: bool = False,
    watch: Watch | None = None,
) -> Tally:
    """Compute all points of a share that are neither done nor known to fail.

    Args:
        store: the folder.
        configuration: what is swept; the folder's manifest becomes this.
        engine: computes the points.
        shard: the share.
        workers_write: whether workers reach the folder and write the files themselves.
        retry: try those that failed before too.
        watch: called after every point.

    Returns:
        How the points of the share stand.

    Raises:
        ValueError: options that do not go together, at some point.
        BusyFolderError: another driver is at work on some of the points.
        EngineError: the engine is gone.
        OSError: a file cannot be written.
    """
    points = Points(configuration, code_version(configuration.command))
    with at_work(store, shard):
        tally, missing = _take_stock(store, points, shard, retry)  # refuses bad points before any is computed
        store.write_manifest(configuration, points.code)
        if watch is not None:
            watch(tally)
        for attempt in range(1, TRIES + 1):
            tasks = _Tasks(points, missing, str(store.folder.resolve()) if workers_write else None)
            missing = _compute(store, tasks, engine, tally, watch, keep_lost=attempt == TRIES)
            if not missing:
                break
    return tally


def _take_stock(store: Store, points: Points, shard: Shard, retry: bool) -> tuple[Tally, Sequence[int]]:
    """What is done and failed already, and the numbers of the points that are to be computed."""
    numbers = shard.numbers(len(points))
    tally, missing = Tally(len(numbers)), array("q")  # eight bytes a point
    for number in numbers:
        key = points[number].key
        found = store.found(key)
        tally.damaged += found is Found.DAMAGED
        failure = None if found is Found.WHOLE or retry else store.failure(key)
        if found is Found.WHOLE:
            tally.done += 1
        elif failure is not None:
            _count_failure(tally, failure["status"])
        else:
            missing.append(number)
    return tally, missing


def _compute(
    store: Store, tasks: _Tasks, engine: Engine, tally: Tally, watch: Watch | None, *, keep_lost: bool
) -> Sequence[int]:
    """Compute the tasks and keep how they end; returns the numbers of lost points that may be tried again."""
    again = array("q")
    with closing(engine(tasks)) as results:
        for place, result in results:
            if result.status == LOST and not keep_lost:
                again.append(tasks.numbers[place])
                continue
            _keep(store, result, tasks, place)
            tally.computed += 1
            tally.seconds += result.seconds
            if result.status == DONE:
                tally.done += 1
            else:
                _count_failure(tally, result.status)
            if watch is not None:
                watch(tally)
    return again


def _keep(store: Store, result: Result, tasks: _Tasks, place: int) -> None:
    if result.status != DONE:
        record = {"status": result.status, "reason": result.reason, "details": result.details}
        store.fail(result.key, {**record, "seconds": result.seconds, "options": dict(tasks[place].options)})
        return
    if result.content is not None:
        store.write(result.key, result.content)
    store.forget_failure(result.key)


def _count_failure(tally: Tally, status: str) -> None:
    tally.failed[status] = tally.failed.get(status, 0) + 1
