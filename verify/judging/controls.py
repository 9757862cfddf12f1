"""Controls: checks of the check, as data. Of the claim (must it hold or be rejected?) and of its assumptions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from verify.judging.evidence import Context, Evidence


@dataclass(frozen=True)
class Control:
    """A check of the check: an instance and altered arguments with a known answer, as data.

    A negative control (``must_hold=False``) must be rejected by ``evidence``: margin < 0. A refuted form also wants a
    positive one: a true variant that the same code must accept. ``evidence`` is the statement's own function, or a
    named variant of it where the claim is altered by more than an argument.
    """

    name: str
    evidence: Callable[..., Evidence]
    instance: Any
    altered: Mapping[str, Any] = field(default_factory=dict)
    must_hold: bool = False

    def judge(self, context: Context) -> Evidence:
        """The evidence on the control's instance under its altered arguments."""
        return self.evidence(self.instance, context, **self.altered)

    def passed(self, context: Context) -> bool:
        """Whether the evidence came out as it must."""
        evidence = self.judge(context)
        return not math.isnan(evidence.margin) and evidence.holds == self.must_hold


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
        failed = [a.name for a in assumptions(self.instance) if not a.satisfied]
        if not self.assumption:
            return not failed
        return any(name.startswith(self.assumption) for name in failed)
