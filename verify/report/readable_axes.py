"""Axes as a reader wants them, whoever drew them: indices as indices, angles with their unit, ticks with numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

FEWEST_TICKS = 2
"""Numbers without which a logarithmic axis has no scale."""

_PLACES: tuple[Literal["left", "center", "right"], ...] = ("left", "center", "right")

_ANGLE = re.compile(r"(?:(?:largest|mean|smallest) )?angle\b")
_NO_PLAIN_ANGLE = re.compile(
    r"[/%°]|\brad\b|\bradians\b|\bover\b|\bratio\b|\bsin|\bcos|\brate\b|\bshare\b|\bprobability\b"
)


def readable(figure: Figure) -> Figure:
    """The figure itself, its labels and ticks mended where they need it; those that name a unit or use ``$`` stay."""
    for axes in figure.axes:
        for label in (axes.xaxis.label, axes.yaxis.label):
            label.set_text(with_unit(label.get_text()))
        for text in _texts(axes):
            text.set_text(with_indices(text.get_text()))
        for place in _PLACES:
            title = axes.get_title(place)
            if with_indices(title) != title:  # setting it anew would lose its size
                axes.set_title(with_indices(title), loc=place)
        for axis in (axes.xaxis, axes.yaxis):
            _number_the_ticks(axis)
    for legend in figure.legends:
        for text in legend.get_texts():
            text.set_text(with_indices(text.get_text()))
    return figure


def with_unit(label: str) -> str:
    """An angle's label with ``(rad)`` behind it, where it names no unit and is no ratio or function of an angle."""
    if not _ANGLE.match(label) or _NO_PLAIN_ANGLE.search(label):
        return label
    quantity, comma, condition = label.partition(",")
    return f"{quantity} (rad){comma}{condition}"


def with_indices(text: str) -> str:
    """``d*_jk`` with its index as a subscript, an exponent raised, a dollar sign as itself; mathtext is left alone."""
    if len(re.findall(r"(?<!\\)\$", text)) >= 2:
        return text
    text = re.sub(r"(?<!\\)\$", r"\\$", text)
    for mark in "_^":
        text = re.sub(rf"(?<=\S)\{mark}\{{([^{{}}$]*)\}}", rf"${mark}{{\1}}$", text)
        text = re.sub(rf"(?<=\S)\{mark}([A-Za-zΑ-Ωα-ω0-9]{{1,3}})(?![A-Za-z0-9_])", rf"${mark}{{\1}}$", text)
    return text


def _texts(axes: Axes) -> Iterator[Text]:
    yield from (axes.xaxis.label, axes.yaxis.label, *axes.texts)
    if legend := axes.get_legend():
        yield from (legend.get_title(), *legend.get_texts())


def _number_the_ticks(axis: Axis) -> None:
    """A logarithmic axis on which a power of ten or none is seen gets ticks at 1, 2 and 5 times one."""
    if axis.get_scale() != "log":
        return
    low, high = sorted(axis.get_view_interval())
    if np.floor(np.log10(high) + 1e-9) - np.ceil(np.log10(low) - 1e-9) + 1 >= FEWEST_TICKS:
        return
    if not isinstance(axis.get_major_locator(), LogLocator):
        return  # the ticks are the drawer's own
    subs = (
        (1.0, 2.0, 5.0) if high > 4 * low else tuple(np.arange(1.0, 10.0, 1.0 if high > 1.5 * low else 0.1))
    )
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
