"""When a training run is recorded: steps or epochs, ascending, with the start and the end among them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dynamics.memory import check_size
from dynamics.validation import number, positive_int, shown

DEFAULT_RECORDS = 200
"""Records of a run, spread evenly, when neither ``record_every`` nor ``record_at`` is given."""


def record_steps(steps: int, every: int | None = None, at: Sequence[int] | None = None) -> list[int]:
    """The step numbers at which a run of ``steps`` steps is recorded, ascending, with 0 and ``steps`` among them."""
    if every is not None and at is not None:
        raise ValueError("record_at: expected either record_every or record_at, got both")
    if steps >= 2**63:
        raise ValueError(f"steps: expected fewer than 2^63, got {shown(steps)}")
    if at is None:
        every = max(1, steps // DEFAULT_RECORDS) if every is None else every
        check_size("record_every", steps // positive_int("record_every", every))
        at = range(0, steps, every)
    return sorted(_whole(at, steps, "whole step numbers") | {0, steps})


def checked_rate(lr: float, steps: int) -> float:
    """A learning rate > 0 with which the steps end at a finite time; raises TypeError or ValueError."""
    rate = number("lr", lr, positive=True)
    if not math.isfinite(rate * float(steps)):
        raise ValueError(f"lr: expected a rate with steps x lr finite, got {shown(lr)} for {steps} steps")
    return rate


def record_epochs(epochs: int, at: Sequence[int] | None = None) -> tuple[int, ...]:
    """The epochs after which a run of ``epochs`` epochs is recorded, ascending: those of ``at`` (all, where it is
    None), 0 and the last."""
    check_size("epochs", epochs)
    asked = range(epochs + 1) if at is None else at
    return tuple(sorted(_whole(asked, epochs, "epochs") | {0, epochs}))


def _whole(asked: Iterable[Any], last: int, what: str) -> set[int]:
    given = list(asked)
    chosen = {
        int(time)
        for time in given
        if isinstance(time, int | float | np.integer | np.floating)
        and 0 <= time <= last
        and float(time).is_integer()
    }
    if len(chosen) != len(set(given)):
        raise ValueError(f"record_at: expected {what} in [0, {last}], got {shown(given)}")
    return chosen
