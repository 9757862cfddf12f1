"""Settings of a figure changed by name: ``networks=4``, ``polarities=0.5,1``."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from dynamics.memory import check_size
from dynamics.options import option_fields


def overridden(settings: Any, changes: Sequence[str], seed: int | None = None) -> Any:
    """``settings`` with the named fields replaced; a value has the type of its field.

    Raises ValueError on a text that is not NAME=VALUE, a name that is no field, a name given twice, or a value that
    cannot be read; and whatever the settings' own validation raises.
    """
    fields = option_fields(type(settings))
    changed: dict[str, Any] = {} if seed is None else {"seed": seed}
    for text in changes:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise ValueError(f"--set: expected NAME=VALUE, got {text!r}")
        if name not in fields or name == "seed":
            names = ", ".join(known for known in fields if known != "seed")
            raise ValueError(f"--set: expected one of {names}, got {name!r}")
        if name in changed:
            raise ValueError(f"--set: {name} is given twice")
        changed[name] = fields[name].read(value, f"--set {name}")
        for size in changed[name] if isinstance(changed[name], tuple) else (changed[name],):
            if type(size) is int:
                check_size(f"--set {name}", size)
    try:
        return dataclasses.replace(settings, **changed)
    except (ValueError, TypeError) as error:
        if str(error).partition(": ")[0] in changed.keys() - {"seed"}:
            raise type(error)(f"--set {error}") from error
        raise
