"""Late decay rates from trajectories: a window chosen by rule, a regression, an interval across networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from dynamics.arrays import Array
from dynamics.validation import number, real_array, real_numbers, shown

CEILING = 1e-3
"""A decay is called late once it is below this: what is left of the nonlinearity is of that relative size."""

FLOOR = 1e-11
"""Values below this are too near rounding (1e-15 on an angle) to be fitted to the fourth digit of a rate."""

MIN_POINTS = 8


@dataclass(frozen=True)
class DecayFit:
    """Exponential decay ``x(t) ~ exp(-rate t)`` in a window. ``rate (...)``, one a series; ``window`` in t."""

    rate: Array
    window: tuple[float, float]
    points: int


def late_window(t: Array, values: Array, ceiling: float = CEILING, floor: float = FLOOR) -> NDArray[np.bool_]:
    """Times at which the whole ensemble decays late: the second half, in decades, of the way to the floor.

    The rule, not the eye: with ``x(t)`` the geometric mean of the series, the way from ``min(ceiling, x(0))`` down to
    the larger of ``floor`` and the smallest x reached is halved in log x, and the window is the lower half. The
    upper half is left to the faster modes to die out. ``values (T, ...)``.
    """
    level = np.log(np.maximum(values, 1e-300)).reshape(len(t), -1)
    highest, lowest = level.max(axis=1), level.min(axis=1)
    level = level.mean(axis=1)
    top = min(np.log(ceiling), level[0])
    bottom = max(np.log(floor), level.min())
    return np.asarray((level <= (top + bottom) / 2) & (lowest >= np.log(floor)) & (highest <= top))


def fit_decay(t: ArrayLike, values: ArrayLike, ceiling: float = CEILING, floor: float = FLOOR) -> DecayFit:
    """Least-squares decay rates of ``values (T, ...)`` over their common late window.

    Each trailing index is a series of its own (an instance, a network). Values are sizes (>= 0) that decay to
    zero, such as the norm of ``sin_theta`` over the nodes. Raises ValueError when fewer than ``MIN_POINTS`` times fall
    into the window (run longer or record more often).
    """
    times, series = real_array("t", t), real_numbers("values", values)
    ceiling, floor = number("ceiling", ceiling, positive=True), number("floor", floor, positive=True)
    if times.ndim != 1 or series.ndim < 1 or len(series) != len(times) or series.size == 0:
        raise ValueError(
            f"t, values: expected a vector of times and one row of values a time, got shapes {times.shape}, "
            f"{series.shape}"
        )
    if not np.all(np.diff(times) > 0):
        raise ValueError(f"t: expected times that only grow, got {shown(t)}")
    if not (np.all(np.isfinite(series)) and np.all(series >= 0)):
        raise ValueError("values: expected finite sizes >= 0, got negative or non-finite ones")
    inside = late_window(times, series, ceiling, floor)
    if inside.sum() < MIN_POINTS:
        raise ValueError(
            f"values: expected at least {MIN_POINTS} times with late decay (below {ceiling:g}, above {floor:g}), "
            f"got {int(inside.sum())}: integrate longer or record more often"
        )
    chosen = times[inside]
    centred = chosen - chosen.mean()
    reach = np.abs(centred).max()  # times of any size: their squares neither overflow nor vanish
    share = centred / reach
    with np.errstate(over="ignore"):  # a rate over so short a time may be infinite
        slope = np.tensordot(share, np.log(series[inside]), axes=(0, 0)) / (share @ share) / reach
    return DecayFit(np.asarray(-slope), (float(chosen[0]), float(chosen[-1])), int(inside.sum()))


@dataclass(frozen=True)
class RateEstimate:
    """Mean rate of several networks with its standard error and two-sided ``confidence`` interval."""

    mean: float
    standard_error: float
    low: float
    high: float
    confidence: float
    networks: int


def mean_rate(rates: ArrayLike, confidence: float = 0.95) -> RateEstimate:
    """Student-t interval of the mean rate over independently trained networks (at least two)."""
    values = real_array("rates", rates).ravel()
    if values.size < 2:
        raise ValueError(f"rates: expected at least 2 networks for an interval, got {values.size}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number in (0, 1), got {confidence!r}")
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))
    reach = float(stdtrit(values.size - 1, 0.5 + confidence / 2)) * error
    return RateEstimate(mean, error, mean - reach, mean + reach, confidence, values.size)


def discrete_rate(rate: ArrayLike, lr: float) -> Array:
    """Rate per unit time of gradient descent with step ``lr`` on a mode of continuous rate ``rate``.

    A step multiplies the mode by ``1 - lr rate``, so over time t = steps x lr it decays at ``-log|1 - lr rate| / lr``.
    """
    return np.asarray(-np.log(np.abs(1 - lr * np.asarray(rate, dtype=np.float64))) / lr)
