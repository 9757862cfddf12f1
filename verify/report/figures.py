"""The picture of a verdict: the statement's own figure, or predicted against measured."""

from __future__ import annotations

import base64
import io
import sys
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from verify.statement import Record, Verdict

STYLE: Any = {  # matplotlib types its keys one by one
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a9099",
    "axes.labelcolor": "#3a3f47",
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "xtick.color": "#5b616b",
    "ytick.color": "#5b616b",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "luckproof",
}
SIZE = (5.4, 3.5)
HOLDING, FAILING, REFERENCE = "#2b6cb0", "#b3261e", "#8a9099"
MANY_POINTS = 2000
"""Above this a scatter is stored as pixels, to keep the page light."""

VISIBLE_DEVIATION = 0.02
"""Share of the axis below which |measured - predicted| cannot be seen and is drawn by itself."""


def figure_uri(verdict: Verdict) -> str | None:
    """The figure as a ``data:`` URI (SVG), or None when no instance was judged.

    Raises:
        Exception: whatever the statement's own ``figure`` raises; the caller shows it in the figure's place.
    """
    with matplotlib.rc_context(STYLE):
        figure = draw(verdict)
        return None if figure is None else _svg_uri(figure)


def draw(verdict: Verdict) -> Figure | None:
    """The statement's own figure if it has one, else :func:`draw_records`."""
    if verdict.statement.figure is not None:
        return verdict.statement.figure(verdict)
    records = list(verdict.judged)
    if verdict.counterexample is not None and verdict.counterexample not in records:
        records.append(verdict.counterexample)
    return draw_records(records, verdict.counterexample) if records else None


def draw_records(records: Sequence[Record], counterexample: Record | None = None) -> Figure | None:
    """Measured over predicted with the diagonal; for agreement too close to see, the deviation itself."""
    evidence = [record.evidence for record in records if record.evidence is not None]
    predicted, measured, tolerance, error, margin = np.array(
        [(e.predicted, e.measured, e.tolerance, e.standard_error, e.margin) for e in evidence], dtype=float
    ).T
    drawable = np.isfinite(predicted) & np.isfinite(measured)
    if not drawable.any():
        return None
    figure = Figure(figsize=SIZE)
    axes = figure.add_subplot()
    span = np.ptp(np.concatenate([predicted[drawable], measured[drawable]]))
    deviation = np.abs(measured - predicted)
    shown = deviation[drawable].max() > VISIBLE_DEVIATION * span and span > 0
    holds = margin >= 0
    if shown or not (tolerance[drawable] > 0).all():
        _scatter(axes, predicted[drawable], measured[drawable], error[drawable], holds[drawable])
        _mark(axes, counterexample)
    else:
        _deviations(axes, (deviation / np.where(tolerance > 0, tolerance, 1))[drawable], holds[drawable])
    return figure


def _scatter(
    axes: Axes,
    predicted: NDArray[np.float64],
    measured: NDArray[np.float64],
    error: NDArray[np.float64],
    holds: NDArray[np.bool_],
) -> None:
    values = np.concatenate([predicted, measured])
    if (values > 0).all() and values.max() > 50 * values.min():
        axes.set(xscale="log", yscale="log")
    low, high = values.min(), values.max()
    axes.plot([low, high], [low, high], color=REFERENCE, lw=1, zorder=1, label="measured = predicted")
    for chosen, colour, marker, label in (
        (holds, HOLDING, "o", "claim holds"),
        (~holds, FAILING, "X", "claim fails"),
    ):
        if chosen.any():
            axes.scatter(
                predicted[chosen],
                measured[chosen],
                s=18 if marker == "o" else 34,
                c=colour,
                marker=marker,
                alpha=0.65,
                linewidths=0,
                label=f"{label} ({chosen.sum()})",
                rasterized=len(values) > 2 * MANY_POINTS,
                zorder=2,
            )
    if (error > 0).any():
        axes.errorbar(predicted, measured, yerr=error, fmt="none", ecolor=HOLDING, elinewidth=0.8, alpha=0.6)
    axes.set(xlabel="predicted", ylabel="measured")
    axes.legend()


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


def _deviations(axes: Axes, ratio: NDArray[np.float64], holds: NDArray[np.bool_]) -> None:
    """Deviation over tolerance, sorted; exact agreement sits on the floor of the axis."""
    order = np.argsort(ratio)
    ratio, holds = ratio[order], holds[order]
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
