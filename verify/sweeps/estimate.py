"""What a sweep will take, told from a few of its points, run here and thrown away."""

from __future__ import annotations

import time
from dataclasses import dataclass

from verify.sweeps.commands import COMMANDS
from verify.sweeps.configuration import Configuration
from verify.sweeps.points import Points, code_version
from verify.sweeps.shards import Shard
from verify.sweeps.store import Found, Store
from verify.sweeps.work import DONE, Result, Task, compute

ENOUGH = 60.0
"""Seconds of timing after which no further point is run."""

GB = 1e9


@dataclass(frozen=True)
class Estimate:
    """What is ahead.

    Attributes:
        points: in all, of the share.
        pending: that are not done yet.
        seconds: of one point, the mean over those that were timed.
        bytes: of one point's file, likewise.
        jobs: processes at a time.
        timed: how the points that were run for this ended.
    """

    points: int
    pending: int
    seconds: float
    bytes: float
    jobs: int
    timed: tuple[Result, ...]

    @property
    def hours(self) -> float:
        """Hours until the pending points are done."""
        return self.pending * self.seconds / self.jobs / 3600

    @property
    def gigabytes(self) -> float:
        """Disk space of all points, in units of 1e9 bytes."""
        return self.points * self.bytes / GB

    def __str__(self) -> str:
        lines = [
            f"{self.points} points, {self.pending} of them to compute",
            f"{self.hours:.3g} hours with {self.jobs} process(es), {self.gigabytes:.3g} GB "
            f"({self.seconds:.3g} s and {self.bytes / 1e3:.3g} kB a point, from {len(self.timed)} that were run here)",
        ]
        lines += [f"one of these failed: {r.status}: {r.reason}" for r in self.timed if r.status != DONE]
        return "\n".join(lines)


def estimate(configuration: Configuration, store: Store | None, shard: Shard, jobs: int) -> Estimate:
    """Run the first, the middle and the last point of a share in this process, and conclude; nothing is written.

    Args:
        configuration: what is swept.
        store: where some points may be done already; None where there is no folder yet.
        shard: the share.
        jobs: processes at a time.
    Raises:
        ValueError: options that do not go together, at some point.
    """
    points = Points(configuration, code_version(configuration.command))
    numbers = shard.numbers(len(points))
    keys = (points[number].key for number in numbers)  # every point is made once: a bad one is refused
    pending = sum(store is None or store.found(key) is not Found.WHOLE for key in keys)
    results: list[Result] = []
    started = time.monotonic()
    for place in dict.fromkeys((len(numbers) // 2, 0, len(numbers) - 1)) if numbers else ():
        if time.monotonic() - started < ENOUGH:
            point = points[numbers[place]]
            if not results:  # what is imported at the first point is paid once a worker
                shortest = {**point.options, **COMMANDS[configuration.command].shortest}
                compute(Task(point.key, shortest, points.code, command=configuration.command))
            task = Task(point.key, point.options, points.code, command=configuration.command)
            results.append(compute(task))
    done = [result for result in results if result.content is not None]
    seconds = sum(result.seconds for result in results) / max(len(results), 1)
    size = sum(len(result.content or b"") for result in done) / max(len(done), 1)
    return Estimate(len(numbers), pending, seconds, size, jobs, tuple(results))
