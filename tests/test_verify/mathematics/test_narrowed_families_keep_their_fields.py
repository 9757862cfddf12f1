"""A narrowed family draws the fields that its type states, and those that are replaced from what replaces them."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import pytest
from hypothesis import given

from luckproof import BUDGETS, drawn
from verify.mathematics.families.narrowed import narrowed


@dataclass(frozen=True)
class Layer:
    width: int = drawn(1, lambda budget: st.integers(10, 20 if budget.full else 12))
    depth: int = drawn(1, st.integers(5, 6))
    outputs: int = 3


@dataclass(frozen=True)
class Bare:
    width: int = 1


@given(narrowed(Layer, BUDGETS["quick"], depth=st.just(9)))
def test_replaced_fields_leave_the_others(layer: Layer) -> None:
    """The width is drawn as the quick budget has it, the depth is the one given, the outputs are the default."""
    assert 10 <= layer.width <= 12
    assert (layer.depth, layer.outputs) == (9, 3)


@given(narrowed(Bare, BUDGETS["quick"], width=st.just(4)))
def test_fields_without_a_range_may_be_given_one(bare: Bare) -> None:
    """A type that states no range is drawn from the one given."""
    assert bare == Bare(4)


def test_a_type_without_ranges_is_refused() -> None:
    """Named, with what was expected."""
    with pytest.raises(ValueError, match="kind: expected a type with drawn fields, got Bare"):
        narrowed(Bare, BUDGETS["quick"])
