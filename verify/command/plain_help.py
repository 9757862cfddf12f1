"""One style for the help page of every command, and messages that name what was typed."""

from __future__ import annotations

import re
from enum import Enum
from inspect import cleandoc
from pathlib import Path
from typing import Any, get_args

from typer.core import TyperCommand, TyperGroup

from verify.command.errors import CommandLineError

METAVARS: dict[object, str] = {int: "N", float: "X", str: "TEXT", Path: "FILE"}
"""What an option takes, where it does not say so itself, by its type."""

OUTPUT = "Output"
OUTPUT_OPTIONS = ("out", "to", "plot", "picture", "report", "title", "json", "quiet")
"""Options about what is written and printed, by their arguments: a panel of their own, in this order."""


class PlainCommand(TyperCommand):
    """A command whose options show one word for what they take, and choices and default in their help.

    Errors that begin with the name of an argument begin with its option instead: ``max_steps: …`` is
    ``--max-steps: …``.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.help = in_paragraphs(self.help or "")
        for parameter in self.params:
            if parameter.param_type_name == "option":
                _restyle(parameter)
            else:
                _without_type(parameter)
        self.params.sort(key=_place)

    def get_help_option(self, ctx: Any) -> Any:
        """``--help``, in the same style."""
        return _without_type(super().get_help_option(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Call what is behind the command."""
        try:
            return super().invoke(ctx)
        except CommandLineError as error:
            raise CommandLineError(self.in_options(str(error)), error.exit_code) from error

    def in_options(self, message: str) -> str:
        """A message with the option that was typed in place of the argument behind it."""
        name = re.match(r"(\w+): ", message)
        for parameter in self.params if name is not None else ():
            if name is not None and parameter.name in (name[1], f"{name[1]}s"):  # a key is one of the KEYS
                return typed(parameter) + message.removeprefix(name[1])
        return message


class PlainGroup(TyperGroup):
    """The command above all others, in the same style."""

    def get_params(self, ctx: Any) -> Any:
        """``--help`` and those about completion, in the same style."""
        return [_without_type(parameter) for parameter in super().get_params(ctx)]


def typed(parameter: Any) -> str:
    """An option or argument as it stands on a command line."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar or parameter.name.upper())


def in_paragraphs(text: str) -> str:
    """A help text whose paragraphs fill the lines; those of examples are kept line by line."""
    paragraphs = re.split(r"\n\s*\n", cleandoc(text))
    return "\n\n".join(
        one if one.startswith("Example") else " ".join(one.split()) for one in paragraphs if one.strip()
    )


def _place(parameter: Any) -> tuple[bool, int]:
    """Options about output come last, in one order."""
    known = parameter.param_type_name == "option" and parameter.name in OUTPUT_OPTIONS
    return known, OUTPUT_OPTIONS.index(parameter.name) if known else 0


def _without_type(parameter: Any) -> Any:
    """No type beside an argument, whose name says what it is, nor beside what takes no value."""
    if parameter is not None:
        parameter.display_type_rich = lambda ctx: None
    return parameter


def _restyle(option: Any) -> None:
    """The metavar, then ``: one, two`` for choices, then ``(default …)``."""
    if option.name in OUTPUT_OPTIONS:
        option.rich_help_panel = OUTPUT
    if option.is_flag:
        _without_type(option)
        return
    words = (option.help or "").rstrip().removesuffix(".")
    kind = _kind_of(option)
    named = isinstance(kind, type) and issubclass(kind, Enum)
    if named:
        words += f": {', '.join(str(choice.value) for choice in kind)}"
    if option.metavar is None:
        option.metavar = "NAME" if named else METAVARS.get(kind, "TEXT")
    default = option.default
    if isinstance(default, str | int | float | Path) and "(default" not in words:
        words += f" (default {getattr(default, 'value', default)})"
    option.show_default = False
    option.help = f"{words}."


def _kind_of(option: Any) -> Any:
    """The type of the values an option takes; None where this version of typer does not tell."""
    annotation = getattr(getattr(option, "type_descriptor", None), "annotation", None)
    given = [kind for kind in get_args(annotation) if kind is not type(None)]
    return given[0] if len(given) == 1 else annotation
