"""What is wrong with a command line that cannot be read, in the words of all our messages: option, expected, got."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import typer

from dynamics.validation import shown
from verify.command.plain_help import typed

# The base of all usage errors; typer brings its own copy of click and does not export it by name.
UsageError: type[typer.BadParameter] = typer.BadParameter.__mro__[2]

NUMBERS = {"a valid integer": "a whole number", "a valid number": "a number"}


def usage_words(error: Any, words: Sequence[str]) -> str:
    """The message for a usage error in the command line ``words``."""
    parameter = getattr(error, "param", None)
    message = getattr(error, "message", "")
    if parameter is None or not message:  # no such option, nothing given: click's words name it
        return str(error.format_message()).replace(":\n\t", ": ").replace(",\n\t", ", ")
    choices = re.search(r"'(.*)' is not one of (.*?)\.?$", message)
    if choices is not None:
        return (
            f"{typed(parameter)}: expected one of {choices[2].replace(chr(39), '')}, got {shown(choices[1])}"
        )
    for theirs, ours in NUMBERS.items():
        if theirs in message:
            return f"{typed(parameter)}: expected {ours}{_got(parameter, words)}"
    return f"{typed(parameter)}: {message}"


def _got(parameter: Any, words: Sequence[str]) -> str:
    """The value that was typed behind the option, the last where there are several."""
    for place in reversed(range(len(words))):
        option, equals, value = words[place].partition("=")
        if option in parameter.opts:
            given = value if equals else next(iter(words[place + 1 :]), "")
            return f", got {shown(given)}"
    return ""
