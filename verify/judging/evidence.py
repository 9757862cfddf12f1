"""What one instance says for or against the claim, and what an evaluation may use to say it."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dynamics.validation import shown
from verify.judging.vocabulary import BUDGETS, Budget

FALSE_ALARM = 1e-3
"""Chance of one false alarm in a whole run, shared out over every comparison of every sampling statement."""

SAMPLING_STATEMENTS = 200
"""Upper bound on the number of sampling statements; each is given an equal share of ``FALSE_ALARM``."""


@dataclass(frozen=True)
class Context:
    """What an evaluation may use besides its instance.

    Attributes:
        budget: how much work the run may do.
        device: where networks are trained.
        seed: the run's seed.
        examples: over how many instances a statement's share of false alarms is split.
        attack: evaluations of the attack on each statement that holds; 0 for none.
    """

    budget: Budget = BUDGETS["quick"]
    device: str = "cpu"
    seed: int = 0
    examples: int = 1
    attack: int = 0

    def rng(self, *key: int) -> np.random.Generator:
        """An independent generator for the run's seed and ``key`` (usually the instance's own seed)."""
        return np.random.default_rng(np.random.SeedSequence((self.seed, *key)))

    def z(self, comparisons: int = 1) -> float:
        """Two-sided normal quantile that keeps the whole run under ``FALSE_ALARM``.

        ``comparisons`` counts the comparisons made inside one evaluation; the number of examples of the
        statement and the number of statements are already shared out.
        """
        from scipy.special import ndtri

        share = FALSE_ALARM / SAMPLING_STATEMENTS / max(self.examples, 1) / comparisons
        return float(-ndtri(share / 2))


class CannotJudgeError(ArithmeticError):
    """Raised by a statement's own code on an instance that it cannot evaluate, with the reason; counted and shown."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one instance says about the claim.

    ``margin >= 0`` when the claim holds there; the tolerance (derived from dtype, order or sample size) is
    already inside it and repeated in ``tolerance``. ``standard_error`` is non-zero when ``measured`` was
    sampled; then ``inconclusive`` says that the sampling error is too large to decide. ``details`` are
    further named numbers for the report (each a float or a short list of floats).
    """

    predicted: float
    measured: float
    margin: float
    tolerance: float = 0.0
    standard_error: float = 0.0
    inconclusive: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """False also when the margin is NaN: an evaluation that broke down supports nothing."""
        return self.margin >= 0

    def moved(self, by: float) -> Evidence:
        """This evidence with ``measured`` moved by the length ``by`` against the claim; for controls.

        Upwards from an upper bound, downwards from a lower one, away from what it should equal.
        """
        above, below = self.predicted - self.measured, self.measured - self.predicted
        left = self.margin - self.tolerance
        sign = 1.0 if abs(left - above) <= abs(left - below) else -1.0
        return dataclasses.replace(self, measured=self.measured + sign * by, margin=self.margin - by)

    @classmethod
    def at_most(cls, measured: float, *, bound: float, tolerance: float, **details: Any) -> Evidence:
        """Evidence for ``measured <= bound`` up to ``tolerance``."""
        margin = bound + tolerance - measured
        return cls(predicted=bound, measured=measured, margin=margin, tolerance=tolerance, details=details)

    @classmethod
    def close(cls, measured: float, *, predicted: float, tolerance: float, **details: Any) -> Evidence:
        """Evidence for ``measured = predicted`` up to the absolute ``tolerance``."""
        margin = tolerance - abs(measured - predicted)
        return cls(
            predicted=predicted, measured=measured, margin=margin, tolerance=tolerance, details=details
        )


def as_evidence(what: str, found: Any) -> Evidence:
    """``found`` where it is evidence with numbers in it; raises TypeError, naming ``what``, otherwise."""
    if not isinstance(found, Evidence):
        raise TypeError(f"{what}: expected Evidence, got {shown(found)}")
    for name in ("predicted", "measured", "margin", "tolerance", "standard_error"):
        value = getattr(found, name)
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(f"{what}: {name}: expected a number, got {shown(value)}")
    return found
