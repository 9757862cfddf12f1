"""A mean over independently trained networks, one a seed, with its interval, and the verdict that it allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtrit

from dynamics.validation import positive_int
from verify.judging import Context, Evidence

FEWEST_SEEDS = 3
"""Fewest networks from which an interval is taken."""


def enough_networks(networks: int) -> int:
    """A study's number of networks; raises ValueError or TypeError below ``FEWEST_SEEDS``."""
    if positive_int("networks", networks) < FEWEST_SEEDS:
        raise ValueError(f"networks: expected at least {FEWEST_SEEDS} (for an interval), got {networks}")
    return networks


@dataclass(frozen=True)
class MeanInterval:
    """Mean of independent (usually paired) differences, its standard error and the interval ``mean +- reach``."""

    mean: float
    standard_error: float
    reach: float
    seeds: int

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.reach

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.reach


def mean_interval(samples: ArrayLike, tail: float) -> MeanInterval:
    """Student-t interval of a mean.

    Args:
        samples: one number a seed, at least ``FEWEST_SEEDS``.
        tail: chance on either side of the interval.
    Raises:
        ValueError: too few samples, or non-finite ones.
    """
    values = np.asarray(samples, dtype=np.float64).ravel()
    if values.size < FEWEST_SEEDS or not np.all(np.isfinite(values)):
        raise ValueError(f"samples: expected at least {FEWEST_SEEDS} finite values, got {values.tolist()}")
    error = float(values.std(ddof=1) / np.sqrt(values.size))
    quantile = -float(stdtrit(values.size - 1, tail))
    return MeanInterval(float(values.mean()), error, quantile * error, values.size)


def false_alarm_tail(context: Context, comparisons: int = 1) -> float:
    """The chance on either side of an interval at which a run's false alarms stay as rare as promised."""
    return float(ndtr(-context.z(comparisons)))


def exceeds(
    samples: ArrayLike, threshold: float, context: Context, comparisons: int = 1, **details: Any
) -> Evidence:
    """Evidence for ``mean of samples > threshold``; inconclusive while the threshold is inside the interval."""
    found = mean_interval(samples, false_alarm_tail(context, comparisons))
    return Evidence(
        predicted=threshold,
        measured=found.mean,
        margin=found.mean - threshold,
        standard_error=found.standard_error,
        inconclusive=found.low <= threshold <= found.high,
        details={"interval": [found.low, found.high], "seeds": found.seeds, **details},
    )


def falls_below(
    samples: ArrayLike, threshold: float, context: Context, comparisons: int = 1, **details: Any
) -> Evidence:
    """Evidence for ``mean of samples < threshold``; see :func:`exceeds`."""
    found = mean_interval(samples, false_alarm_tail(context, comparisons))
    return Evidence(
        predicted=threshold,
        measured=found.mean,
        margin=threshold - found.mean,
        standard_error=found.standard_error,
        inconclusive=found.low <= threshold <= found.high,
        details={"interval": [found.low, found.high], "seeds": found.seeds, **details},
    )


def weakest(*evidences: Evidence) -> Evidence:
    """The evidence for a claim of several parts: that of its worst part.

    A failed part outweighs an undecided one, which outweighs those that hold; among equals the smallest margin counts.
    """
    failed = [e for e in evidences if not e.holds and not e.inconclusive]
    undecided = [e for e in evidences if e.inconclusive]
    return min(failed or undecided or list(evidences), key=lambda e: e.margin)
