"""Instances as the fields of their type say, where a family narrows some of them or builds on them."""

from __future__ import annotations

from typing import Any, TypeVar

from hypothesis.strategies import SearchStrategy

from verify.judging import Budget, drawn_fields

T = TypeVar("T")


def narrowed(kind: type[T], budget: Budget, **fields: SearchStrategy[Any]) -> SearchStrategy[T]:
    """Instances of ``kind`` under ``budget``; ``fields`` replaces the strategies of some of its fields.

    Raises:
        ValueError: no field says how it is drawn, neither in ``kind`` nor in ``fields``.
    """
    strategy = drawn_fields(kind, **fields)
    if strategy is None:
        raise ValueError(f"kind: expected a type with drawn fields, got {kind.__name__}")
    return strategy(budget)
