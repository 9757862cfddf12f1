"""The errors that end the command with a line on stderr, and the exit codes they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

UNEXPECTED = 1
BAD_INPUT = 2
FAILED = 3
BROKEN = 4
UNRESOLVED = 5


class CommandLineError(Exception):
    """Ends the command: the message goes to stderr as one line."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def boundary() -> Iterator[None]:
    """Around reading and checking input, and writing files: the library's own errors become exit code 2.

    Everything else (the run itself) stays outside, so that a defect shows as the traceback it is.
    """
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        raise CommandLineError(str(error), BAD_INPUT) from error
