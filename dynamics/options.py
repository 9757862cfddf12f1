"""Plain options as the fields of a dataclass: said in words once, read from text and written as text.

The command line is made from such dataclasses: a field's name, type, default and words are those of its option.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

from dynamics.validation import shown


def option(default: Any, words: str, *, separator: str = ",") -> Any:
    """A dataclass field with a default and what it means, in words for a help page.

    ``separator``: between the items of a tuple that is given as text.
    """
    return dataclasses.field(default=default, metadata={"words": words, "separator": separator})


@dataclass(frozen=True)
class OptionField:
    """One field of a dataclass of options: an int, a float, a text, a name of an enumeration, or a tuple of these."""

    name: str
    item: type[int] | type[float] | type[str]
    many: bool
    default: Any
    words: str
    separator: str

    @property
    def flag(self) -> str:
        """The option on a command line: ``p_W`` is ``--p-w``."""
        return "--" + self.name.lower().replace("_", "-")

    def read(self, text: str, label: str | None = None) -> Any:
        """The value that ``text`` gives; raises ValueError, naming ``label`` or the field, where it gives none."""
        parts = text.split(self.separator) if self.many else [text]
        try:
            values = tuple(self._item(part) for part in parts)
        except ValueError:
            raise ValueError(f"{label or self.name}: expected {self.expected}, got {shown(text)}") from None
        return values if self.many else values[0]

    def _item(self, text: str) -> Any:
        if issubclass(self.item, str):
            return self.item(text)
        value = float(text)
        if not math.isfinite(value) or (self.item is int and not value.is_integer()):
            raise ValueError(text)
        return self.item(value)

    @property
    def expected(self) -> str:
        """What a text must be, in words."""
        if issubclass(self.item, StrEnum):
            return f"one of {', '.join(self.item)}"
        kind = {int: "whole number", float: "number"}.get(self.item, "text")
        return f"{kind}s such as {self.written(self.default)}" if self.many else f"a {kind}"

    def written(self, value: Any) -> str:
        """The text that :meth:`read` turns into ``value``."""
        if isinstance(value, tuple | list):
            return self.separator.join(map(self.written, value))
        if isinstance(value, float) and float(f"{value:g}") == value:
            return f"{value:g}"
        return str(value)


def option_fields(kind: type) -> dict[str, OptionField]:
    """The fields of a dataclass as options, by name; those that are given by name alone come last.

    Raises TypeError where a field holds what no text can give.
    """
    hints = get_type_hints(kind)
    ordered = sorted(dataclasses.fields(kind), key=lambda field: field.kw_only is True)
    return {field.name: _option(field, hints[field.name]) for field in ordered}


def _option(field: dataclasses.Field[Any], hint: Any) -> OptionField:
    given = [one for one in get_args(hint) if one is not type(None)]
    inner = given[0] if type(None) in get_args(hint) and len(given) == 1 else hint
    many = get_origin(inner) is tuple
    item = get_args(inner)[0] if many else inner
    if not isinstance(item, type) or not issubclass(item, int | float | str):
        raise TypeError(f"{field.name}: expected a field of numbers, texts or names, got {shown(hint)}")
    default = None if field.default is dataclasses.MISSING else field.default
    words, separator = field.metadata.get("words", ""), field.metadata.get("separator", ",")
    return OptionField(field.name, item, many, default, words, separator)
