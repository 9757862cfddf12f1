"""The picture of a verdict: the statement's own figure, or predicted against measured."""

from __future__ import annotations

import base64
import dataclasses
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from verify.figures.style import FAILING, HOLDING, REFERENCE, project_style
from verify.judging import Record, Verdict

SIZE = (5.4, 3.5)
MANY_POINTS = 2000
"""Points above which a scatter is stored as pixels, to keep the page light."""

VISIBLE_DEVIATION = 0.02
"""Share of the axis below which |measured - predicted| cannot be seen; it is then plotted by itself."""


@dataclass(frozen=True)
class Picture:
    """A figure as a ``data:`` URI, or why there is none (``error``); both are empty when no instance was judged.

    ``wide``: it has several panels side by side and takes the page's whole width.
    """

    uri: str | None = None
    error: str = ""
    wide: bool = False


def picture_of(verdict: Verdict) -> Picture:
    """The verdict's picture. A figure that raises costs the report this picture, not the page."""
    try:
        with project_style():
            figure = figure_of(verdict)
            return Picture() if figure is None else Picture(_svg_uri(figure), wide=is_wide(figure))
    except Exception as problem:
        return Picture(error=f"{type(problem).__name__}: {problem}")


def is_wide(figure: Figure) -> bool:
    """Whether the figure is more than twice as wide as high."""
    width, height = figure.get_size_inches()
    return bool(width > 2 * height)


def figure_of(verdict: Verdict) -> Figure | None:
    """The statement's own figure if it has one, else :func:`records_figure`."""
    if verdict.statement.figure is not None:
        return verdict.statement.figure(verdict)
    records = list(verdict.judged)
    if verdict.counterexample is not None and verdict.counterexample not in records:
        records.append(verdict.counterexample)
    return records_figure(records, verdict.counterexample) if records else None


def records_figure(records: Sequence[Record], counterexample: Record | None = None) -> Figure | None:
    """Measured over predicted, with the diagonal.

    An equality that holds too closely to see is shown by its deviation; instances that all have the same bound are
    shown below it, sorted.
    """
    evidence = [record.evidence for record in records if record.evidence is not None]
    points = Points(
        *np.array(
            [(e.predicted, e.measured, e.tolerance, e.standard_error, e.margin) for e in evidence],
            dtype=float,
        ).T
    )
    points = points.chosen(np.isfinite(points.predicted) & np.isfinite(points.measured))
    if not len(points.predicted):
        return None
    figure = Figure(figsize=SIZE)
    axes = figure.add_subplot()
    if points.is_close_equality:
        _deviations(axes, points)
    elif len(points.predicted) > 1 and np.ptp(points.predicted) == 0:
        _against_common_bound(axes, points)
    else:
        _scatter(axes, points)
        _mark(axes, counterexample)
    return figure


@dataclass(frozen=True)
class Points:
    """The numbers of all judged instances, one entry each."""

    predicted: NDArray[np.float64]
    measured: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    error: NDArray[np.float64]
    margin: NDArray[np.float64]

    def chosen(self, where: NDArray[Any]) -> Points:
        """The points that a mask selects, or in the order of an index."""
        return Points(*(getattr(self, field.name)[where] for field in dataclasses.fields(self)))

    @property
    def deviation(self) -> NDArray[np.float64]:
        return np.abs(self.measured - self.predicted)

    @property
    def holds(self) -> NDArray[np.bool_]:
        return self.margin >= 0

    @property
    def is_close_equality(self) -> bool:
        """Whether the claim is measured = predicted and holds too closely for the difference to be seen."""
        both_sides = np.allclose(self.margin, self.tolerance - self.deviation, rtol=1e-6, atol=0)
        unseen = self.deviation.max() <= VISIBLE_DEVIATION * np.ptp(self.predicted)
        return bool((self.tolerance > 0).all() and both_sides and (unseen or np.ptp(self.predicted) == 0))


def _scatter(axes: Axes, points: Points) -> None:
    values = np.concatenate([points.predicted, points.measured])
    if (values > 0).all() and values.max() > 50 * values.min():
        axes.set(xscale="log", yscale="log")
    ends = [values.min(), values.max()]
    axes.plot(ends, ends, color=REFERENCE, lw=1, zorder=1, label="measured = predicted")
    _holding_and_failing(axes, points, points.predicted, points.measured)
    if (points.error > 0).any():
        axes.errorbar(
            points.predicted,
            points.measured,
            yerr=points.error,
            fmt="none",
            ecolor=HOLDING,
            elinewidth=0.8,
            alpha=0.6,
        )
    axes.set(xlabel="predicted", ylabel="measured")
    axes.legend()


def _against_common_bound(axes: Axes, points: Points) -> None:
    points = points.chosen(np.argsort(points.measured))
    bound = points.predicted[0]
    values = np.append(points.measured, bound)
    if (values > 0).all() and values.max() > 50 * values.min():
        axes.set(yscale="log")
    axes.axhline(bound, color=REFERENCE, lw=1, ls="--", label="predicted")
    _holding_and_failing(axes, points, np.arange(1, len(points.measured) + 1), points.measured)
    axes.set(xlabel="instance, by measured value", ylabel="measured")
    axes.legend()


def _holding_and_failing(axes: Axes, points: Points, x: NDArray[Any], y: NDArray[np.float64]) -> None:
    for chosen, colour, marker, size, label in (
        (points.holds, HOLDING, "o", 18, "claim holds"),
        (~points.holds, FAILING, "X", 36, "claim fails"),
    ):
        if chosen.any():
            axes.scatter(
                x[chosen],
                y[chosen],
                s=size,
                c=colour,
                marker=marker,
                alpha=0.65,
                linewidths=0,
                label=f"{label} ({chosen.sum()})",
                rasterized=len(x) > MANY_POINTS,
                zorder=2,
            )


def _mark(axes: Axes, counterexample: Record | None) -> None:
    evidence = counterexample.evidence if counterexample is not None else None
    if evidence is None or not np.isfinite([evidence.predicted, evidence.measured]).all():
        return
    axes.scatter(
        evidence.predicted,
        evidence.measured,
        s=110,
        facecolors="none",
        edgecolors=FAILING,
        linewidths=1.4,
        label="counterexample",
        zorder=3,
    )
    axes.legend()


def _deviations(axes: Axes, points: Points) -> None:
    """|measured - predicted| / tolerance, sorted; agreement to the last bit sits on the floor of the axis."""
    points = points.chosen(np.argsort(points.deviation / points.tolerance))
    ratio, holds = points.deviation / points.tolerance, points.holds
    exact = ratio == 0
    floor = 10.0 ** np.floor(np.log10(min(ratio[~exact].min(initial=1.0), 0.1))) / 3
    rank = np.arange(1, len(ratio) + 1)
    for chosen, colour, marker, label in (
        (holds & ~exact, HOLDING, "o", "within tolerance"),
        (~holds & ~exact, FAILING, "X", "beyond tolerance"),
        (exact, HOLDING, "v", "equal to the last bit"),
    ):
        if chosen.any():
            axes.scatter(
                rank[chosen],
                np.maximum(ratio[chosen], floor),
                s=16,
                c=colour,
                marker=marker,
                alpha=0.7,
                linewidths=0,
                label=f"{label} ({chosen.sum()})",
                rasterized=len(ratio) > MANY_POINTS,
            )
    axes.axhline(1.0, color=FAILING, lw=1, ls="--")
    axes.annotate("tolerance", (1, 1.0), xytext=(0, 3), textcoords="offset points", color=FAILING, fontsize=8)
    axes.set(yscale="log", xlabel="instance, by deviation", ylabel="|measured − predicted| / tolerance")
    axes.legend(loc="lower right")


def _svg_uri(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)  # a statement may have drawn with pyplot
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
