"""Options of a command made from the fields of dataclasses, so that each is written in one place."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer

from dynamics.options import OptionField, option_fields
from verify.command.common_options import DEVICES, Choices, among

Given = dict[str, Any]
"""Options by name, as the command line has them; None where not given."""


def _methods() -> list[str]:
    from dynamics.ode.steppers.methods import METHODS  # brings SciPy

    return ["auto", *METHODS]


def _products() -> list[str]:
    from nets.products import PRODUCTS

    return list(PRODUCTS)


_COMPLETED: dict[str, Choices] = {"device": DEVICES, "method": _methods, "products": _products}
"""Choices of options that take other texts too, or are checked by what they are for."""


def with_options(command: Callable[..., None], kinds: Mapping[str, type], leave: Sequence[str]) -> Any:
    """``command`` with an option for every field of the dataclasses, but for those called ``leave``.

    ``command`` takes ``options``, a :data:`Given`, as its first argument; what typer calls takes them one by one. A
    field that several dataclasses have is one option, with the words of the first; one that only the later ones have
    is marked with the name of its kind. A default is shown where all agree on it.

    Args:
        command: the function behind a command, with arguments of its own in typer's way.
        kinds: dataclasses of options by name; the first is the usual one.
        leave: fields for which ``command`` has arguments of its own.
    """
    tables = {name: option_fields(kind) for name, kind in kinds.items()}
    names = dict.fromkeys(name for table in tables.values() for name in table if name not in leave)
    generated = [_parameter(name, tables) for name in names]
    _, *own = inspect.signature(command, eval_str=True).parameters.values()

    def called(**arguments: Any) -> None:
        options = {parameter.name: arguments.pop(parameter.name) for parameter in generated}
        command(options, **arguments)

    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in [*own, *generated]]
    called.__doc__, called.__name__ = command.__doc__, command.__name__
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return called


def _parameter(name: str, tables: Mapping[str, Mapping[str, OptionField]]) -> inspect.Parameter:
    """One option as typer reads it: its flag, its type, and its words with choices and default."""
    holders = {kind: table[name] for kind, table in tables.items() if name in table}
    kind, field = next(iter(holders.items()))
    words = field.words.removesuffix(".")
    if kind != next(iter(tables)):
        words = f"{kind.capitalize()}: {words[0].lower()}{words[1:]}"
    if issubclass(field.item, StrEnum):
        words += f": {', '.join(field.item)}"
    if field.default is not None and all(other.default == field.default for other in holders.values()):
        words += f" (default {field.written(field.default)})"
    words += "."
    taken: Any = str if field.many or issubclass(field.item, str) else field.item
    choices = list(field.item) if issubclass(field.item, StrEnum) else _COMPLETED.get(name)
    option = typer.Option(
        field.flag,
        help=words,
        metavar=None if choices is None else "NAME",
        autocompletion=None if choices is None else among(choices),
    )
    annotation = Annotated[taken | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def from_options(kind: type, options: Given, foreign: str, **chosen: Any) -> Any:
    """The dataclass ``kind`` of the options that were given and of those ``chosen`` already.

    Raises ValueError, ``foreign`` saying why, where an option was given that is none of its fields, and whatever the
    dataclass itself raises.
    """
    fields = option_fields(kind)
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in fields:
            flag = "--" + name.lower().replace("_", "-")
            raise ValueError(f"{flag}: {foreign}")
    read = {
        name: fields[name].read(value, fields[name].flag) if isinstance(value, str) else value
        for name, value in given.items()
    }
    with naming_options(kind):
        return kind(**chosen, **read)


@contextmanager
def naming_options(kind: type) -> Iterator[None]:
    """Errors that begin with a field of the dataclass ``kind`` name its option instead: ``p_W: …`` is ``--p-w: …``."""
    try:
        yield
    except (ValueError, TypeError) as error:
        field = option_fields(kind).get(_named_in(error))
        if field is None:
            raise
        raise ValueError(field.flag + str(error).removeprefix(field.name)) from error


def _named_in(error: Exception) -> str:
    found = re.match(r"(\w+): ", str(error))
    return found[1] if found else ""
