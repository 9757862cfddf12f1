"""Paths of runs in a plane: one watched quantity against another, without the time."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.arrays import Array
from dynamics.ode.results.meanings import label_of
from dynamics.ode.results.shown_figure import shown_figure
from dynamics.ode.results.trajectory_data import TrajectoryData
from dynamics.validation import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PATHS = "#20242b"

MOST_ARROWS = 40
"""Paths up to which each has an arrow."""

LINE = 48
"""Letters in a line of an axis' label."""

_COMPONENT = re.compile(r"(.+?)\[(-?\d+(?:\s*,\s*-?\d+)*)\]")


def split_component(argument: str, name: str) -> tuple[str, tuple[int, ...]]:
    """The array and the indices that ``"x[0]"`` or ``"W[3, 1]"`` names; none where the whole array is meant."""
    if not isinstance(name, str):
        raise TypeError(f"{argument}: expected a name such as 'loss' or 'W[3, 1]', got {shown(name)}")
    found = _COMPONENT.fullmatch(name.strip())
    if found is None:
        return name.strip(), ()
    return found[1].strip(), tuple(int(index) for index in found[2].split(","))


def axes_to_draw_on(axes: Axes | None, size: tuple[float, float]) -> tuple[Figure, Axes, bool]:
    """The figure and the axes, given or new, and whether they are new; raises TypeError where they are no axes."""
    if axes is None:
        figure = shown_figure(figsize=size, layout="constrained")
        return figure, figure.subplots(), True
    from matplotlib.axes import Axes

    if not isinstance(axes, Axes):
        raise TypeError(f"axes: expected axes of matplotlib or None, got {shown(axes)}")
    found = axes.get_figure()
    if found is None:
        raise ValueError("axes: expected axes that are part of a figure, got removed ones")
    return found.figure, axes, False  # a subfigure's is the whole


def plot_phase(run: TrajectoryData, x: str, y: str, axes: Axes | None = None) -> Figure:
    """``y`` over ``x`` along a run; see ``Trajectory.plot_phase``."""
    across, up = paths_of(run, "x", x), paths_of(run, "y", y)
    try:
        across, up = np.broadcast_arrays(across, up)
    except ValueError:
        raise ValueError(
            f"x, y: expected as many numbers an instance of both, or one of either, got {across.shape[2]} of {x} "
            f"and {up.shape[2]} of {y}"
        ) from None
    figure, axes, _ = axes_to_draw_on(axes, (4.8, 4.2))
    draw_paths(axes, across.reshape(len(across), -1), up.reshape(len(up), -1))
    axes.set(xlabel=axis_label(x, run.arrays), ylabel=axis_label(y, run.arrays))
    axes.legend()
    return figure


def axis_label(name: str, beside: Collection[str] = ()) -> str:
    """What stands at the axis of a component, in lines: the meaning of its array, and its place there if any."""
    array, index = split_component("name", name)
    meaning = label_of(array, beside)
    if index:
        meaning = name.strip() if meaning == array else f"{name.strip()}: {meaning}"
    return "\n".join(textwrap.wrap(meaning, LINE, break_long_words=False))


def draw_paths(axes: Axes, across: Array, up: Array) -> None:
    """A line for each column of ``across`` and ``up`` (T, paths): a ring at its start, a dot at its end, an arrow."""
    lines = axes.plot(across, up, color=PATHS, lw=1.1, alpha=max(0.25, min(1.0, 12 / across.shape[1])))
    lines[0].set_label("path" if across.shape[1] == 1 else f"{across.shape[1]} paths")
    ends: dict[str, Any] = {"markeredgecolor": PATHS, "linestyle": "none", "markersize": 5}
    axes.plot(across[0], up[0], "o", markerfacecolor="white", label="start", **ends)
    axes.plot(across[-1], up[-1], "o", markerfacecolor=PATHS, label="end", **ends)
    if across.shape[1] <= MOST_ARROWS:
        axes.autoscale_view()
        for path in range(across.shape[1]):
            _arrow(axes, np.column_stack([across[:, path], up[:, path]]))


def _arrow(axes: Axes, path: Array) -> None:
    """An arrow where half of the way is gone as it is seen."""
    seen = axes.transData.transform(path[np.isfinite(path).all(axis=1)])
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(seen, axis=0).T))])
    if len(way) < 2 or way[-1] == 0:
        return
    tail, head = (
        axes.transData.inverted().transform([np.interp(share * way[-1], way, along) for along in seen.T])
        for share in (0.49, 0.51)
    )
    style = {"arrowstyle": "-|>", "color": PATHS, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (head[0], head[1]), (tail[0], tail[1]), arrowprops=style)


def paths_of(run: TrajectoryData, argument: str, name: str) -> Array:
    """The series of one name, (T, instances, numbers an instance)."""
    array, index = split_component(argument, name)
    if array not in run.arrays:
        raise ValueError(f"{argument}: expected one of {', '.join(run.arrays)}, got {shown(name)}")
    values, axes = np.asarray(run.arrays[array], dtype=np.float64), run.axes()[array]
    trailing = values.shape[1 + len(axes.ensemble) :]
    values = values.reshape(len(run.t), -1, *trailing)
    inside = len(index) <= len(trailing) and all(-n <= i < n for i, n in zip(index, trailing, strict=False))
    if not inside:
        raise ValueError(
            f"{argument}: expected indices within the shape {trailing} of {array}, got {shown(name)}"
        )
    for place in index:
        values = values[:, :, place]
    return values.reshape(len(run.t), values.shape[1], -1)
