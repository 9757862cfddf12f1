"""The values along one axis of a sweep: a list, or a range written as text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dynamics.validation import shown
from verify.sweeps.commands import checked_value

LONGEST = 10_000_000
"""Values of an axis, and points of a sweep, beyond which a configuration is taken for a mistake."""

RANGE_WORDS = (
    'a list of values, or a range such as "0:5" (0, 1, 2, 3, 4) or "0.1:1.0:10" (ten values, both ends)'
)


@dataclass(frozen=True)
class Axis:
    """An option and the values it takes, in order."""

    name: str
    values: tuple[Any, ...]


def read_axis(command: str, section: str, name: str, given: Any) -> Axis:
    """The axis that stands in a configuration as ``name = given``.

    Args:
        command: whose option is swept.
        section: ``grid`` or ``zip``.
        name: of the option.
        given: a list, or a text with a range: ``"0:5"`` counts from 0 to 4, ``"0.1:1.0:10"`` are ten values from 0.1 to
            1.0, evenly spaced.
    Raises:
        ValueError: naming the key: neither, no values, values twice, or values that the option does not take.
    """
    key = f"{section}.{name}"
    if isinstance(given, str):
        values = _range(key, given)
    elif isinstance(given, list | tuple):
        values = list(given)
    else:
        raise ValueError(f"{key}: expected {RANGE_WORDS}, got {shown(given)}")
    if not values:
        raise ValueError(f"{key}: expected one value at least, got none")
    checked = tuple(checked_value(command, key, name, value) for value in values)
    if len(set(checked)) < len(checked):
        twice = next(value for value in checked if checked.count(value) > 1)
        raise ValueError(f"{key}: expected every value once, got {shown(twice)} twice")
    return Axis(name, checked)


def _range(key: str, text: str) -> list[Any]:
    """The values of ``"start:stop"`` or ``"first:last:count"``."""
    parts = text.split(":")
    try:
        if len(parts) == 2:
            start, stop = map(int, parts)
            size = stop - start
            if 0 < size <= LONGEST:
                return list(range(start, stop))
        elif len(parts) == 3:
            first, last, size = float(parts[0]), float(parts[1]), int(parts[2])
            if math.isfinite(first) and math.isfinite(last) and 0 < size <= LONGEST:
                return _evenly(parts[0], parts[1], size)
        else:
            raise ValueError(text)
    except ValueError:
        raise ValueError(f"{key}: expected {RANGE_WORDS}, got {shown(text)}") from None
    raise ValueError(
        f"{key}: expected a range of finite numbers with 1 to {LONGEST} values, got {shown(text)}"
    )


def _evenly(first: str, last: str, size: int) -> list[float]:
    """The numbers nearest to evenly spaced ones between two decimals: 0.3 of 0.1, 0.2 ..., no 0.30000000000000004."""
    low, high = _exact(first), _exact(last)
    steps, unit = max(size - 1, 1), low.denominator * high.denominator
    ends = int(low * unit), int(high * unit)
    return [(ends[0] * (steps - k) + ends[1] * k) / (unit * steps) for k in range(size)]


def _exact(decimal: str) -> Fraction:
    """A finite number as it is written; 0 where float64 has no smaller one."""
    return Fraction(Decimal(decimal.strip())) if float(decimal) else Fraction(0)
