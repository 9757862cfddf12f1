"""The words of a verdict: forms, outcomes, budgets, what an evaluation costs, and where a claim stands in a paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """Which wording of the item is judged."""

    PRINTED = "printed"
    CORRECTED = "corrected"
    SHARP = "sharp"


class Outcome(StrEnum):
    """The verdict on a statement."""

    HOLDS = "holds"
    REFUTED = "refuted"
    VACUOUS = "vacuous"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Budget:
    """How much work one run may do. ``name`` is a field of :class:`Cost`."""

    name: str

    @property
    def full(self) -> bool:
        """Whether the papers' own sizes are asked for (everything but ``quick``)."""
        return self.name != "quick"


BUDGETS = {name: Budget(name) for name in ("quick", "full", "deep")}
"""The budgets by name; how many instances each draws is said by a statement's :class:`Cost`."""


@dataclass(frozen=True)
class Cost:
    """How many instances each budget draws, by what one evaluation costs."""

    quick: int
    full: int
    deep: int

    def at_quick(self, count: int) -> Cost:
        """The same class of cost with ``count`` instances at the quick budget, which answers in a minute in all."""
        return Cost(count, self.full, self.deep)

    def examples(self, budget: Budget) -> int:
        """The number of instances drawn under ``budget``."""
        return int(getattr(self, budget.name))


ALGEBRA = Cost(100, 1000, 10_000)
"""Closed forms and small matrices: well below a millisecond per instance."""

SEARCH = Cost(60, 300, 1000)
"""A short integration, a linear programme or a search within each instance: some ten milliseconds."""

SAMPLING = Cost(10, 100, 1000)
"""As many samples as it takes to resolve the effect."""

FLOW = Cost(12, 60, 300)
"""An integration to late times, or one in many digits: up to a second."""

TRAINING = Cost(2, 12, 60)
"""Networks trained for each instance: seconds."""


@dataclass(frozen=True)
class Source:
    """Where the claim stands: paper, number, and (``note``) how far the formula is the paper's own."""

    paper: str
    number: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.paper}, {self.number}" + (f" ({self.note})" if self.note else "")


LUCK_MATTERS = "Tian, Jiang, Gong, Morcos: Luck Matters (arXiv:1905.13405)"
SPECIALIZATION = "Tian: Student Specialization in Deep ReLU Networks (arXiv:1909.13458)"
