"""The phase portrait of a flow in two components of its state: streamlines, nullclines, equilibria and their kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import root

from dynamics.arrays import Array, Vector
from dynamics.boundary import checked
from dynamics.ode.flow import Flow
from dynamics.ode.results.phase_plane import axis_label, draw_paths, paths_of, split_component
from dynamics.ode.results.shown_figure import shown_figure
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import number, real_array, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GRID = 41
"""Points along each axis at which the field is evaluated."""

AT_REST = 1e-13
"""Share of the largest speed in the picture up to which the whole field is zero."""

ZERO = 1e-6
"""Share of the largest entry of the Jacobian up to which a real part counts as zero."""

APART, ROUNDING = 1e-5, 1e-12
"""Shares of an axis: two equilibria nearer than the first are one, a number below the second is zero."""

MOST_NAMED = 3
"""Numbers held that are named one by one."""

MOST_CELLS = 400
"""Cells of the grid in which an equilibrium is looked for: a line of equilibria passes through many."""

Kind = Literal["attracting", "repelling", "saddle", "neutral"]

FACES: dict[Kind, str] = {
    "attracting": "#1b7f4b",
    "repelling": "white",
    "saddle": "#f2b134",
    "neutral": "#9aa3ad",
}
STREAMS, NULLCLINES = "#b7c3d0", ("#2c6fbb", "#c2552d")


@dataclass(frozen=True)
class Equilibrium:
    """A point of the plane where the whole field is zero.

    Attributes:
        x, y: the two components.
        kind: ``attracting`` where every real part of the Jacobian's eigenvalues that is not zero is negative,
            ``repelling`` where every one is positive, ``saddle`` where both occur, ``neutral`` where there is none.
    """

    x: float
    y: float
    kind: Kind


@dataclass(frozen=True)
class Plane:
    """Two components of a flow's state, the others held where ``at`` has them."""

    flow: Flow
    at: Vector
    places: tuple[int, int]

    def field(self, x: float, y: float) -> Vector:
        """The whole derivative at one point of the plane."""
        state = self.at.copy()
        state[list(self.places)] = x, y
        with np.errstate(
            all="ignore"
        ):  # a picture may show where the field is not defined: it stays empty there
            return np.asarray(self.flow(0.0, state), dtype=np.float64)

    def held(self) -> str:
        """In words, the numbers that do not vary."""
        others = [index for index in range(self.at.size) if index not in self.places]
        if len(others) > MOST_NAMED:
            return f"the other {len(others)} numbers of the state held"
        names = [self.flow.component_name(index, self.at.size).removesuffix("[]") for index in others]
        return ", ".join(f"{name} = {self.at[index]:.3g}" for name, index in zip(names, others, strict=True))

    def on_grid(self, x: Array, y: Array) -> Array:
        """The derivative at all points of a grid, (len(y), len(x), size)."""
        return np.stack([np.stack([self.field(one, two) for one in x]) for two in y])

    def jacobian(self, x: float, y: float) -> Array:
        """That of the whole flow, by central differences."""
        state = self.at.copy()
        state[list(self.places)] = x, y
        steps = 1e-6 * np.maximum(1.0, np.abs(state))
        with np.errstate(all="ignore"):
            columns = [
                (self.flow(0.0, state + step * unit) - self.flow(0.0, state - step * unit)) / (2 * step)
                for step, unit in zip(steps, np.eye(state.size), strict=True)
            ]
        return np.stack(columns, axis=-1)


@checked
def phase_portrait(
    flow: Flow,
    x: str,
    y: str,
    *,
    xlim: Sequence[float],
    ylim: Sequence[float],
    at: ArrayLike | None = None,
    runs: Trajectory | None = None,
) -> Figure:
    """Draw where a flow leads in the plane of two of its components.

    Streamlines of (x', y'), the lines on which x' or y' is zero, and the equilibria by kind (:class:`Equilibrium`). A
    state of more than two numbers is cut: the others are held at ``at``. Equilibria are then points at which these
    would not move either.

    Args:
        flow: of one instance, on which time has no influence.
        x, y: names of two numbers of the state: ``"rho"``, ``"x[0]"``, ``"W[3, 1]"``.
        xlim, ylim: the two ends of each axis.
        at: flat state whose other components are held; by default the flow's start.
        runs: their paths are drawn over the field; from any starts, of any number of instances.
    Returns:
        A matplotlib figure, which a notebook shows and ``figure.savefig(path)`` writes.
    Raises:
        ValueError: no such component, several instances, ends that are not finite or not in order.
        TypeError: a flow, a state or runs of another kind.
    Cost: 3,300 evaluations, some dozen more for each equilibrium and 2 N for its kind, N numbers in the state.
    """
    plane = _plane(flow, x, y, at)
    limits = _ends("xlim", xlim), _ends("ylim", ylim)
    across, up = (np.linspace(*ends, GRID) for ends in limits)
    field = plane.on_grid(across, up)
    figure = shown_figure(figsize=(5.6, 4.6), layout="constrained")
    axes = figure.subplots()
    _draw_streams(axes, across, up, field[..., plane.places])
    _draw_nullclines(axes, plane, [0.5 * (points[1:] + points[:-1]) for points in (across, up)], (x, y))
    for found in _equilibria(plane, across, up, field):
        axes.plot(
            found.x, found.y, "o", color=FACES[found.kind], markeredgecolor="black", ms=9, zorder=4,
            clip_on=False, label=found.kind,
        )  # fmt: skip
    if runs is not None:
        draw_paths(axes, *(paths_of(runs, "runs", name).reshape(len(runs.t), -1) for name in (x, y)))
    axes.set(xlim=limits[0], ylim=limits[1], xlabel=axis_label(x), ylabel=axis_label(y))
    axes.set_title(plane.held(), fontsize=9)
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(once.values(), once.keys(), loc="outside lower center", ncols=4, fontsize=8)
    return figure


@checked
def plane_equilibria(
    flow: Flow, x: str, y: str, *, xlim: Sequence[float], ylim: Sequence[float], at: ArrayLike | None = None
) -> list[Equilibrium]:
    """The equilibria that :func:`phase_portrait` marks, by x and then y; arguments, errors and cost as there."""
    plane = _plane(flow, x, y, at)
    across, up = (np.linspace(*_ends(name, ends), GRID) for name, ends in (("xlim", xlim), ("ylim", ylim)))
    return _equilibria(plane, across, up, plane.on_grid(across, up))


def _plane(flow: Flow, x: str, y: str, at: ArrayLike | None) -> Plane:
    if flow.instances != 1:
        raise ValueError(f"flow: expected one instance, got {flow.instances}; take the problem's instance(0)")
    start = flow.initial_state()
    held = np.array(start if at is None else real_array("at", at), dtype=np.float64)
    if held.shape != start.shape:
        raise ValueError(f"at: expected a flat state of {start.size} numbers, got shape {held.shape}")
    places = (_place(flow, "x", x, held.size), _place(flow, "y", y, held.size))
    if places[0] == places[1]:
        raise ValueError(f"y: expected another component than x, got {shown(y)}")
    return Plane(flow, held, places)


def _place(flow: Flow, argument: str, name: str, size: int) -> int:
    """The flat index of a component."""
    array, index = split_component(argument, name)
    parts = {part: np.asarray(numbers) for part, numbers in flow.unpack(np.arange(size, dtype=float)).items()}
    if array not in parts:
        raise ValueError(f"{argument}: expected a component of {', '.join(parts)}, got {shown(name)}")
    shape = parts[array].shape
    if len(index) != len(shape) or not all(-n <= i < n for i, n in zip(index, shape, strict=True)):
        example = f"{array}[{', '.join('0' for _ in shape)}]" if shape else array
        raise ValueError(f"{argument}: expected one number such as {example!r}, got {shown(name)}")
    found = float(parts[array][index])
    if found != int(found) or not 0 <= found < size:
        raise ValueError(f"{argument}: expected a number that is part of the state, got {shown(name)}")
    return int(found)


def _ends(argument: str, ends: Sequence[float]) -> tuple[float, float]:
    if len(ends) != 2:
        raise ValueError(f"{argument}: expected two numbers, got {shown(ends)}")
    low, high = (number(argument, end) for end in ends)
    if not low < high:
        raise ValueError(f"{argument}: expected the smaller end first, got {shown(ends)}")
    return low, high


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
    along = plane.on_grid(*points)[..., plane.places]
    for name, part, colour in zip(names, np.moveaxis(along, -1, 0), NULLCLINES, strict=True):
        seen = part[np.isfinite(part)]
        if seen.size and seen.min() <= 0 <= seen.max():
            axes.contour(*points, part, levels=[0.0], colors=colour, linewidths=1.3, linestyles="--")
            axes.plot([], [], "--", color=colour, lw=1.3, label=f"{name} at rest")


def _equilibria(plane: Plane, across: Array, up: Array, field: Array) -> list[Equilibrium]:
    """Those within the grid, found from its cells in which both components change sign."""
    fastest = float(np.nanmax(np.abs(field), initial=0.0, where=np.isfinite(field)))
    spans = np.array([across[-1] - across[0], up[-1] - up[0]])
    lowest, highest = np.array([across[0], up[0]]), np.array([across[-1], up[-1]])
    found: list[Vector] = []
    for corner in _cells(field[..., plane.places])[:MOST_CELLS]:
        row, column = (int(index) for index in corner)
        middle = (across[column : column + 2].mean(), up[row : row + 2].mean())
        point = _solved(lambda p: plane.field(*p)[list(plane.places)], middle)
        inside = np.all(point >= lowest - 1e-9 * spans) and np.all(point <= highest + 1e-9 * spans)
        if not inside or not np.abs(plane.field(*point)).max() <= AT_REST * fastest:
            continue
        if all(np.abs((point - other) / spans).max() > APART for other in found):
            found.append(np.where(np.abs(point) < ROUNDING * spans, 0.0, point))
    found.sort(key=lambda point: tuple(np.round((point - lowest) / spans / APART)))
    return [Equilibrium(float(one), float(two), _kind(plane.jacobian(one, two))) for one, two in found]


def _cells(along: Array) -> NDArray[np.intp]:
    """The lower corners (row, column) of the cells in whose corners both parts of ``along`` take either sign, or 0."""
    corners = np.stack([along[:-1, :-1], along[1:, :-1], along[:-1, 1:], along[1:, 1:]])
    either = (corners.min(axis=0) <= 0) & (corners.max(axis=0) >= 0)
    return np.argwhere(either.all(axis=-1))


def _solved(field: Callable[[Vector], Vector], start: tuple[float, float]) -> Vector:
    """The zero of a field in the plane that Newton's method comes to, polished."""
    point = np.asarray(start, dtype=np.float64)
    for _ in range(2):  # the second begins where the first one's steps had become as small as it resolves
        point = root(field, point, method="hybr", options={"xtol": 1e-14}).x
    return np.asarray(point)


def _kind(jacobian: Array) -> Kind:
    if not np.isfinite(jacobian).all():
        return "neutral"
    parts = np.linalg.eigvals(jacobian).real
    zero = ZERO * np.abs(jacobian).max()
    rises, falls = bool(np.any(parts > zero)), bool(np.any(parts < -zero))
    if rises:
        return "saddle" if falls else "repelling"
    return "attracting" if falls else "neutral"
