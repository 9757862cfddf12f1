"""How a counterexample is confirmed: by other formulas in other arithmetic, or by measuring again on fresh data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verify.judging.evidence import Evidence


@dataclass(frozen=True)
class Precise:
    """Other formulas in other arithmetic: ``digits`` decimal digits (0: exact, in rational arithmetic)."""

    function: Callable[..., Evidence]
    digits: int

    def __call__(self, instance: Any, **altered: Any) -> Evidence:
        return self.function(instance, **altered)

    def __str__(self) -> str:
        return f"other formulas, {self.digits} digits" if self.digits else "other formulas, exact arithmetic"


@dataclass(frozen=True)
class Replication:
    """The same measurement on ``seeds`` fresh seeds: it confirms the effect, not the code that measures it."""

    function: Callable[..., Evidence]
    seeds: int

    def __call__(self, instance: Any, **altered: Any) -> Evidence:
        return self.function(instance, **altered)

    def __str__(self) -> str:
        return f"replicated on {self.seeds} fresh seed{'s' if self.seeds != 1 else ''}"


Confirmation = Precise | Replication
