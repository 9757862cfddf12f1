"""A claim proved for all its instances at once, by machine: subdivision of what is left to prove after a reduction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    """What a proof by subdivision came to.

    Attributes:
        proved: whether every interval was decided in the claim's favour.
        intervals: how many there were.
        undecided: where it stopped, empty when proved.
    """

    proved: bool
    intervals: int
    undecided: str = ""

    def __str__(self) -> str:
        pieces = f"{self.intervals:,} interval{'s' if self.intervals != 1 else ''}"
        return f"proved for all instances, on {pieces}" if self.proved else "not proved"


Proving = Callable[..., Proof]
"""``prove(*, altered arguments)``: the proof of the claim, or of an altered one."""
