"""What a process finds when it starts, put in order: streams, their encodings, the terminal, signals, memory.

Imported before anything else: only the standard library, and what reads the memory's size.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import FrameType

INTERRUPTED = 130
"""Exit code after Ctrl-C."""

NARROWEST = 40
"""Columns below which a terminal's width is taken for a mistake."""

_SPARE = 2**30
"""Bytes beyond the available memory that may be asked for: libraries reserve more than they use."""

_MOMENT = 0.01
"""Seconds after which an end that was dropped is raised again: a destructor is over by then, mostly."""

_received: list[int] = []


class EndedError(KeyboardInterrupt):
    """A signal asks the process to end; it goes the way of an interrupt, so that what is finished is kept."""


def put_in_order() -> None:
    """Open streams that were closed, make them take any character, and let signals end the run in order."""
    _open_streams()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for name in ("COLUMNS", "LINES", "TERMINAL_WIDTH"):
        width = os.environ.get(name, "")
        if width and (not width.isascii() or not width.isdigit() or int(width) < NARROWEST):
            del os.environ[name]
    os.environ["MPLBACKEND"] = (
        "agg"  # pictures are files: no window, no notebook, whatever the user's settings
    )
    _limit_memory()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        usual = (signal.SIG_DFL, signal.default_int_handler)  # a shell's or nohup's ignoring stays
        if number is not None and signal.getsignal(number) in usual:
            with suppress(ValueError):  # only in the main thread
                signal.signal(number, _end)


def ending_signal() -> int | None:
    """The signal that asked this process to end, if one did."""
    return _received[-1] if _received else None


def how_it_ended(number: int) -> tuple[str, int]:
    """What is said of the signal that ended this process, and the exit code."""
    if number == signal.SIGINT:
        return "interrupted", INTERRUPTED
    return f"ended by signal {number}", 128 + number


def forget_signals() -> None:
    """For a new run in the same process."""
    _received.clear()


def _end(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    signal.signal(number, signal.SIG_DFL)  # asked a second time the process ends at once
    sys.unraisablehook = _raise_again
    raise EndedError


def _raise_again(lost: sys.UnraisableHookArgs) -> None:
    """Raise the end once more where the interpreter had to drop it: it fell into a destructor or a C callback.

    A moment later, for here it would be dropped as well. Whatever else is dropped now is the complaint of a
    library's object that the signal left half made: nobody can mend that, so nothing is said.
    """
    if lost.exc_type is EndedError and hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _end_again)
        signal.setitimer(signal.ITIMER_REAL, _MOMENT)


def _end_again(number: int, frame: FrameType | None) -> None:
    raise EndedError


def _open_streams() -> None:
    """Nothing else may get the numbers of the standard streams where they were closed (``2>&-``)."""
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            found = os.open(os.devnull, mode)  # the lowest number that is free
            if found != number:
                os.dup2(found, number)
                os.close(found)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (for as long as the process lasts)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _limit_memory() -> None:
    """Let an allocation beyond the memory fail here, in words, before the system kills the process for it.

    Not beside a GPU, whose driver reserves addresses without using them.
    """
    if sys.platform != "linux" or os.path.exists("/dev/nvidiactl"):
        return
    import resource

    from dynamics.memory import available_memory

    with suppress(OSError, ValueError):
        soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = available_memory() + _SPARE
        if soft == resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or limit < hard):
            resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def on_one_line(text: str) -> str:
    """``text`` with line breaks and control characters shown: names from files must not write to the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def silence(stream_number: int) -> None:
    """Let what is still in the buffers of a stream go nowhere: its reader has left, or its disk is full."""
    with suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream_number)
        os.close(nowhere)
