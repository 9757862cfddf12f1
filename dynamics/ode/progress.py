"""Progress of a run: a bar on stderr where that is a terminal, or the caller's own function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dynamics.ode.progress_bar import progress_bar
from dynamics.validation import shown, takes

Report = Callable[[float], None]
"""Called with the time that a run has reached."""

Progress = Callable[[float], None]
"""Called with the fraction of the work done, from 0 to 1."""


@contextmanager
def reporting(
    progress: bool | Callable[[float], None], t0: float, t1: float, what: str = "integrating"
) -> Iterator[Report]:
    """A function of the time reached; the caller's own gets the fraction done; a bar says ``what`` runs."""

    def fraction(t: float) -> float:
        return (t - t0) / (t1 - t0) if t1 != t0 else 1.0

    if not (takes(progress, 1) or isinstance(progress, bool)):
        raise TypeError(
            f"progress: expected True, False or a callable of the fraction done, got {shown(progress)}"
        )
    if callable(progress):
        own = progress
        yield lambda t: own(fraction(t))
    elif progress:
        with progress_bar(what) as update:
            yield lambda t: update(fraction(t))
    else:
        yield lambda t: None
