"""What a statement is: a claim of a paper, with instances, assumptions, evidence and controls, as data.

A file in ``verify/<paper>/`` holds one numbered item and defines one :class:`Statement` per form of it
(``printed``, ``corrected``, ``sharp``). The registry collects them; the runner judges them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from matplotlib.figure import Figure

FALSE_ALARM = 1e-3
"""Chance of one false alarm in a whole run, shared out over every comparison of every sampling statement."""

SAMPLING_STATEMENTS = 200
"""Upper bound on the number of sampling statements; each is given an equal share of ``FALSE_ALARM``."""


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
    """How much work one run may do. ``name`` indexes ``Statement.max_examples``."""

    name: str

    @property
    def full(self) -> bool:
        """Whether the papers' own sizes are asked for (everything but ``quick``)."""
        return self.name != "quick"


BUDGETS = {name: Budget(name) for name in ("quick", "full", "deep")}


@dataclass(frozen=True)
class Context:
    """What an evaluation may use besides its instance: budget, device and the share of false alarms."""

    budget: Budget = BUDGETS["quick"]
    device: str = "cpu"
    seed: int = 0
    examples: int = 1

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


@dataclass(frozen=True)
class Assumption:
    """A hypothesis of the statement on one instance: satisfied where ``margin > 0``."""

    name: str
    margin: float

    @property
    def satisfied(self) -> bool:
        return self.margin > 0


@dataclass(frozen=True)
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

    @classmethod
    def at_most(cls, measured: float, bound: float, tolerance: float, **details: Any) -> Evidence:
        """Evidence for ``measured <= bound`` up to ``tolerance``."""
        return cls(bound, measured, bound + tolerance - measured, tolerance, details=details)

    @classmethod
    def close(cls, measured: float, predicted: float, tolerance: float, **details: Any) -> Evidence:
        """Evidence for ``measured = predicted`` up to the absolute ``tolerance``."""
        return cls(predicted, measured, tolerance - abs(measured - predicted), tolerance, details=details)


Instance = Any  # each statement's own frozen dataclass of ints, floats, strings and tuples of them


@dataclass(frozen=True)
class Control:
    """A check of the check: an instance or an altered claim with a known answer.

    ``must_hold=False`` (a negative control): the evidence must be rejected, ``margin < 0``. A refuted form
    also wants a positive control (``must_hold=True``): a true variant which the same code must accept.
    """

    name: str
    evidence: Callable[[Context], Evidence]
    must_hold: bool = False

    def passed(self, context: Context) -> bool:
        evidence = self.evidence(context)
        return not math.isnan(evidence.margin) and evidence.holds == self.must_hold


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


@dataclass(frozen=True)
class Statement:
    """One form of one numbered item.

    ``instance_type``: frozen dataclass whose fields are sizes, angles, thresholds and a seed (JSON numbers,
    strings, or tuples of them), with defaults, so that shrinking ends in something readable.
    ``instances(budget)``: Hypothesis strategy of them, or None when only ``examples`` are evaluated.
    ``examples``: instances always evaluated first (the papers' own settings, pinned past failures).
    ``assumptions(instance)``: signed margins, all > 0 on a non-vacuous instance.
    ``evidence(instance, context)``: called on non-vacuous instances only.
    ``confirm(instance)``: independent re-evaluation of a counterexample in higher precision (mpmath, interval
    arithmetic); a refutation is believed only when its evidence fails too. Required if ``expected=refuted``.
    ``controls``: at least one. ``figure(verdict)``: a matplotlib figure for the report; None draws
    predicted against measured.
    """

    key: str
    form: Form
    title: str
    claim: str
    source: Source
    expected: Outcome
    instance_type: type
    evidence: Callable[[Any, Context], Evidence]
    controls: Sequence[Control]
    assumptions: Callable[[Any], Sequence[Assumption]] = lambda instance: ()
    instances: Callable[[Budget], SearchStrategy[Any]] | None = None
    examples: Sequence[Instance] = ()
    max_examples: Mapping[str, int] = field(
        default_factory=lambda: {"quick": 100, "full": 1000, "deep": 10_000}
    )
    confirm: Callable[[Any], Evidence] | None = None
    figure: Callable[[Verdict], Figure] | None = None
    remark: str = ""

    @property
    def name(self) -> str:
        """Unique name: key and form, e.g. ``luckmatters.theorem4.sharp``."""
        return f"{self.key}.{self.form}"


@dataclass(frozen=True)
class Record:
    """One evaluated instance; ``evidence`` is None where an assumption failed (vacuous there)."""

    instance: Instance
    assumptions: tuple[Assumption, ...]
    evidence: Evidence | None

    @property
    def failed(self) -> bool:
        """Whether the claim failed here; a NaN margin is a failure, too large a sampling error is not."""
        return self.evidence is not None and not self.evidence.inconclusive and not self.evidence.holds


@dataclass(frozen=True)
class Verdict:
    """The outcome on one statement with all it rests on.

    ``records`` are the evaluated instances (those tried while shrinking are left out), ``counterexample`` the
    shrunk one of a refutation and ``confirmation`` its independent re-evaluation; ``controls`` maps each
    control to whether it came out as it must. ``tightness`` is the median of predicted / measured.
    """

    statement: Statement
    outcome: Outcome
    records: tuple[Record, ...]
    controls: Mapping[str, bool]
    counterexample: Record | None = None
    confirmation: Evidence | None = None
    seconds: float = 0.0
    message: str = ""

    @property
    def judged(self) -> tuple[Record, ...]:
        """The non-vacuous records."""
        return tuple(record for record in self.records if record.evidence is not None)

    @property
    def examples(self) -> int:
        return len(self.records)

    @property
    def nonvacuous(self) -> int:
        return len(self.judged)

    @property
    def worst(self) -> Record | None:
        """The counterexample of a refutation, else the record with the smallest (or NaN) margin."""
        if self.counterexample is not None:
            return self.counterexample
        margins = [record.evidence.margin for record in self.judged if record.evidence]
        return self.judged[int(np.argmin(margins))] if margins else None  # argmin stops at the first NaN

    @property
    def worst_margin(self) -> float | None:
        margins = [record.evidence.margin for record in self.judged if record.evidence]
        if self.counterexample is not None and self.counterexample.evidence is not None:
            margins.append(self.counterexample.evidence.margin)
        return float(np.min(margins)) if margins else None

    @property
    def tightness(self) -> float | None:
        ratios = [
            record.evidence.predicted / record.evidence.measured
            for record in self.judged
            if record.evidence
            and record.evidence.measured
            and math.isfinite(record.evidence.predicted / record.evidence.measured)
        ]
        return float(np.median(ratios)) if ratios else None

    @property
    def as_expected(self) -> bool:
        """Whether the outcome is the recorded one and every control came out as it must."""
        return self.outcome == self.statement.expected and all(self.controls.values())

    def counterexample_fields(self) -> dict[str, Any] | None:
        """The counterexample's instance as plain data, or None."""
        return None if self.counterexample is None else dataclasses.asdict(self.counterexample.instance)
