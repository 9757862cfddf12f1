"""The processes below a process, and whether they are still there: for tests that none is left behind."""

from __future__ import annotations

import time
from pathlib import Path

Mark = tuple[int, str]
"""A process: its number, and when it was started, as numbers are given again."""


def family(root: int) -> set[Mark]:
    """``root`` and all processes below it."""
    stats = {pid: fields for pid, fields in _all().items() if fields[0] != "Z"}
    members = {root}
    while True:
        more = {pid for pid, fields in stats.items() if int(fields[1]) in members} - members
        if not more:
            return {(pid, stats[pid][19]) for pid in members if pid in stats}
        members |= more


def left(members: set[Mark], seconds: float) -> set[Mark]:
    """Those of ``members`` that are still at work after so many seconds at most."""
    until = time.monotonic() + seconds
    while True:
        stats = _all()
        alive = {(p, at) for p, at in members if p in stats and stats[p][19] == at and stats[p][0] != "Z"}
        if not alive or time.monotonic() > until:
            return alive
        time.sleep(0.05)


def _all() -> dict[int, list[str]]:
    """The fields of ``/proc/N/stat`` behind the name: state, parent, ..., and at place 19 the start."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # gone in between
                continue
    return found
