"""Measured against predicted over the judged instances, where the picture says more than the numbers beside it."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from verify.figures.style import FAILING, HOLDING, REFERENCE
from verify.judging import Record, Verdict
from verify.report.readable_axes import with_indices, with_unit

SIZE = (4.6, 3.1)
FEWEST = 8
"""Distinct points below which the numbers say it better."""

MANY_POINTS = 2000
"""Points above which a scatter is stored as pixels, to keep the page light."""

FAR_APART = 50.0
"""Ratio of values from which an axis counts in powers of ten."""

ROOM = 0.05
"""Share of an axis left free at its ends."""

VISIBLE_DEVIATION = 0.02
"""Share of the axis below which |measured - predicted| cannot be seen."""


def records_figure(verdict: Verdict) -> Figure | None:
    """Measured over predicted with the line between success and failure; the label is the caption.

    None where it would say nothing: few instances, a claim of equality, numbers that do not differ or that crowd in a
    corner. Instances that share one bound are shown by how many of them lie below each value.
    """
    records = list(verdict.judged)
    if verdict.counterexample is not None and verdict.counterexample not in records:
        records.append(verdict.counterexample)
    points = Points.of(records)
    if points is None or verdict.statement.relation == "=" or points.is_close_equality:
        return None
    names = (verdict.statement.predicted_name, verdict.statement.measured_name)
    if np.ptp(points.predicted) == 0:
        return _against_common_bound(points, names, verdict.statement.relation)
    if len(np.unique(points.predicted)) < FEWEST:
        return None
    if points.span_decades:
        return _scatter(
            points.chosen((points.predicted > 0) & (points.measured > 0)), names, verdict.statement.relation
        )
    if points.crowd and not points.span_signed_decades:
        return None
    return _scatter(points, names, verdict.statement.relation)


@dataclass(frozen=True)
class Points:
    """The numbers of all judged instances, one entry each."""

    predicted: NDArray[np.float64]
    measured: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    error: NDArray[np.float64]
    margin: NDArray[np.float64]

    @classmethod
    def of(cls, records: Sequence[Record]) -> Points | None:
        """The finite ones; None where fewer than ``FEWEST`` measured values differ."""
        evidence = [record.evidence for record in records if record.evidence is not None]
        if not evidence:
            return None
        rows = [(e.predicted, e.measured, e.tolerance, e.standard_error, e.margin) for e in evidence]
        points = cls(*np.array(rows, dtype=float).T)
        points = points.chosen(np.isfinite(points.predicted) & np.isfinite(points.measured))
        return points if len(np.unique(points.measured)) >= FEWEST else None

    def chosen(self, where: NDArray[Any]) -> Points:
        """The points that a mask selects, or in the order of an index."""
        return Points(*(getattr(self, field.name)[where] for field in dataclasses.fields(self)))

    @property
    def deviation(self) -> NDArray[np.float64]:
        """|measured - predicted|."""
        return np.abs(self.measured - self.predicted)

    @property
    def holds(self) -> NDArray[np.bool_]:
        """Where the claim holds."""
        return self.margin >= 0

    @property
    def span_decades(self) -> bool:
        """Whether enough of them are positive, none negative, and the values differ by orders of magnitude."""
        values = np.concatenate([self.predicted, self.measured])
        positive = values[values > 0]
        enough = ((self.predicted > 0) & (self.measured > 0)).sum() >= FEWEST
        return bool(enough and (values >= 0).all() and positive.max() > FAR_APART * positive.min())

    @property
    def span_signed_decades(self) -> bool:
        """Whether some are negative and the largest dwarfs most: on a plain axis most would lie in one spot."""
        sizes = np.abs(np.concatenate([self.predicted, self.measured]))
        return bool(not self.span_decades and sizes.max() > FAR_APART * np.median(sizes) > 0)

    @property
    def crowd(self) -> bool:
        """Whether half of them lie within a twentieth of the axis, where they cannot be told apart."""
        low, high = np.quantile(self.predicted, [0.25, 0.75])
        return bool(high - low < 0.05 * np.ptp(self.predicted))

    @property
    def is_close_equality(self) -> bool:
        """Whether the claim is measured = predicted and holds too closely for the difference to be seen."""
        both_sides = np.allclose(self.margin, self.tolerance - self.deviation, rtol=1e-6, atol=0)
        unseen = self.deviation.max() <= VISIBLE_DEVIATION * np.ptp(self.predicted)
        return bool((self.tolerance > 0).all() and both_sides and (unseen or np.ptp(self.predicted) == 0))


_BETWEEN = "[=+−×·≤≥<>/]"
"""Signs at which no line is broken: the formula around them is read as one."""


def label_of(name: str, width: int) -> str:
    """A noun of a statement as an axis says it, in lines: ``d*_jk`` with a subscript, a dollar sign as itself."""
    whole = re.sub(rf" ({_BETWEEN}) ", "\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", with_unit(name))
    return "\n".join(with_indices(line) for line in textwrap.wrap(whole, width, break_long_words=False))


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=SIZE)
    return figure, figure.add_subplot()


def _scatter(points: Points, names: tuple[str, str], relation: str) -> Figure:
    figure, axes = _figure()
    if points.span_decades:
        axes.set(xscale="log", yscale="log")
    elif points.span_signed_decades:
        _signed_decades(axes, points)
    _holding_and_failing(axes, points)
    if (points.error > 0).any():
        axes.errorbar(
            points.predicted, points.measured, yerr=points.error,
            fmt="none", ecolor=HOLDING, elinewidth=0.8, alpha=0.6,
        )  # fmt: skip
    across = _with_room(axes.get_xscale(), points.predicted)
    up = _with_room(axes.get_yscale(), np.concatenate([points.measured, points.predicted]))
    ends = np.array(across)
    name = "the bound" if relation in _FAILING_SIDE else "equal"
    axes.plot(ends, ends, color=REFERENCE, lw=1, zorder=1, label=name)
    if relation in _FAILING_SIDE:
        axes.fill_between(ends, ends, up[_FAILING_SIDE[relation]], color=FAILING, alpha=0.07, lw=0, zorder=0)
    axes.set(xlabel=label_of(names[0], 60), ylabel=label_of(names[1], 40), xlim=across, ylim=up)
    axes.legend()
    figure.set_label(_scatter_caption(points, relation))
    return figure


_FAILING_SIDE = {"≤": 1, "<": 1, "≥": 0, ">": 0}
"""The end of the axis of what is measured, lower or upper, towards which a claim fails."""


def _signed_decades(axes: Axes, points: Points) -> None:
    """Axes in powers of ten on either side of zero, around which they are even up to the usual size of a value."""
    sizes = np.abs(np.concatenate([points.predicted, points.measured]))
    even = float(10.0 ** np.floor(np.log10(np.median(sizes))))
    axes.set_xscale("symlog", linthresh=even)
    axes.set_yscale("symlog", linthresh=even)


def _with_room(scale: str, values: NDArray[np.float64]) -> tuple[float, float]:
    """The ends of an axis that shows all values, none of them on its edge."""
    if scale == "log":
        values = values[values > 0]
    low, high = float(values.min()), float(values.max())
    if scale == "log":
        factor = max((high / low) ** ROOM, 1.1)
        return low / factor, high * factor
    if scale == "symlog":
        return low - 0.5 * abs(low), high + 0.5 * abs(high)
    room = ROOM * (high - low) or abs(high) or 1.0
    return low - room, high + room


def _scatter_caption(points: Points, relation: str) -> str:
    failing, count = int((~points.holds).sum()), len(points.holds)
    side = {"≤": "below", "<": "below", "≥": "above", ">": "above"}.get(relation)
    if side is None:
        told = "A point is an instance; the claim says how far from the line each may be"
        return (
            f"{told}; {failing} of {count}, the crosses, are farther."
            if failing
            else f"{told}, and none is farther."
        )
    told = f"A point is an instance; the claim asks for points {side} the line"
    if failing:
        return f"{told}. {failing} of {count}, the crosses in the shade, are not there."
    return f"{told}, out of the shade, where all {count} are{_nearest(points, relation)}."


def _nearest(points: Points, relation: str) -> str:
    """How much of the bound the nearest instance uses, where a share is a meaningful number."""
    if relation not in _FAILING_SIDE or not ((points.predicted > 0) & (points.measured > 0)).all():
        return ""
    shares = points.measured / points.predicted
    nearest = f"{float(shares.max() if relation in '≤<' else shares.min()):.3g}"
    if nearest == "1":
        return "; the nearest is on it, to three digits"
    if "e-" in nearest:
        return "; even the nearest is below a thousandth of the bound"
    if "e+" in nearest:
        return "; even the nearest is more than a thousand times the bound"
    return f"; the nearest has {nearest} times the bound"


def _against_common_bound(points: Points, names: tuple[str, str], relation: str) -> Figure:
    """How many instances lie below each measured value, beside the bound that they share."""
    figure, axes = _figure()
    bound = float(points.predicted[0])
    measured = np.sort(points.measured)
    if points.span_decades:
        axes.set(xscale="log")
    share = np.arange(1, len(measured) + 1) / len(measured)
    axes.step(measured, share, where="post", color=HOLDING, label=f"{len(measured)} instances")
    axes.axvline(bound, color=FAILING, lw=1, ls="--", label=f"the bound, {label_of(names[0], 36)}")
    ends = _with_room(axes.get_xscale(), np.append(measured, bound))
    if relation in _FAILING_SIDE:
        axes.axvspan(bound, ends[_FAILING_SIDE[relation]], color=FAILING, alpha=0.07, lw=0, zorder=0)
    axes.set(xlabel=label_of(names[1], 60), ylabel="share of instances below", ylim=(0, 1.02), xlim=ends)
    axes.legend()
    failing = int((~points.holds).sum())
    side = {"≤": "left", "<": "left", "≥": "right", ">": "right"}.get(relation, "at the place")
    told = f"The claim asks for values {side} of the dashed line"
    count = len(measured)
    figure.set_label(
        f"{told}; {failing} of {count} are not." if failing else f"{told}, where all {count} are."
    )
    return figure


def _holding_and_failing(axes: Axes, points: Points) -> None:
    for chosen, colour, marker, size, label in (
        (points.holds, HOLDING, "o", 18, "claim holds"),
        (~points.holds, FAILING, "X", 36, "claim fails"),
    ):
        if chosen.any():
            axes.scatter(
                points.predicted[chosen], points.measured[chosen],
                s=size, c=colour, marker=marker, alpha=0.65, linewidths=0,
                label=f"{label} ({chosen.sum()})", rasterized=len(chosen) > MANY_POINTS, zorder=2,
            )  # fmt: skip
