"""When a training run is recorded: steps or epochs, ascending, with the start and the end among them."""

from __future__ import annotations

from collections.abc import Sequence

from dynamics.validation import positive_int

DEFAULT_RECORDS = 200
"""Records of a run, spread evenly, when neither ``record_every`` nor ``record_at`` is given."""


def record_steps(steps: int, every: int | None = None, at: Sequence[int] | None = None) -> list[int]:
    """The step numbers at which a run of ``steps`` steps is recorded, ascending, with 0 and ``steps`` among them."""
    if every is not None and at is not None:
        raise ValueError("record_at: expected either record_every or record_at, got both")
    if at is None:
        every = max(1, steps // DEFAULT_RECORDS) if every is None else every
        every = positive_int("record_every", every)
        at = range(0, steps, every)
    chosen = {int(step) for step in at if float(step).is_integer() and 0 <= step <= steps}
    if len(chosen) != len(set(at)):
        raise ValueError(f"record_at: expected whole step numbers in [0, {steps}], got {list(at)!r}")
    return sorted(chosen | {0, steps})


def record_epochs(epochs: int, at: Sequence[int] | None) -> tuple[int, ...]:
    """The epochs after which a run of ``epochs`` epochs is recorded, ascending: those of ``at`` (all, where it is
    None), 0 and the last."""
    chosen = set(range(epochs + 1)) if at is None else {int(epoch) for epoch in at}
    if any(not 0 <= epoch <= epochs for epoch in chosen):
        raise ValueError(f"record_at: expected epochs in [0, {epochs}], got {list(at or ())!r}")
    return tuple(sorted(chosen | {0, epochs}))
