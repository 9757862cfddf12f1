"""A claim in words as a check: an effect measured once per network, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from verify.mathematics.mean_over_seeds import mean_interval

CONFIDENCE = 0.99
"""Of the two-sided interval of every effect shown with a figure."""


@dataclass(frozen=True)
class ClaimCheck:
    """Mean effect over independent networks and its Student-t interval, against a threshold it must exceed."""

    claim: str
    effect: float
    low: float
    high: float
    networks: int
    threshold: float = 0.0
    expected: str = "holds"
    """``refuted`` for a claim of the paper that our networks are known to contradict."""

    @classmethod
    def exceeding(
        cls, claim: str, samples: ArrayLike, threshold: float = 0.0, *, expected: str = "holds"
    ) -> ClaimCheck:
        """The check that the mean of ``samples`` (one a network) is above ``threshold``.

        Raises ValueError with fewer than three samples or non-finite ones.
        """
        found = mean_interval(samples, (1 - CONFIDENCE) / 2)
        return cls(claim, found.mean, found.low, found.high, found.seeds, threshold, expected)

    @property
    def outcome(self) -> str:
        """``holds``, ``refuted``, or ``inconclusive`` while the threshold lies within the interval."""
        if self.low > self.threshold:
            return "holds"
        return "refuted" if self.high < self.threshold else "inconclusive"

    @property
    def unexpected(self) -> bool:
        """Decided, and not as expected."""
        return self.outcome not in (self.expected, "inconclusive")

    def __str__(self) -> str:
        known = ", as expected" if self.outcome == self.expected == "refuted" else ""
        return (
            f"{self.claim}: {self.outcome}{known} (effect {self.effect:.3g}, {CONFIDENCE:.0%} interval "
            f"[{self.low:.3g}, {self.high:.3g}] over {self.networks} networks, needed > {self.threshold:g})"
        )
