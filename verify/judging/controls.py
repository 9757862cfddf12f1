"""Controls: checks of the check, as data. Of the claim (must it hold or be rejected?) and of its assumptions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from verify.judging.evidence import Context, Evidence, as_evidence


@dataclass(frozen=True)
class Control:
    """A check of the check: an instance and altered arguments with a known answer, as data.

    A negative control (``must_hold=False``) must be rejected by ``evidence``: margin < 0. A refuted form also wants a
    positive one: a true variant that the same code must accept. ``evidence`` is the statement's own function, or a
    named variant of it where the claim is altered by more than an argument. ``moved``: the measured quantity is moved
    against the claim by this length, as an error of the measurement would.
    """

    name: str
    evidence: Callable[..., Evidence]
    instance: Any
    altered: Mapping[str, Any] = field(default_factory=dict)
    must_hold: bool = False
    moved: float = 0.0

    def judge(self, context: Context) -> Evidence:
        """The evidence on the control's instance under its altered arguments, its measured quantity ``moved``."""
        evidence = as_evidence("evidence", self.evidence(self.instance, context, **self.altered))
        return evidence.moved(self.moved) if self.moved else evidence

    def passed(self, context: Context) -> bool:
        """Whether the evidence came out as it must."""
        return self.came_out(self.judge(context))

    def came_out(self, evidence: Evidence) -> bool:
        """Whether ``evidence`` decides the control, and as it must.

        A margin that is NaN, or a sampling error too large to decide, rejects nothing and accepts nothing; nor does a
        margin of infinity, of which nothing was judged, accept anything.
        """
        decided = evidence.margin < math.inf and not evidence.inconclusive
        return decided and evidence.holds == self.must_hold


@dataclass(frozen=True)
class ProofControl:
    """A check of a proof for all instances: a false claim, altered by these arguments, that must not be proved."""

    name: str
    altered: Mapping[str, Any]


LARGEST_TOLERANCE_FACTOR = 1e4
"""K of the closest negative control of a statement with a tolerance is at most this."""


def tolerance_factor(evidence: Evidence) -> float | None:
    """K, the factor by which the tolerance could grow before a rejected control was accepted.

    ``K = 1 + (-margin) / tolerance``; None where nothing was rejected, or where there is no tolerance to grow. The
    closer to 1, the finer the error that the control notices: a statement whose negative controls all have a K of
    1e9 would pass with a tolerance a billion times too wide.
    """
    if not evidence.tolerance > 0 or not evidence.margin < 0 or math.isinf(evidence.margin):
        return None
    return 1 - evidence.margin / evidence.tolerance


@dataclass(frozen=True)
class AssumptionControl:
    """A check of the assumptions: an instance that must be vacuous, or one that is just inside.

    ``assumption`` is the beginning of the name of the assumption that must fail; empty for an instance inside.
    """

    name: str
    instance: Any
    assumption: str = ""

    def passed(self, assumptions: Callable[[Any], Any]) -> bool:
        """Whether just this assumption fails on the instance, or none where it is inside."""
        return not self.complaint(assumptions)

    def complaint(self, assumptions: Callable[[Any], Any]) -> str:
        """What came out otherwise, as it follows the control's name; empty where nothing did."""
        failed = [a.name for a in assumptions(self.instance) if not a.satisfied]
        told = ", ".join(map(repr, failed))
        if not self.assumption:
            return f"is not inside: it fails {told}" if failed else ""
        if any(name.startswith(self.assumption) for name in failed):
            return ""
        return (
            f"does not fail {self.assumption!r}, but {told}"
            if failed
            else f"does not fail {self.assumption!r}"
        )
