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
"""Networks below which a study gives no interval worth the name."""


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
    """Student-t interval of the mean of ``samples``, one a seed, beyond which lies a chance ``tail`` on either side.

    Raises ValueError with fewer than ``FEWEST_SEEDS`` samples or non-finite ones.
    """
    values = np.asarray(samples, dtype=np.float64).ravel()
    if values.size < FEWEST_SEEDS or not np.all(np.isfinite(values)):
        raise ValueError(f"samples: expected at least {FEWEST_SEEDS} finite values, got {values.tolist()}")
    error = float(values.std(ddof=1) / np.sqrt(values.size))
    quantile = -float(stdtrit(values.size - 1, tail))
    return MeanInterval(float(values.mean()), error, quantile * error, values.size)


def false_alarm_tail(context: Context, comparisons: int = 1) -> float:
    """The chance on either side of an interval that keeps all false alarms of a run in bounds."""
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
    """A claim with several parts is as good as its worst part: a failed one, else an undecided one, else
    the least."""
    failed = [e for e in evidences if not e.holds and not e.inconclusive]
    undecided = [e for e in evidences if e.inconclusive]
    return min(failed or undecided or list(evidences), key=lambda e: e.margin)
