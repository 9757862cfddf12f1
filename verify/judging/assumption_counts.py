"""How many instances met each assumption of a statement, and the sentence that the statement says of them all."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from verify.judging.assumption import Assumption


@dataclass(frozen=True)
class AssumptionCount:
    """One assumption over several instances.

    Attributes:
        name: its words.
        met, failed: instances that satisfy it, and those that do not; an instance that is not asked counts as neither.
        smallest, largest: range of the margins; NaN where none could be evaluated.
    """

    name: str
    met: int
    failed: int
    smallest: float
    largest: float

    @property
    def asked(self) -> int:
        """Instances of which it was asked."""
        return self.met + self.failed


def counted(instances: Iterable[Sequence[Assumption]]) -> tuple[AssumptionCount, ...]:
    """Each assumption with its counts, in the order in which they were met first; one item an instance."""
    found: dict[str, list[Assumption]] = {}
    for assumptions in instances:
        for assumption in assumptions:
            found.setdefault(assumption.name, []).append(assumption)
    return tuple(_count(name, assumptions) for name, assumptions in found.items())


def in_a_sentence(assumptions: Callable[[Any], Sequence[Assumption]]) -> str:
    """What the function of the assumptions says of itself: the first paragraph of its docstring, in one line."""
    return " ".join((inspect.getdoc(assumptions) or "").split("\n\n")[0].split())


def _count(name: str, assumptions: Sequence[Assumption]) -> AssumptionCount:
    met = sum(assumption.satisfied for assumption in assumptions)
    margins = [a.margin for a in assumptions if not math.isnan(a.margin)] or [math.nan]
    return AssumptionCount(name, met, len(assumptions) - met, min(margins), max(margins))
