"""The words of a verdict: forms, outcomes, budgets, what an evaluation costs, and where a claim stands in a paper."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """Which wording of the item is judged."""

    PRINTED = "printed"
    """A formula or words that stand in the text at hand."""
    READING = "reading"
    """Words made precise by us, or a formula rebuilt because the text at hand lost it; another reading may differ."""
    NECESSITY = "necessity"
    """A hypothesis that the paper states, left out on purpose: is it needed?"""
    CORRECTED = "corrected"
    """The smallest repair, or the printed form with its silent condition made explicit."""
    SHARP = "sharp"
    """Our own statement with the best constant or rate."""

    @property
    def words(self) -> str:
        """The form as it is shown to readers: a reading is called ours."""
        return "our reading" if self is Form.READING else str(self)


class Outcome(StrEnum):
    """The verdict on a statement."""

    HOLDS = "holds"
    REFUTED = "refuted"
    VACUOUS = "vacuous"
    INCONCLUSIVE = "inconclusive"
    NEEDED = "needed"
    """Of a necessity: the claim fails without the hypothesis."""
    NOT_NEEDED = "not needed"
    """Of a necessity: no example was found that fails without the hypothesis."""
    OBSERVED = "observed"
    """Of an empirical claim: its effect is seen on the declared population."""
    NOT_OBSERVED = "not observed"
    """Of an empirical claim: its effect is not seen there, or is opposite, by more than the error."""


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
    """Where the claim stands, so that a reader finds it in a minute.

    Attributes:
        paper: authors and title.
        number: the item, equation or sentence meant, as ``Theorem 4 and Eqns 33-40``.
        note: how far the formula is the paper's own.
        version: the arXiv version, as ``v4``.
        section: the section of that version, as ``3.3``.
    """

    paper: str
    number: str
    note: str = ""
    version: str = ""
    section: str = ""

    def __str__(self) -> str:
        section = f"section {self.section}" if self.section else ""
        place = ", ".join(part for part in (self.paper, self.version, section, self.number) if part)
        return place + (f" ({self.note})" if self.note else "")


class Impact(StrEnum):
    """What an erratum touches: spelling, a constant, what the paper concludes, or nothing that the paper says."""

    TYPOGRAPHICAL = "typographical"
    CONSTANT = "constant"
    SUBSTANCE = "substance"
    NONE = "none"
    """The paper's own words stand: what fails is a reading of ours that goes further, or nothing does."""


@dataclass(frozen=True)
class Erratum:
    """An entry of the errata.

    Attributes:
        says: what the paper says, in our words and not stronger.
        true: what is true instead.
        impact: what it touches.
        matters: whether anything in the paper depends on it, in one sentence.
    """

    says: str
    true: str
    impact: Impact
    matters: str


LUCK_MATTERS = "Tian, Jiang, Gong, Morcos: Luck Matters (arXiv:1905.13405)"
SPECIALIZATION = "Tian: Student Specialization in Deep ReLU Networks (arXiv:1909.13458)"
