"""What the figures share: grids of panels, colours in order, labels of numbers, means with bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from dynamics.arrays import Array

Colour = tuple[float, float, float, float]

PANEL = (2.6, 2.2)
"""Width and height of one panel, in inches."""


def panels(
    rows: int,
    columns: int,
    size: tuple[float, float] = PANEL,
    sharey: Literal["all", "row", "col"] = "all",
    sharex: Literal["all", "row", "col"] = "all",
) -> tuple[Figure, NDArray[np.object_]]:
    """A figure of rows x columns panels that share their axes: all of them, or those of a row or column."""
    figure = Figure(figsize=(max(size[0] * columns, 4.2), size[1] * rows + 0.4))
    return figure, figure.subplots(rows, columns, sharex=sharex, sharey=sharey, squeeze=False)


def ordered_colours(count: int, name: str = "viridis", last: float = 0.88) -> list[Colour]:
    """Colours for values in order; the brightest end of the map, unreadable on white, is left out."""
    return [matplotlib.colormaps[name](share) for share in np.linspace(0.0, last, count)]


def number_label(value: float, times: bool = False) -> str:
    """A number in as few digits as it needs, with a times sign where it is a multiple."""
    return f"{value:g}" + ("×" if times else "")


def extremes(values: ArrayLike) -> tuple[int, int]:
    """Index of the smallest and of the largest value."""
    numbers = np.asarray(values)
    return int(numbers.argmin()), int(numbers.argmax())


def mean_and_band(
    axes: Axes, x: Sequence[float] | Array, values: Array, colour: Colour, **line: object
) -> None:
    """Mean over the last axis (networks) with a band of one standard error."""
    mean, error = values.mean(-1), values.std(-1, ddof=1) / np.sqrt(values.shape[-1])
    axes.plot(x, mean, color=colour, **line)  # type: ignore[arg-type]
    axes.fill_between(x, mean - error, mean + error, color=colour, alpha=0.15, lw=0)


def padded(rows: Sequence[Array], width: int) -> Array:
    """Arrays of different last axes, filled with NaN to one ``width`` and stacked."""
    return np.stack(
        [
            np.pad(row, [(0, 0)] * (row.ndim - 1) + [(0, width - row.shape[-1])], constant_values=np.nan)
            for row in rows
        ]
    )
