"""The command from its first moment to its last: a signal ends it in one line while it is still being loaded, too."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

from verify.command.surroundings import ending_signal, how_it_ended, put_in_order


def start() -> None:
    """Run the command on the process's arguments and exit with its code."""
    put_in_order()
    try:
        from verify.command.main import main  # takes a second, most of it for libraries

        main()
    except SystemExit:
        leave_signals_alone()
        raise
    except BaseException as error:
        code = _ended_by_a_signal(error)
        if code is None:
            raise
        leave_signals_alone()
        sys.exit(code)


def leave_signals_alone() -> None:
    """From here on a signal ends the process at once, without a word: all that was to be said and kept is."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) != signal.SIG_IGN:
            with suppress(ValueError):  # only in the main thread
                signal.signal(number, signal.SIG_DFL)


def _ended_by_a_signal(error: BaseException) -> int | None:
    """The exit code, once it is told; None where the error is not a signal's, nor made of one by a library."""
    number = ending_signal()
    if number is None and not _is_an_interrupt(error):
        return None
    words, code = how_it_ended(signal.SIGINT if number is None else number)
    with suppress(OSError, ValueError):
        print(f"luckproof: {words}", file=sys.stderr, flush=True)
    return code


def _is_an_interrupt(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None
