"""One style for the options of every command: what they take, their choices and defaults."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, get_args

from typer.core import TyperCommand

METAVARS: dict[object, str] = {int: "N", float: "X", str: "TEXT", Path: "PATH"}
"""What an option takes, where it does not say so itself, by its type."""


class PlainCommand(TyperCommand):
    """A command whose options show one word for what they take, and choices and default in their help."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        for option in self.params:
            if option.param_type_name == "option":
                _restyle(option)


def _restyle(option: Any) -> None:
    """The metavar, then ``: one, two`` for choices, then ``(default …)``."""
    if option.is_flag:
        return
    words = (option.help or "").rstrip().removesuffix(".")
    kind = _kind_of(option)
    named = isinstance(kind, type) and issubclass(kind, Enum)
    if named:
        words += f": {', '.join(str(choice.value) for choice in kind)}"
    if option.metavar is None:
        option.metavar = "NAME" if named else METAVARS.get(kind, "TEXT")
    default = option.default
    if isinstance(default, str | int | float) and "(default" not in words:
        words += f" (default {getattr(default, 'value', default)})"
    option.show_default = False
    option.help = f"{words}."


def _kind_of(option: Any) -> Any:
    """The type of the values an option takes; None where this version of typer does not tell."""
    annotation = getattr(getattr(option, "type_descriptor", None), "annotation", None)
    given = [kind for kind in get_args(annotation) if kind is not type(None)]
    return given[0] if len(given) == 1 else annotation
