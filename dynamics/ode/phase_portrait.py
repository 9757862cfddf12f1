"""The phase portrait of a flow in two components of its state: streamlines, nullclines, equilibria and their kinds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Array
from dynamics.boundary import checked
from dynamics.ode.flow import Flow, Integrable
from dynamics.ode.flow_plane import Plane, ends_of, plane_of
from dynamics.ode.plane_equilibria import GRID, Equilibrium, Kind, equilibria_of
from dynamics.ode.results.phase_plane import axes_to_draw_on, axis_label, draw_paths, paths_of
from dynamics.ode.trajectory import Trajectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FACES: dict[Kind, str] = {
    "attracting": "#1b7f4b",
    "repelling": "white",
    "saddle": "#f2b134",
    "neutral": "#9aa3ad",
}
STREAMS, NULLCLINES = "#b7c3d0", ("#2c6fbb", "#c2552d")

MOST_LARGE = 12
"""Equilibria of a kind up to which each is a large dot; more are as a rule those of a line, which small dots show."""


@checked
def phase_portrait(
    flow: Integrable,
    x: str,
    y: str,
    *,
    xlim: Sequence[float],
    ylim: Sequence[float],
    at: ArrayLike | None = None,
    runs: Trajectory | None = None,
    axes: Axes | None = None,
) -> Figure:
    """Draw where a flow leads in the plane of two of its components.

    Streamlines of (x', y'), the lines on which x' or y' is zero, and the equilibria by kind
    (:class:`dynamics.ode.plane_equilibria.Equilibrium`). A state of more than two numbers is cut: the others are held
    at ``at``. Equilibria are then points at which these would not move either.

    Args:
        flow: of one instance, on which time has no influence. Where it takes states stacked ``(..., N)`` all points are
            evaluated at once.
        x, y: names of two numbers of the state: ``"rho"``, ``"x[0]"``, ``"W[3, 1]"``.
        xlim, ylim: the two ends of each axis.
        at: flat state whose other components are held; by default the flow's start.
        runs: their paths are drawn over the field; from any starts, of any number of instances.
        axes: matplotlib's, to draw on; by default those of a new figure.
    Returns:
        The matplotlib figure, which a notebook shows and ``figure.savefig(path)`` writes.
    Raises:
        ValueError: no such component, several instances, ends that are not finite or not in order.
        TypeError: a flow, a state, runs or axes of another kind.
    Cost: that of :func:`dynamics.ode.plane_equilibria.plane_equilibria` and 3,300 states; half a second to draw.
    """
    plane = plane_of(flow, x, y, at)
    limits = ends_of("xlim", xlim), ends_of("ylim", ylim)
    across, up = (np.linspace(*ends, GRID) for ends in limits)
    paths = (
        None if runs is None else [paths_of(runs, "runs", name).reshape(len(runs.t), -1) for name in (x, y)]
    )
    figure, axes, own = axes_to_draw_on(axes, (5.6, 4.6))
    along, largest = plane.on_grid(across, up)
    _draw_streams(axes, across, up, along)
    _draw_nullclines(axes, plane, [0.5 * (points[1:] + points[:-1]) for points in (across, up)], (x, y))
    _draw_equilibria(axes, equilibria_of(plane, across, up, along, largest))
    if paths is not None:
        draw_paths(axes, *paths)
    beside = _names(plane.flow)
    axes.set(xlim=limits[0], ylim=limits[1], xlabel=axis_label(x, beside), ylabel=axis_label(y, beside))
    if held := plane.held():
        axes.set_title(f"field at {held}", fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    where: dict[str, Any] = {"loc": "outside lower center", "ncols": 3} if own else {"loc": "upper right"}
    (figure if own else axes).legend(once.values(), once.keys(), fontsize=8, **where)
    return figure


def _names(flow: Flow) -> Collection[str]:
    """The arrays that a run of the flow has."""
    start = flow.initial_state()
    return [*flow.unpack(start), *flow.observables(start)]


def _draw_streams(axes: Axes, across: Array, up: Array, along: Array) -> None:
    finite = np.where(np.isfinite(along), along, 0.0)
    axes.streamplot(
        across, up, finite[..., 0], finite[..., 1], color=STREAMS, linewidth=0.8, density=1.2, arrowsize=0.9
    )


def _draw_nullclines(axes: Axes, plane: Plane, points: Sequence[Array], names: tuple[str, str]) -> None:
    """Where x' and y' are zero, from points between those of the grid.

    An axis on which a component rests, such as that of an extinct species, is as a rule a line of the grid: there a
    contour would be torn.
    """
    along, _ = plane.on_grid(points[0], points[1])
    for name, part, colour in zip(names, np.moveaxis(along, -1, 0), NULLCLINES, strict=True):
        seen = part[np.isfinite(part)]
        if seen.size and seen.min() <= 0 <= seen.max():
            axes.contour(*points, part, levels=[0.0], colors=colour, linewidths=1.3, linestyles="--")
            axes.plot([], [], "--", color=colour, lw=1.3, label=f"{name} at rest")


def _told(point: Equilibrium) -> str:
    """The kind, and whether the Jacobian leaves a direction open."""
    open_ones = point.zero_modes > 0 and point.kind != "neutral"
    return f"{point.kind}, but for zero modes" if open_ones else point.kind


def _draw_equilibria(axes: Axes, found: Sequence[Equilibrium]) -> None:
    counts = Counter(point.kind for point in found)
    for point in found:
        size = 9 if counts[point.kind] <= MOST_LARGE else 4
        axes.plot(
            point.x, point.y, "o", color=FACES[point.kind], markeredgecolor="black", ms=size,
            mew=min(1.0, size / 8), zorder=4, clip_on=False, label=_told(point),
        )  # fmt: skip
