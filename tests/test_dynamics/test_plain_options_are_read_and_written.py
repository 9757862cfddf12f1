"""Fields of a dataclass as options: what is written is read again, and what is no value is refused by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamics.options import option, option_fields


class Colour(StrEnum):
    """Names."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Options:
    """One of each kind."""

    late: int = field(default=1, kw_only=True)
    count: int = option(3, "How many.")
    p_W: float = option(0.5, "A share.")
    colour: Colour = option(Colour.RED, "A name.")
    title: str = option("", "Words.")
    limit: float | None = option(None, "A limit, perhaps.")
    widths: tuple[int, ...] = option((10, 5), "Sizes.", separator="-")


FIELDS = option_fields(Options)


def test_fields_are_options_in_order() -> None:
    """Flags in small letters; those that are given by name alone come last."""
    assert [found.flag for found in FIELDS.values()] == [
        "--count", "--p-w", "--colour", "--title", "--limit", "--widths", "--late",
    ]  # fmt: skip
    assert FIELDS["limit"].item is float
    assert (FIELDS["widths"].item, FIELDS["widths"].many) == (int, True)
    assert (FIELDS["count"].default, FIELDS["count"].words) == (3, "How many.")


@given(
    count=st.integers(-(2**53), 2**53),
    share=st.floats(allow_nan=False, allow_infinity=False),
    widths=st.lists(st.integers(0, 10**6), min_size=1).map(tuple),
    colour=st.sampled_from(Colour),
)
def test_what_is_written_is_read(count: int, share: float, widths: tuple[int, ...], colour: Colour) -> None:
    """To the bit."""
    for name, value in {"count": count, "p_W": share, "widths": widths, "colour": colour}.items():
        assert FIELDS[name].read(FIELDS[name].written(value)) == value


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("count", "1.5", "count: expected a whole number, got '1.5'"),
        ("count", "nan", "count: expected a whole number, got 'nan'"),
        ("p_W", "inf", "p_W: expected a number, got 'inf'"),
        ("p_W", "", "p_W: expected a number, got ''"),
        ("colour", "green", "colour: expected one of red, blue, got 'green'"),
        ("widths", "10-x", "widths: expected whole numbers such as 10-5, got '10-x'"),
    ],
)
def test_what_is_no_value_is_refused(name: str, text: str, words: str) -> None:
    """Naming the field, or the label that it goes by."""
    with pytest.raises(ValueError, match=f"^{words}$"):
        FIELDS[name].read(text)
    with pytest.raises(ValueError, match=r"^--here: expected"):
        FIELDS[name].read(text, "--here")


def test_fields_that_no_text_can_give_are_refused() -> None:
    """A mapping, say: the dataclass is at fault, by the field's name."""

    @dataclass
    class Odd:
        table: dict[str, Any] = field(default_factory=dict)

    Odd.__annotations__["table"] = dict[str, int]
    with pytest.raises(TypeError, match=r"^table: expected a field of numbers, texts or names"):
        option_fields(Odd)
