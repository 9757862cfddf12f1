"""The picture of a comparison: the flow under its networks, their deviation, their speed window by window."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from verify.comparisons.comparison import Comparison
from verify.figures.style import FAILING, HOLDING, REFERENCE

FLOW = "#20242b"
"""Colour of what the flow says."""

MARKS = 25
"""Times at which networks are drawn as dots."""


def picture(found: Comparison) -> Figure:
    """Three panels over time."""
    figure = Figure(figsize=(11.5, 3.5))
    paths, deviation, speed = figure.subplots(1, 3)
    _paths(paths, found)
    _deviation(deviation, found)
    _speed(speed, found)
    for panel in (paths, deviation, speed):
        panel.set(xlabel="t = steps × learning rate", xlim=(0, found.t[-1]))
    return figure


def _marks(found: Comparison) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.unique(np.linspace(0, len(found.t) - 1, MARKS).astype(np.int64))


def _paths(axes: Axes, found: Comparison) -> None:
    """The flow's line under the networks' dots."""
    chosen = _marks(found)
    networks = np.linalg.norm(found.networks["sin_theta"], axis=-1)[chosen]
    theory = np.linalg.norm(found.flow.observables["sin_theta"], axis=-1).reshape(len(found.t), -1)
    lines = axes.plot(found.t, theory, color=FLOW, lw=1.2)
    lines[0].set_label("flow")
    dots = axes.plot(found.t[chosen], networks, ".", color=HOLDING, ms=3.5, alpha=0.5)
    dots[0].set_label(f"{networks.shape[1]} networks")
    axes.set(title="distance to the teacher, ‖sin θ‖", yscale="log")
    axes.legend()


def _deviation(axes: Axes, found: Comparison) -> None:
    """Mean of the paired logarithms with standard errors, beside what the size of the step explains."""
    chosen = _marks(found)
    mean, error = (values[chosen] for values in found.deviation)
    axes.axhline(0.0, color=FLOW, lw=1.2)
    axes.plot(
        found.t, found.deviation_of_descent, color=REFERENCE, ls="--", lw=1.2, label="steps without noise"
    )
    axes.errorbar(
        found.t[chosen], mean, yerr=np.nan_to_num(error), fmt=".", color=HOLDING, ms=4, lw=0.9,
        label="networks, ± standard error",
    )  # fmt: skip
    axes.set(title="log(‖sin θ‖ of a network / of its flow), mean")
    axes.margins(y=0.25)  # room for the legend
    axes.legend(loc="upper left")


def _speed(axes: Axes, found: Comparison) -> None:
    """Speed along the flow in each window with the band that counts as agreement, red where some direction fails."""
    judgement = found.judgement
    axes.axhline(1.0, color=FLOW, lw=1.2)
    for window in judgement.windows:
        if not window.looked_at:
            continue
        colour = HOLDING if judgement.agrees(window) else FAILING
        middle, half = (window.start + window.end) / 2, (window.end - window.start) / 2
        axes.errorbar(
            middle, window.speed, xerr=half, yerr=judgement.half_width(window), fmt=".", color=colour, lw=1.0
        )
    axes.set(title=f"speed in units of the flow's, ± critical width: {found.verdict}")
