"""Settings of a figure changed by name: ``networks=4``, ``polarities=0.5,1``."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any


def overridden(settings: Any, changes: Sequence[str], seed: int | None = None) -> Any:
    """``settings`` with the named fields replaced; a value has the type of the one it replaces.

    Raises ValueError on a text that is not NAME=VALUE, a name that is no field, a name given twice, or a value that
    cannot be read; and whatever the settings' own validation raises.
    """
    current = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    changed: dict[str, Any] = {} if seed is None else {"seed": seed}
    for text in changes:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise ValueError(f"--set: expected NAME=VALUE, got {text!r}")
        if name not in current or name == "seed":
            names = ", ".join(field for field in current if field != "seed")
            raise ValueError(f"--set: expected one of {names}, got {name!r}")
        if name in changed:
            raise ValueError(f"--set: {name} is given twice")
        changed[name] = _read(name, value, current[name])
    return dataclasses.replace(settings, **changed)


def _read(name: str, text: str, like: Any) -> Any:
    if isinstance(like, tuple):
        return tuple(_read(name, part, like[0]) for part in text.split(","))
    if isinstance(like, str):
        return text
    kind = "a whole number" if isinstance(like, int) else "a number"
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (isinstance(like, int) and not value.is_integer()):
        raise ValueError(f"{name}: expected {kind}, got {text!r}")
    return int(value) if isinstance(like, int) else value
