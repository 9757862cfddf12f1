"""Equilibria of a flow in the plane of two numbers of its state, and their kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import root

from dynamics.arrays import Array, Vector
from dynamics.boundary import checked
from dynamics.ode.flow import Integrable
from dynamics.ode.flow_plane import Plane, ends_of, plane_of

GRID = 41
"""Points along each axis at which the field is evaluated."""

AT_REST = 1e-13
"""Share of the largest speed in the picture up to which the whole field is zero."""

ZERO = 1e-6
"""Share of the largest entry of the Jacobian up to which a real part counts as zero."""

NO_SLOPE = 1e-8
"""Share of the largest speed over the picture's size below which an entry of the Jacobian is its rounding."""

BESIDE = 0.1
"""Share of a cell by which an equilibrium differs from a point of the grid at rest, to which Newton's method creeps."""

MOST_CELLS = 400
"""Cells of the grid in which an equilibrium is looked for: a line of equilibria passes through many."""

STEPS = 25
"""Of Newton's method from the middle of each cell, all at once; what has come near is polished one by one."""

NEAR = 1e-6
"""Share of the largest speed in the picture below which a point is polished."""

APART, ROUNDING = 1e-5, 1e-12
"""Shares of an axis: two equilibria nearer than the first are one, a number below the second is zero."""

Kind = Literal["attracting", "repelling", "saddle", "neutral"]


@dataclass(frozen=True)
class Equilibrium:
    """A point of the plane where the whole field is zero.

    Attributes:
        x, y: the two components.
        kind: ``attracting`` where every real part of the Jacobian's eigenvalues that is not zero is negative,
            ``repelling`` where every one is positive, ``saddle`` where both occur, ``neutral`` where there is none.
        zero_modes: how many real parts are zero: along a line of equilibria or across a conserved quantity; where there
            are any, the Jacobian alone does not say what happens in these directions.
    """

    x: float
    y: float
    kind: Kind
    zero_modes: int = 0


@checked
def plane_equilibria(
    flow: Integrable,
    x: str,
    y: str,
    *,
    xlim: Sequence[float],
    ylim: Sequence[float],
    at: ArrayLike | None = None,
) -> list[Equilibrium]:
    """The equilibria that :func:`dynamics.ode.phase_portrait.phase_portrait` marks, by x and then y.

    Arguments and errors as there.

    Returns:
        Each point once; of a line of equilibria some of its points.
    Cost: some hundred evaluations of up to 1,700 states each, 2 N more for each kind, N numbers in the state.
    """
    plane = plane_of(flow, x, y, at)
    across, up = (np.linspace(*ends_of(name, ends), GRID) for name, ends in (("xlim", xlim), ("ylim", ylim)))
    return equilibria_of(plane, across, up, *plane.on_grid(across, up))


def equilibria_of(plane: Plane, across: Array, up: Array, along: Array, largest: Array) -> list[Equilibrium]:
    """Those within the grid: its points at rest, and what is found from cells in which both components change sign.

    ``along``, ``largest``: as :meth:`Plane.on_grid` gives them on the grid ``across`` x ``up``.
    """
    fastest = float(np.max(largest, initial=0.0, where=np.isfinite(largest)))
    lowest, highest = np.array([across[0], up[0]]), np.array([across[-1], up[-1]])
    spans = highest - lowest
    cells = _cells(along)[:MOST_CELLS]
    middles = np.stack(
        [across[cells[:, 1]] + across[cells[:, 1] + 1], up[cells[:, 0]] + up[cells[:, 0] + 1]], -1
    )
    near = _newton(plane, middles / 2, spans)
    near = near[np.all((near >= lowest - APART * spans) & (near <= highest + APART * spans), axis=1)]
    near = near[plane.field(near)[1] <= NEAR * fastest] if len(near) else near
    # Where whole lines rest the field vanishes to a higher order, and Newton's method creeps; such lines are as a rule
    # axes, and lie on the grid.
    tried: list[Vector] = []
    rows, columns = np.nonzero(largest <= AT_REST * fastest)
    resting = list(np.column_stack([across[columns], up[rows]])[:MOST_CELLS])
    found: list[Vector] = [*resting]
    for start in near:
        if not _is_new(start, [*tried, *found], spans):
            continue
        tried.append(start)
        point = _polished(plane, start)
        inside = np.all(point >= lowest - 1e-9 * spans) and np.all(point <= highest + 1e-9 * spans)
        at_rest = plane.field(point[None])[1][0] <= AT_REST * fastest
        new = _is_new(point, found, spans) and _is_new(point, resting, spans, BESIDE / (GRID - 1))
        if inside and at_rest and new:
            found.append(np.where(np.abs(point) < ROUNDING * spans, 0.0, point))
    found.sort(key=lambda point: tuple(np.round((point - lowest) / spans / APART)))
    rounding = NO_SLOPE * fastest / float(spans.max())
    return [
        Equilibrium(float(one), float(two), *_kind(plane.jacobian(one, two), rounding)) for one, two in found
    ]


def _is_new(point: Vector, found: Sequence[Vector], spans: Vector, apart: float = APART) -> bool:
    return all(np.abs((point - other) / spans).max() > apart for other in found)


def _cells(along: Array) -> NDArray[np.intp]:
    """The lower corners (row, column) of the cells in whose corners both parts of ``along`` take either sign, or 0."""
    corners = np.stack([along[:-1, :-1], along[1:, :-1], along[:-1, 1:], along[1:, 1:]])
    either = (corners.min(axis=0) <= 0) & (corners.max(axis=0) >= 0)
    return np.argwhere(either.all(axis=-1))


def _newton(plane: Plane, points: Array, spans: Vector) -> Array:
    """Where Newton's method leads from each of the points (K, 2), all at once; steps of a cell at most.

    The derivative's pseudo-inverse leads to the nearest point of a line of equilibria.
    """
    points, longest = points.copy(), spans / (GRID - 1)
    moving = np.arange(len(points))
    for _ in range(STEPS):
        if not moving.size:
            break
        step = _newton_step(plane, points[moving], 1e-6 * spans)
        shares = np.abs(step / longest).max(axis=-1)
        points[moving] += step / np.maximum(1.0, shares)[:, None]
        moving = moving[shares > 1e-9]  # not where the derivative is unknown: NaN is not larger
    return points


def _newton_step(plane: Plane, points: Array, h: Vector) -> Array:
    around = [points, *(points + sign * h * unit for unit in np.eye(2) for sign in (1.0, -1.0))]
    value, *moved = plane.field(np.concatenate(around))[0].reshape(5, len(points), 2)
    slopes = np.stack([moved[0] - moved[1], moved[2] - moved[3]], axis=-1) / (2 * h)
    known = np.isfinite(slopes).all(axis=(1, 2)) & np.isfinite(value).all(axis=1)
    step = np.full_like(points, np.nan)
    step[known] = -(np.linalg.pinv(slopes[known], rcond=1e-7) @ value[known][..., None])[..., 0]
    return step


def _polished(plane: Plane, point: Vector) -> Vector:
    """The zero next to a point that is nearly one."""
    for _ in range(2):  # the second begins where the first one's steps had become as small as it resolves
        point = root(
            lambda p: plane.field(p[None])[0][0], point, method="hybr", options={"xtol": 1e-14, "maxfev": 40}
        ).x
    return np.asarray(point)


def _kind(jacobian: Array, rounding: float) -> tuple[Kind, int]:
    """The kind, and how many eigenvalues have no real part."""
    if not np.isfinite(jacobian).all():
        return "neutral", len(jacobian)
    parts = np.linalg.eigvals(jacobian).real
    zero = max(ZERO * np.abs(jacobian).max(), rounding)
    rises, falls = bool(np.any(parts > zero)), bool(np.any(parts < -zero))
    zeros = int(np.sum(np.abs(parts) <= zero))
    if rises:
        return "saddle" if falls else "repelling", zeros
    return "attracting" if falls else "neutral", zeros
