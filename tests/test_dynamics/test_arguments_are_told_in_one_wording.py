"""Checks of single arguments: the name first, then what was expected, then what came."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from dynamics.boundary import check_fields, checked
from dynamics.validation import integer, number, one_of, positive_int, real_array


@pytest.mark.parametrize(
    ("least", "expected"),
    [(None, "an integer"), (0, "a non-negative integer"), (1, "a positive integer"), (3, "an integer >= 3")],
)
@pytest.mark.parametrize("value", [True, 1.0, "1", None, np.array(1)])
def test_integers_have_their_type(least: int | None, expected: str, value: object) -> None:
    """Booleans, whole floats, texts and arrays are no integers, whatever the bound."""
    with pytest.raises(TypeError, match=f"^n: expected {expected}, got "):
        integer("n", value, least=least)


@pytest.mark.parametrize(
    ("least", "expected"), [(0, "a non-negative integer"), (1, "a positive integer"), (3, "an integer >= 3")]
)
def test_integers_are_bounded_below(least: int, expected: str) -> None:
    """The bound itself is accepted, NumPy's integers become Python's; one less is refused with its value."""
    found = integer("n", np.int64(least), least=least)
    assert (type(found), found) == (int, least)
    with pytest.raises(ValueError, match=f"^n: expected {expected}, got {least - 1}$"):
        integer("n", least - 1, least=least)


def test_numbers_are_finite_and_in_range() -> None:
    """Finite; above zero where positive; from ``least`` on, which is itself accepted."""
    assert number("x", np.float32(0.5)) == 0.5
    assert number("x", 0, least=0) == 0.0
    with pytest.raises(TypeError, match=r"^x: expected a real number, got '1'$"):
        number("x", "1")
    for value in (math.nan, math.inf):
        with pytest.raises(ValueError, match=r"^x: expected a finite number, got "):
            number("x", value, least=0)
    with pytest.raises(ValueError, match=r"^x: expected a positive finite number, got 0$"):
        number("x", 0, positive=True)
    with pytest.raises(ValueError, match=r"^x: expected a number >= 0\.5, got 0\.25$"):
        number("x", 0.25, least=0.5)


def test_names_are_listed() -> None:
    """An unknown name is refused with those that are known; positive integers start at 1."""
    assert one_of("flow", "a", ("a", "b")) == "a"
    with pytest.raises(ValueError, match=r"^flow: expected one of a, b, got 'c'$"):
        one_of("flow", "c", iter("ab"))
    assert positive_int("n", 1) == 1


def test_numbers_stay_below_their_bound() -> None:
    """The lower end belongs to the range, the upper one does not; each bound is told alone and with the other."""
    assert number("slope", 0, least=0, below=1) == 0.0
    for value in (1.0, -0.1):
        with pytest.raises(ValueError, match=rf"^slope: expected a number in \[0, 1\), got {value}$"):
            number("slope", value, least=0, below=1)
    assert number("x", -5.0, below=1) == -5.0
    with pytest.raises(ValueError, match=r"^x: expected a number < 1, got 1$"):
        number("x", 1, below=1)


def test_arrays_are_real_and_finite() -> None:
    """Anything with a shape becomes float64, an array of it stays the same object; the faults are counted."""
    given = np.arange(3.0)
    assert real_array("A", given) is given
    assert real_array("A", [[1, 2]]).dtype == np.float64
    with pytest.raises(TypeError, match=r"^A: expected an array of real numbers, got str$"):
        real_array("A", "one")
    with pytest.raises(TypeError, match=r"^A: expected an array of real numbers, got list$"):
        real_array("A", [[1.0], [1.0, 2.0]])
    with pytest.raises(ValueError, match=r"^A: expected finite entries, got 2 NaN or Inf$"):
        real_array("A", [np.nan, 1.0, np.inf])


@pytest.mark.parametrize(
    ("given", "python"),
    [(np.int8(100), int), (np.uint8(200), int), (np.float16(6e4), float), (np.float32(1e38), float)],
)
def test_numbers_of_few_bits_reach_functions_as_pythons(given: Any, python: type) -> None:
    """``np.int8(100) * 2`` is -56: behind the boundary arithmetic is that of Python's numbers, in fields too."""

    @checked
    def twice(x: float) -> Any:
        return x * 2

    @dataclass(frozen=True)
    class Held:
        x: float

        def __post_init__(self) -> None:
            check_fields(self)

    assert twice(given) == 2 * float(given)
    assert type(Held(given).x) is python


def test_complex_numbers_and_spans_of_time_are_not_made_real() -> None:
    """What is no real number is left as it came, for the function to refuse."""

    @checked
    def same(x: Any) -> Any:
        return x

    for value in (np.complex64(1j), np.timedelta64(3, "s")):
        assert same(value) is value


def test_whole_numbers_beyond_64_bits_are_floats_where_real_ones_are_asked_for() -> None:
    """Torch and NumPy refuse them as integers; where integers are asked for they stay, and what no float holds does."""

    @checked
    def given(x: float, y: float | None, n: int, a: Any) -> Any:
        return x, y, n, a

    @dataclass(frozen=True)
    class Held:
        x: float
        n: int

        def __post_init__(self) -> None:
            check_fields(self)

    big = 10**30
    assert [type(value) for value in given(big, -big, big, big)] == [float, float, int, int]
    assert given(7, 7, 7, 7) == (7, 7, 7, 7)
    assert type(given(7, None, 7, 7)[0]) is int
    assert given(10**400, None, 1, 1)[0] == 10**400
    held = Held(big, big)
    assert (type(held.x), type(held.n)) == (float, int)
