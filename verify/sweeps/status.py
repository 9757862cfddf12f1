"""How a sweep stands, from its folder alone: what is done, what failed and why, who is at work, when it will end."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from verify.sweeps.drivers import Driver, drivers_at_work
from verify.sweeps.points import Points
from verify.sweeps.store import Found, Store

REASONS = 5
"""Failures that are shown with their reasons."""


@dataclass(frozen=True)
class SweepStatus:
    """How a sweep stands.

    Attributes:
        points: how many there are.
        done: whose file is there and as it was written.
        failed: how many, by status (``refused``, ``step_limit``, …).
        damaged: whose file is not as it was written; the next run computes them again.
        failures: the records of failed points: ``number``, ``key``, ``status``, ``reason``, ``options``.
        drivers: the processes at work.
        rate: points a second that the drivers at work have finished; None where none is.
        code: the version of the code that the sweep runs.
    """

    points: int
    done: int
    failed: dict[str, int]
    damaged: int
    failures: list[dict[str, Any]] = field(repr=False)
    drivers: list[Driver]
    rate: float | None
    code: str

    @property
    def pending(self) -> int:
        """Points that are neither done nor failed."""
        return self.points - self.done - sum(self.failed.values())

    @property
    def eta(self) -> float | None:
        """Seconds until all points are done, at the rate so far; None where that is not known."""
        return self.pending / self.rate if self.rate else None

    @property
    def complete(self) -> bool:
        """Whether every point is done."""
        return self.done == self.points

    def __str__(self) -> str:
        failed = ", ".join(f"{count} {status}" for status, count in sorted(self.failed.items()))
        lines = [
            f"{self.points} points: {self.done} done, {sum(self.failed.values())} failed"
            + (f" ({failed})" if failed else "")
            + f", {self.pending} pending"
        ]
        if self.damaged:
            lines.append(f"{self.damaged} damaged file(s): the next run computes these points again")
        lines += [
            f"point {record['number']} ({record['key']}): {record['status']}: {record['reason']}"
            for record in self.failures[:REASONS]
        ]
        if len(self.failures) > REASONS:
            lines.append(f"… and {len(self.failures) - REASONS} more under failures/")
        lines += [f"at work: {driver}" for driver in self.drivers]
        if self.rate is not None and self.eta is not None:
            lines.append(f"{self.rate:.3g} points a second, {_duration(self.eta)} to go")
        elif not self.drivers and self.pending:
            lines.append("nobody is at work: run the configuration again to go on")
        return "\n".join(lines)


def status_of(store: Store, argument: str = "--status") -> SweepStatus:
    """Read how the sweep in a folder stands; every finished file is verified.

    Raises:
        ValueError: naming ``argument``: the folder holds no sweep.
    """
    configuration, code = store.manifest(argument)
    points = Points(configuration, code)
    drivers = drivers_at_work(store)
    since = min((driver.started for driver in drivers), default=None)
    done = damaged = lately = 0
    failures: list[dict[str, Any]] = []
    failed: dict[str, int] = {}
    for number in range(len(points)):
        point = points[number]
        found = store.found(point.key)
        damaged += found is Found.DAMAGED
        if found is Found.WHOLE:
            done += 1
            lately += since is not None and store.path(point.key).stat().st_mtime >= since
        else:
            record = store.failure(point.key)
            if record is not None:
                failures.append({"number": number, "key": point.key, **record})
                failed[record["status"]] = failed.get(record["status"], 0) + 1
    rate = None if since is None else lately / max(time.time() - since, 1e-3)
    return SweepStatus(len(points), done, failed, damaged, failures, drivers, rate, code)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
