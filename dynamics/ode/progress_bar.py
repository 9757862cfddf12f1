"""The one bar of this project: what runs, how far it is, for how long, and about how long it still takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

TELLING = 0.01
"""Share of the work that has to be done before it says anything about the rest."""

SETTLED = 2.0
"""Seconds before which nothing is said of the time left: starting takes some."""

LONGEST = 100 * 86400.0
"""Seconds beyond which a time left is no help."""


def time_left(done: float, seconds: float) -> str:
    """The time left in words, at the pace so far; empty where that says nothing yet, or nothing is left.

    Args:
        done: share of the work that ``seconds`` took, from 0 to 1.
        seconds: since the work began.
    """
    if not (TELLING <= done < 1.0 and seconds >= SETTLED):
        return ""
    left = seconds * (1.0 - done) / done
    return f"about {in_words(left)} left" if left <= LONGEST else ""


def in_words(seconds: float) -> str:
    """A time to two figures of its largest units: ``40 s``, ``3 min``, ``2 h 10 min``, ``3 d 4 h``."""
    if seconds < 99.5:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


@dataclass
class Bar:
    """What a run tells while it lasts; called with the share done, from 0 to 1. Nothing is shown without ``shown``.

    Attributes:
        shown: the bar on the terminal; None where there is none.
        done: share done, never beyond 1 and never less than before.
        first: share that was done before the bar began; it says nothing about the pace.
        started: when the bar began, on the monotonic clock.
    """

    shown: RichProgress | None = None
    done: float = 0.0
    first: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def __call__(self, share: float) -> None:
        """So much is done."""
        self.done = min(max(share, self.done), 1.0)
        self._update(completed=self.done)

    def begin(self, share: float) -> None:
        """The work begins now, with so much done already."""
        self.first, self.started = min(share, 1.0), time.monotonic()
        self(share)

    def tell(self, what: str | None = None, at: str | None = None) -> None:
        """Say what runs, and how far it is in words; None leaves either as it is."""
        told = {"what": what, "at": at}
        self._update(**{name: words for name, words in told.items() if words is not None})

    def _update(self, **more: object) -> None:
        if self.shown is not None:
            self.shown.update(self.shown.task_ids[0], **more)  # type: ignore[arg-type]  # rich's fields are any

    @property
    def left(self) -> str:
        """The time left in words; see :func:`time_left`."""
        share = (self.done - self.first) / (1.0 - self.first) if self.first < 1.0 else 1.0
        return time_left(share, time.monotonic() - self.started)

    @property
    def above(self) -> Callable[[str], None]:
        """A function that prints a line on stderr, above the bar where there is one."""
        if self.shown is None:
            return on_stderr
        console = self.shown.console
        return lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True)


def on_stderr(line: str) -> None:
    """Print a line on stderr, or nothing where there is none to print on."""
    with suppress(OSError, ValueError):  # a full or closed stderr does not change what happens
        print(line, file=sys.stderr, flush=True)


@contextmanager
def progress_bar(
    what: str, *, wanted: bool = True, first: float = 0.0, at: str | None = None
) -> Iterator[Bar]:
    """A bar on stderr where that is a terminal; nothing elsewhere, so that no pipe or file gets a carriage return.

    Args:
        what: what runs, in a word or two.
        wanted: whether there is to be a bar at all.
        first: share that is done already.
        at: how far it is, in words; the percentage where left out.
    """
    if not (wanted and sys.stderr.isatty()):
        yield Bar(done=first, first=first)
        return
    from rich.console import Console  # only where a bar is shown
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
    from rich.table import Column
    from rich.text import Text

    class TimeLeft(ProgressColumn):
        """By the pace of the whole run: single updates may be minutes apart."""

        def render(self, task: Task) -> Text:
            return Text(bar.left)

    class At(ProgressColumn):
        """In words where there are any."""

        def render(self, task: Task) -> Text:
            return Text(task.fields["at"] or f"{task.percentage:>5.1f} %")

    told = TextColumn("{task.fields[what]}", markup=False)
    whole = Column(no_wrap=True)
    columns = (told, BarColumn(20), At(whole), TimeElapsedColumn(), TimeLeft(whole.copy()))
    bar = Bar(done=first, first=first)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar.shown:
        bar.shown.add_task("", total=1.0, completed=first, what=what, at=at or "")  # type: ignore[arg-type]
        yield bar
