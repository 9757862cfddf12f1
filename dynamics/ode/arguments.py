"""Checks of what a run is given: the span, the output times and the initial state."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from dynamics.arrays import Vector
from dynamics.ode.flow import Flow
from dynamics.validation import number, real_numbers, shown


def time_span(t_span: Any) -> tuple[float, float]:
    """The two ends of the time span, finite, in the given order."""
    held = isinstance(t_span, Sequence) or (isinstance(t_span, np.ndarray) and t_span.ndim > 0)
    if not held or isinstance(t_span, str | bytes) or len(t_span) != 2:
        raise TypeError(f"t_span: expected two times (t0, t1), got {shown(t_span)}")
    for value in t_span:
        if isinstance(value, float | np.floating) and math.isinf(value):
            raise ValueError(
                f"t_span: expected finite times, got {shown(t_span)}; to run until convergence take a large end time "
                "with events=[converged(threshold)]"
            )
    t0, t1 = number("t_span[0]", t_span[0]), number("t_span[1]", t_span[1])
    if not math.isfinite(t1 - t0):
        raise ValueError(f"t_span: expected a span of finite length, got {shown(t_span)}")
    return t0, t1


def output_times(t_eval: ArrayLike | None, t0: float, t1: float) -> Vector | None:
    """The wanted times: inside the span, strictly ordered in the direction of the run."""
    if t_eval is None:
        return None
    times = real_numbers("t_eval", t_eval).copy()
    if times.ndim != 1 or not times.size or not np.isfinite(times).all():
        raise ValueError(
            f"t_eval: expected a non-empty vector of finite times, got shape {times.shape}: {shown(t_eval)}"
        )
    if times.min() < min(t0, t1) or times.max() > max(t0, t1):
        raise ValueError(f"t_eval: expected times within [{t0}, {t1}], got {times.min()} ... {times.max()}")
    if (np.diff(times) * (1 if t1 >= t0 else -1) <= 0).any():
        raise ValueError(f"t_eval: expected times strictly ordered from {t0} to {t1}, got {shown(t_eval)}")
    return times


def initial_state(flow: Flow) -> Vector:
    """The flow's initial state, a finite flat vector (a copy), which the instances share evenly."""
    y0 = real_numbers("flow.initial_state()", flow.initial_state()).copy()
    if y0.ndim != 1 or y0.size == 0:
        raise ValueError(f"flow.initial_state(): expected a non-empty flat vector, got shape {y0.shape}")
    if not np.isfinite(y0).all():
        worst = int(np.argmin(np.isfinite(y0)))
        raise ValueError(
            f"flow.initial_state(): expected finite numbers, got {y0[worst]} in component {worst}"
        )
    if y0.size % flow.instances:
        raise ValueError(
            f"flow.instances: expected a divisor of the state's length {y0.size}, got {flow.instances}"
        )
    return y0
