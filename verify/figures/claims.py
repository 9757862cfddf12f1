"""A claim in words as a check: an effect measured once a network, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from verify.mathematics.mean_over_seeds import mean_interval

CONFIDENCE = 0.99
"""Of the two-sided interval shown with every effect."""


@dataclass(frozen=True)
class ClaimCheck:
    """The mean of an effect over independent networks with its Student-t interval, and the threshold it must exceed."""

    claim: str
    effect: float
    low: float
    high: float
    networks: int
    threshold: float = 0.0
    expected: str = "observed"
    """``not observed`` for a claim of the paper that our networks are known to contradict."""

    @classmethod
    def exceeding(
        cls, claim: str, samples: ArrayLike, threshold: float = 0.0, *, expected: str = "observed"
    ) -> ClaimCheck:
        """The check that the mean of ``samples`` is above ``threshold``.

        Args:
            claim: in words, for the page of figures.
            samples: the effect in every network, at least three.
            threshold: what the mean must exceed.
            expected: the outcome on record, ``observed`` or ``not observed``.
        Raises:
            ValueError: too few samples, or non-finite ones.
        """
        found = mean_interval(samples, (1 - CONFIDENCE) / 2)
        return cls(claim, found.mean, found.low, found.high, found.seeds, threshold, expected)

    @property
    def outcome(self) -> str:
        """``observed`` or ``not observed`` where all of the interval is on one side of the threshold."""
        if self.low > self.threshold:
            return "observed"
        return "not observed" if self.high < self.threshold else "inconclusive"

    @property
    def unexpected(self) -> bool:
        """Whether the outcome is decided and is not the expected one."""
        return self.outcome not in (self.expected, "inconclusive")

    def __str__(self) -> str:
        known = ", as expected" if self.outcome == self.expected == "not observed" else ""
        return (
            f"{self.claim}: {self.outcome}{known} (effect {self.effect:.3g}, {CONFIDENCE:.0%} interval "
            f"[{self.low:.3g}, {self.high:.3g}] over {self.networks} networks, needed > {self.threshold:g})"
        )
