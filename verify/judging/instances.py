"""Instances: fields that say how they are drawn, and JSON, in which a counterexample leaves a report and comes back."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dynamics.boundary import checked
from dynamics.files.json_text import read_json
from dynamics.validation import shown
from verify.judging.domains import DOMAIN, Domain
from verify.judging.vocabulary import Budget

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from verify.judging.statement import AnyStatement

T = TypeVar("T")

_STRATEGY = "luckproof strategy"

LARGEST = 2**63
"""Integers of instances are below this: they become sizes and entries of arrays."""

LINE = 240
"""Characters of a value or a reason that an error shows."""


def drawn(
    default: T,
    strategy: SearchStrategy[T] | Callable[[Budget], SearchStrategy[T]],
    domain: Domain | None = None,
    note: str = "",
) -> T:
    """A field of an instance: its default, how it is drawn, and what it may be at all.

    Args:
        default: the value where none is given; the simplest that makes sense.
        strategy: what it is drawn from, or a function of the budget that gives it.
        domain: outside it there is no such instance (:class:`verify.judging.domains.Instance` refuses it).
        note: what the field is, for those who read the records.
    Raises:
        TypeError: ``strategy`` is none, or ``domain`` no domain.
    """
    if not callable(strategy) and not type(strategy).__module__.startswith("hypothesis"):
        raise TypeError(
            f"strategy: expected a strategy of Hypothesis or a function of the budget, got {shown(strategy)}"
        )
    _check_domain(domain)
    return field(default=default, metadata={_STRATEGY: strategy, DOMAIN: domain, "note": note})


def fixed(default: T, domain: Domain | None = None, note: str = "") -> T:
    """A field that is not drawn by itself: its default, and what it may be at all; see :func:`drawn`."""
    _check_domain(domain)
    return field(default=default, metadata={DOMAIN: domain, "note": note})


def _check_domain(domain: Any) -> None:
    if domain is not None and not isinstance(domain, Domain):
        raise TypeError(f"domain: expected integers(...), reals(...), OneOf or Each, got {shown(domain)}")


@checked
def drawn_fields(
    instance_type: type[T], **narrowed: SearchStrategy[Any]
) -> Callable[[Budget], SearchStrategy[T]] | None:
    """The strategy that the fields of ``instance_type`` state, in their order; None where no field states any.

    ``narrowed`` replaces the strategies of some fields; other fields keep their defaults.
    """
    kind: Any = instance_type
    stated = {f.name: f.metadata[_STRATEGY] for f in dataclasses.fields(kind) if _STRATEGY in f.metadata}
    chosen = stated | narrowed
    if not chosen:
        return None

    def strategy(budget: Budget) -> SearchStrategy[T]:
        import hypothesis.strategies as st

        return st.builds(
            instance_type, **{name: s(budget) if callable(s) else s for name, s in chosen.items()}
        )

    return strategy


def instance_to_json(instance: Any) -> str:
    """The fields of an instance as one line of JSON; :func:`instance_from_json` is its inverse."""
    return json.dumps(dataclasses.asdict(instance), default=_plain_scalar)


def instance_from_json(statement: AnyStatement, text: str) -> Any:
    """The instance of ``statement`` that ``text`` describes; fields left out take their defaults.

    Raises:
        ValueError: not a JSON object, an unknown or missing field, or a value of the wrong kind.
    """
    fields = _object("instance", text)
    known = {entry.name: entry for entry in dataclasses.fields(statement.instance_type)}
    described = ", ".join(known) or "no fields"
    for name, value in fields.items():
        if name not in known:
            raise ValueError(
                f"instance: {statement.name} has {described}; got the unknown field {_short(repr(name))}"
            )
        fields[name] = _of_kind("instance", name, _as_tuples(value), known[name].default)
    try:
        return statement.instance_type(**fields)
    except ValueError as error:
        raise ValueError(f"instance: {_short(str(error))}") from error
    except (TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise ValueError(
            f"instance: {statement.name} needs {described}; got {_short(text)} ({_short(str(error))})"
        ) from None


def altered_from_json(statement: AnyStatement, text: str) -> dict[str, Any]:
    """The altered arguments of ``statement``'s evidence that ``text`` describes, as a control has them.

    Raises:
        ValueError: not a JSON object, an unknown argument, or a value of another kind than its default.
    """
    known = {
        name: parameter.default
        for name, parameter in inspect.signature(statement.evidence).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    altered = _object("alter", text)
    for name, value in altered.items():
        if name not in known:
            described = ", ".join(known) or "no arguments to alter"
            raise ValueError(
                f"alter: {statement.name} has {described}; got the unknown argument {_short(repr(name))}"
            )
        altered[name] = _of_kind("alter", name, _as_tuples(value), known[name])
    return altered


def _object(argument: str, text: str) -> dict[str, Any]:
    try:
        value = read_json(text)
    except (ValueError, RecursionError) as error:  # ValueError: no JSON, or an integer of thousands of digits
        raise ValueError(
            f"{argument}: expected a JSON object, got {_short(repr(text))} ({_short(str(error))})"
        ) from None
    if not isinstance(value, dict):
        raise ValueError(f"{argument}: expected a JSON object, got {_short(repr(text))}")
    for name, part in value.items():
        _check_numbers(f"{argument}: {name}", part)
    return value


def _check_numbers(where: str, value: Any) -> None:
    """Refuse integers that neither an array nor a float holds."""
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _check_numbers(where, item)
    elif isinstance(value, int) and abs(value) >= LARGEST:
        raise ValueError(f"{where}: expected integers of up to 63 bits, got one of {value.bit_length()} bits")


def _short(words: str) -> str:
    """``words`` in a line, its middle left out where it is long."""
    line = " ".join(words.split())
    return line if len(line) <= LINE else f"{line[: LINE // 2]} … {line[-LINE // 4 :]}"


def _of_kind(argument: str, name: str, value: Any, default: Any) -> Any:
    """``value``, held to the kind (number, text, list, truth value) of the field's default."""
    if default is dataclasses.MISSING or default is None:
        return value
    wrong_kind = _kind(value) != _kind(default)
    if wrong_kind or (isinstance(default, int) and isinstance(value, float)):
        wanted = (
            "an integer" if _kind(default) == "number" and isinstance(default, int) else f"a {_kind(default)}"
        )
        raise ValueError(
            f"{argument}: {name}: expected {wanted} such as {default!r}, got {_short(repr(value))}"
        )
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
