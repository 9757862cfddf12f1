"""The boundary of what is public: arguments of another type than the annotation says are refused by name.

Annotations are read once, when a function is first called. What they say of truth values, texts, sequences, mappings,
callables, paths and classes is checked. Numbers and arrays, which have ranges and shapes besides, are the function's
own business (:mod:`dynamics.validation`), in the same words: ``argument: expected ..., got ...``.
"""

from __future__ import annotations

import inspect
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from enum import Enum
from functools import cache, wraps
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np

from dynamics.validation import is_integer, is_real, shown

P = ParamSpec("P")
R = TypeVar("R")


class Kind(NamedTuple):
    """What an annotation asks of a value: whether one fits, and what was expected, in words."""

    fits: Callable[[Any], bool]
    words: str


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function with its arguments' types checked; a method's ``self`` or ``cls`` is left alone.

    NumPy's single numbers reach it as Python's (see :func:`plain`).

    Raises TypeError, naming the argument, before the function runs.
    Cost: some microseconds a call: not for what runs at every step.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def with_types(*args: P.args, **kwargs: P.kwargs) -> R:
        kinds = _kinds(function)
        given = signature.bind(*args, **kwargs)
        for name, value in given.arguments.items():
            if name in kinds:
                require(name, value, kinds[name])
            if isinstance(value, np.number):
                given.arguments[name] = plain(value)
            elif type(value) is int and abs(value) > WHOLE and name in _real(function):
                given.arguments[name] = as_float(value)
        return function(*given.args, **given.kwargs)

    return with_types


def check_fields(instance: Any, *, leave: Sequence[str] = ()) -> None:
    """The same for the fields of a dataclass: called first where it is put together, in ``__post_init__``.

    ``leave``: fields that it checks itself.
    """
    for field in fields(instance):
        value = getattr(instance, field.name, None)
        if isinstance(value, np.number):
            object.__setattr__(instance, field.name, plain(value))
        elif type(value) is int and abs(value) > WHOLE and field.name in _real_fields(type(instance)):  # type: ignore[arg-type]  # as below
            object.__setattr__(instance, field.name, as_float(value))
    for name, kind in _field_kinds(type(instance)).items():  # type: ignore[arg-type]  # classes are hashable
        if name not in leave:
            require(name, getattr(instance, name), kind)


def plain(value: np.number[Any]) -> Any:
    """A single number of NumPy's as Python's int or float; complex ones and spans of time stay as they are.

    Numbers of few bits overflow in later arithmetic: ``np.int8(100) * 2`` is -56.
    """
    if is_integer(value):
        return int(value)
    return float(value) if is_real(value) else value


WHOLE = 2**53
"""Whole numbers up to which every one is a float64 too."""


def as_float(value: int) -> Any:
    """A whole number as a float: beyond 64 bits other libraries refuse it. One that no float holds stays."""
    try:
        return float(value)
    except OverflowError:
        return value


@contextmanager
def naming(argument: str) -> Iterator[None]:
    """Errors of what is made of one argument, which know its parts only, name the argument first."""
    try:
        yield
    except (ValueError, TypeError) as error:
        if str(error).startswith(f"{argument}:"):
            raise
        raise type(error)(f"{argument}: {error}") from error


def require(name: str, value: Any, kind: Kind) -> None:
    """Raise TypeError, naming the argument, unless ``value`` fits."""
    if not kind.fits(value):
        raise TypeError(f"{name}: expected {kind.words}, got {shown(value)}")


@cache
def _kinds(function: Callable[..., Any]) -> Mapping[str, Kind]:
    found = {
        name: _unless_number(_evaluated(parameter.annotation, function.__globals__))
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    return {name: kind for name, kind in found.items() if kind is not None}


@cache
def _real(function: Callable[..., Any]) -> frozenset[str]:
    """The parameters that are real numbers."""
    parameters = inspect.signature(function).parameters.items()
    return frozenset(
        name
        for name, parameter in parameters
        if _is_real_hint(_evaluated(parameter.annotation, function.__globals__))
    )


@cache
def _real_fields(cls: type) -> frozenset[str]:
    """The same of a dataclass."""
    found: dict[str, bool] = {}
    for holder in reversed(cls.__mro__):
        names = vars(holder).get("__annotations__", {})
        for name in names:
            found[name] = _is_real_hint(_evaluated(names[name], vars(sys.modules[holder.__module__])))
    return frozenset(name for name, real in found.items() if real)


def _is_real_hint(hint: Any) -> bool:
    parts = (hint, *get_args(hint))
    return get_origin(hint) in _ALONE and float in parts and int not in parts


@cache
def _field_kinds(cls: type) -> Mapping[str, Kind]:
    found: dict[str, Kind] = {}
    for holder in reversed(cls.__mro__):
        names = vars(holder).get("__annotations__", {})
        for name in names:
            kind = _unless_number(_evaluated(names[name], vars(sys.modules[holder.__module__])))
            if kind is not None:
                found[name] = kind
    return {field.name: found[field.name] for field in fields(cls) if field.name in found}


def _unless_number(hint: Any) -> Kind | None:
    """As :func:`kind_of`, but for single numbers."""
    number = any(part in (int, float) for part in (hint, *get_args(hint)))
    return None if number and get_origin(hint) in _ALONE else kind_of(hint)


def _evaluated(annotation: Any, names: Mapping[str, Any]) -> Any:
    """The annotation as an object; Any where only type checkers can make one of it."""
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, dict(names))  # of our own source
    except (NameError, TypeError):  # a name that is not imported here, a generic alias that has been closed
        return Any


def kind_of(hint: Any) -> Kind | None:
    """What ``hint`` asks for; None where that is anything, or nothing that is checked here (arrays, protocols)."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _any_of(parts)
    if origin in (tuple, list, Sequence, Iterable):
        return _many(origin, parts)
    if origin is Mapping or origin is dict:
        return Kind(lambda value: isinstance(value, Mapping), "a mapping")
    if origin is os.PathLike or hint is os.PathLike:
        return Kind(lambda value: isinstance(value, os.PathLike), "a path")
    if origin is type:
        return Kind(lambda value: isinstance(value, type), "a class")
    if origin is Callable or hint is Callable:
        return Kind(callable, "a callable")
    found = origin or hint  # of a generic class the class itself
    return _of_class(found) if isinstance(found, type) else None


def _of_class(hint: type) -> Kind | None:
    if getattr(hint, "_is_protocol", False) or issubclass(hint, np.ndarray) or hint is object:
        return None
    if issubclass(hint, Enum):
        words = f"one of {', '.join(str(member.value) for member in hint)}"
        return Kind(lambda value: isinstance(value, hint | str), words)
    article = "an" if hint.__name__[0] in "AEIOU" else "a"
    return Kind(lambda value: isinstance(value, hint), f"{article} {hint.__name__}")


def _any_of(parts: Sequence[Any]) -> Kind | None:
    """One of several; None among them is an argument left out, and says so last."""
    kinds = [kind_of(part) for part in parts if part is not type(None)]
    if not kinds or any(kind is None for kind in kinds):
        return None
    known = [kind for kind in kinds if kind is not None]
    optional = type(None) in parts
    words = " or ".join(dict.fromkeys(kind.words for kind in known)) + (" or None" if optional else "")
    return Kind(lambda value: (optional and value is None) or any(kind.fits(value) for kind in known), words)


def _many(origin: Any, parts: Sequence[Any]) -> Kind | None:
    """A sequence whose items are all of one kind (``tuple[int, ...]``), or of any."""
    alike = len(parts) == 1 or (len(parts) == 2 and parts[1] is Ellipsis)
    item = kind_of(parts[0]) if parts and alike else None
    words = "a sequence" if item is None else f"a sequence, each item {item.words}"
    if origin is Iterable:
        return Kind(lambda value: isinstance(value, Iterable), "an iterable")

    def fits(value: Any) -> bool:
        if isinstance(value, str | bytes | bytearray) or not isinstance(value, Sequence | np.ndarray):
            return False
        if isinstance(value, np.ndarray) and value.ndim == 0:
            return False
        return item is None or all(map(item.fits, value))

    return Kind(fits, words)


def _is_true_or_false(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


_ALONE = (None, Union, types.UnionType)
"""Origins of annotations of one value: a plain one, or one of several."""

_PLAIN: dict[Any, Kind | None] = {
    Any: None,
    Path: Kind(lambda value: isinstance(value, os.PathLike), "a path"),
    bool: Kind(_is_true_or_false, "True or False"),
    int: Kind(is_integer, "an integer"),
    float: Kind(is_real, "a real number"),
    str: Kind(lambda value: isinstance(value, str), "a text"),
}
