"""Numbers and durations as a reader wants them on a page."""

from __future__ import annotations

import math
from typing import Any

from markupsafe import Markup

from verify.judging.enclosing.enclosure import Enclosed, EnclosedOutcome


def number_html(value: Any) -> Markup:
    """Four significant digits; powers of ten as superscripts; a list as its numbers, a None as a dash."""
    if value is None:
        return Markup("–")
    if isinstance(value, list | tuple):
        return Markup(", ").join(number_html(item) for item in value)
    if isinstance(value, bool | str):
        return Markup.escape(value)
    if isinstance(value, int):
        return Markup(f"{value}".replace("-", "−"))
    try:
        value = float(value)
    except (TypeError, ValueError):
        return Markup.escape(str(value))
    if not math.isfinite(value):
        return Markup({math.inf: "∞", -math.inf: "−∞"}.get(value, "not a number"))
    mantissa, _, exponent = f"{value:.4g}".replace("-", "−").partition("e")
    if not exponent:
        return Markup(mantissa)
    exponent = exponent.replace("+", "")
    sign = "−" if exponent.startswith("−") else ""
    return Markup(f"{mantissa}·10<sup>{sign}{exponent.lstrip('−0')}</sup>")


def ball_html(enclosed: Enclosed) -> Markup:
    """The enclosed margin: its middle where both ends agree in the digits shown, else both ends; 0 where it is zero."""
    if enclosed.outcome == EnclosedOutcome.EQUAL:
        return Markup("0")
    low, high = number_html(enclosed.low), number_html(enclosed.high)
    return low if low == high else Markup("{} … {}").format(low, high)


def duration(seconds: float) -> str:
    """``0.02 s``, ``3.4 s``, ``2 min 5 s``."""
    if seconds < 10:
        return f"{seconds:.2g} s" if seconds >= 0.01 else "< 0.01 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
