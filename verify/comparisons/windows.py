"""A comparison cut into windows of time: where networks do what the flow says, and where they do not."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from verify.comparisons.innovations import PULL, SPEED, Innovations, added

MOST_WINDOWS = 10
FEWEST_STEPS = 500
"""Steps times networks in a window at least: their mean is then near enough to normal, with its skewness corrected."""


class Agreement(StrEnum):
    """What came of a comparison."""

    AGREE = "agree"
    DISAGREE = "disagree"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True)
class TimeWindow:
    """One stretch of time: ``start`` and ``end`` in units of time, and what networks did in it beyond the flow."""

    start: float
    end: float
    innovations: Innovations

    @property
    def looked_at(self) -> bool:
        """Whether enough steps were above rounding."""
        return self.innovations.count >= FEWEST_STEPS

    @property
    def speed(self) -> float:
        """How fast networks move along the flow, in units of what it says."""
        return 1 + float(self.innovations.mean[SPEED])

    @property
    def speed_error(self) -> float:
        """Standard error of :attr:`speed`."""
        return float(self.innovations.standard_error[SPEED])

    @property
    def worst(self) -> tuple[str, float]:
        """The watched direction that is farthest off, in words, and by how many standard errors."""
        z = self.innovations.z
        worst = int(np.argmax(np.abs(z)))
        words = {SPEED: "along the flow", PULL: "towards the teacher"}
        return words.get(worst, f"in coordinate {worst - 2} of the state"), float(z[worst])


def window_count(steps: int, networks: int) -> int:
    """How many windows a run is cut into."""
    return max(1, min(MOST_WINDOWS, steps, steps * networks // FEWEST_STEPS))


@dataclass(frozen=True)
class Judgement:
    """The windows under one level.

    Attributes:
        windows: in order of time.
        level: the chance that networks which follow the flow are said to disagree.
        resolve: the error in the flow's speed that must have been visible in every window.
    """

    windows: Sequence[TimeWindow]
    level: float
    resolve: float

    @cached_property
    def whole(self) -> TimeWindow:
        """All windows as one: it shows what is small and lasting."""
        sums = functools.reduce(added, (window.innovations for window in self.windows))
        return TimeWindow(self.windows[0].start, self.windows[-1].end, sums)

    @cached_property
    def judged(self) -> list[TimeWindow]:
        """The windows that have enough steps, and the whole run."""
        return [window for window in (*self.windows, self.whole) if window.looked_at]

    @property
    def comparisons(self) -> int:
        """Tests in all: directions times windows, the whole run among these."""
        return sum(window.innovations.mean.size for window in self.judged)

    @property
    def critical(self) -> float:
        """Standard errors beyond which a direction disagrees; none of all does by chance but at ``level``."""
        return -float(ndtri(self.level / (2 * max(self.comparisons, 1))))

    def half_width(self, window: TimeWindow) -> float:
        """The relative error in the flow's speed that would have been seen in a window."""
        return self.critical * window.speed_error if window.looked_at else math.inf

    @property
    def resolved(self) -> float:
        """The error in the speed that would have been seen in any window; infinite where none is judged."""
        return max(map(self.half_width, self.judged), default=math.inf)

    def agrees(self, window: TimeWindow) -> bool:
        """Whether no direction is too far off in it."""
        return not window.looked_at or abs(window.worst[1]) <= self.critical

    @property
    def first_disagreement(self) -> TimeWindow | None:
        """The earliest window in which some direction is too far off; the whole run where only all together is."""
        return next((window for window in self.judged if not self.agrees(window)), None)

    @property
    def verdict(self) -> Agreement:
        """Agree, disagree, or unresolved: no disagreement, and too few samples to have seen one."""
        if self.first_disagreement is not None:
            return Agreement.DISAGREE
        return Agreement.AGREE if self.resolved <= self.resolve else Agreement.UNRESOLVED
