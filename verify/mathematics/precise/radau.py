"""Radau IIA of order five for one stiff equation in mpmath's numbers, with a quadrature carried along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp

Slope = Callable[[Any, Any], Any]

NEWTON = 10
"""Newton iterations of a step at most."""

HALVINGS = 60
"""Times that one step may be halved."""


def radau(slope: Slope, rate: Slope, y: Any, mesh: Sequence[Any], most: float = 0.25) -> tuple[Any, Any]:
    """``y`` and ``integral of rate(s, y) ds`` at the end of ``mesh``, where ``y' = slope(s, y)``.

    Three implicit stages a step, stiffly accurate and L-stable: a fast transient is damped, not followed, where steps
    are longer than it. A step in which y would change by more than ``most``, or whose stages do not settle, is halved.
    Runs at the caller's ``mp.workdps``; derivatives in y by differences at half the digits. Raises ArithmeticError
    where a step has been halved ``HALVINGS`` times.
    """
    root = mp.sqrt(6)
    c = [(4 - root) / 10, (4 + root) / 10, mp.mpf(1)]
    A = mp.matrix(
        [
            [(88 - 7 * root) / 360, (296 - 169 * root) / 1800, (-2 + 3 * root) / 225],
            [(296 + 169 * root) / 1800, (88 + 7 * root) / 360, (-2 - 3 * root) / 225],
            [(16 - root) / 36, (16 + root) / 36, mp.mpf(1) / 9],
        ]
    )
    total = mp.mpf(0)
    start, ends = mesh[0], list(reversed(mesh[1:]))
    while ends:
        h = ends[-1] - start
        at = [start + h * share for share in c]
        stages = _solve_stages(slope, y, at, h * A)
        if stages is None or max(abs(stage - y) for stage in stages) > most:
            if len(ends) > len(mesh) + HALVINGS:
                raise ArithmeticError(f"the step from {float(start):g} cannot be made short enough")
            ends.append(start + h / 2)
            continue
        total += h * mp.fsum(A[2, i] * rate(at[i], stages[i]) for i in range(3))
        y, start = stages[2], ends.pop()
    return y, total


def _solve_stages(slope: Slope, y: Any, at: list[Any], weights: Any) -> list[Any] | None:
    """The three stages ``Y_i = y + sum_j weights_ij slope(s_j, Y_j)`` by Newton's method; None if it fails."""
    stages = [y, y, y]
    nudge = mp.mpf(10) ** (-mp.mp.dps // 2)
    for _ in range(NEWTON):
        slopes = [slope(s, value) for s, value in zip(at, stages, strict=True)]
        turns = [
            (slope(s, value + nudge) - known) / nudge
            for s, value, known in zip(at, stages, slopes, strict=True)
        ]
        wrong = mp.matrix(
            [stages[i] - y - mp.fsum(weights[i, j] * slopes[j] for j in range(3)) for i in range(3)]
        )
        jacobian = mp.matrix(3, 3)
        for i in range(3):
            for j in range(3):
                jacobian[i, j] = int(i == j) - weights[i, j] * turns[j]
        step = mp.lu_solve(jacobian, wrong)
        stages = [stages[i] - step[i] for i in range(3)]
        largest = max(abs(entry) for entry in step)
        if largest > 10:
            return None
        if largest < mp.mpf(10) ** (5 - mp.mp.dps):
            return stages
    return None
