"""The classical Runge-Kutta step in mpmath: an integration that shares nothing with the project's integrators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Slope = Callable[[Any, list[Any]], list[Any]]
"""``slope(s, y)``: dy/ds of the state y, a list of mpmath numbers or vectors."""


def runge_kutta(slope: Slope, s: Any, y: list[Any], h: Any, steps: int) -> list[Any]:
    """The state after ``steps`` steps of size ``h`` from the state ``y`` at ``s``; four slopes a step."""
    for _ in range(steps):
        k1 = slope(s, y)
        k2 = slope(s + h / 2, [x + h / 2 * k for x, k in zip(y, k1, strict=True)])
        k3 = slope(s + h / 2, [x + h / 2 * k for x, k in zip(y, k2, strict=True)])
        k4 = slope(s + h, [x + h * k for x, k in zip(y, k3, strict=True)])
        y = [x + h / 6 * (a + 2 * b + 2 * c + d) for x, a, b, c, d in zip(y, k1, k2, k3, k4, strict=True)]
        s += h
    return y
