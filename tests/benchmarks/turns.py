"""Timing of several calls against each other under load that comes and goes."""

from __future__ import annotations

import time
from collections.abc import Callable


def in_turns(calls: list[Callable[[], object]], rounds: int = 8) -> list[float]:
    """Least processor time of each call in seconds, measured in turns so that load meets all alike.

    Short calls are repeated for 5 ms at a turn.
    """
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for i, call in enumerate(calls):
            repeats, start = 0, time.process_time()
            while repeats == 0 or time.process_time() - start < 5e-3:
                call()
                repeats += 1
            best[i] = min(best[i], (time.process_time() - start) / repeats)
    return best
