"""Instances as JSON: how a counterexample leaves a report and comes back on the command line."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np

from verify.judging.statement import Statement


def instance_to_json(instance: Any) -> str:
    """The fields of an instance as one line of JSON; :func:`instance_from_json` is its inverse."""
    return json.dumps(dataclasses.asdict(instance), default=_plain_scalar)


def instance_from_json(statement: Statement, text: str) -> Any:
    """The instance of ``statement`` that ``text`` describes; fields left out take their defaults.

    Raises:
        ValueError: not a JSON object, an unknown or missing field, or a value of the wrong kind.
    """
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"instance: expected a JSON object, got {text!r} ({error})") from None
    if not isinstance(fields, dict):
        raise ValueError(f"instance: expected a JSON object, got {text!r}")
    known = {field.name: field for field in dataclasses.fields(statement.instance_type)}
    described = ", ".join(known) or "no fields"
    for name, value in fields.items():
        if name not in known:
            raise ValueError(f"instance: {statement.name} has {described}; got the unknown field {name!r}")
        fields[name] = _of_kind(name, _as_tuples(value), known[name].default)
    try:
        return statement.instance_type(**fields)
    except TypeError as error:
        raise ValueError(f"instance: {statement.name} needs {described}; got {text} ({error})") from None


def _of_kind(name: str, value: Any, default: Any) -> Any:
    """``value``, held to the kind (number, text, list, truth value) of the field's default."""
    if default is dataclasses.MISSING or default is None:
        return value
    wrong_kind = _kind(value) != _kind(default)
    if wrong_kind or (isinstance(default, int) and isinstance(value, float)):
        wanted = (
            "an integer" if _kind(default) == "number" and isinstance(default, int) else f"a {_kind(default)}"
        )
        raise ValueError(f"instance: {name}: expected {wanted} such as {default!r}, got {value!r}")
    return float(value) if isinstance(default, float) else value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth value"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, tuple | list):
        return "list"
    return "text" if isinstance(value, str) else type(value).__name__


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def _plain_scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"an instance holds numbers, strings and tuples of them, got {value!r}")
