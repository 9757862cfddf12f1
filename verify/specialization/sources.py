"""The place of an item of the second paper with its provenance."""

from __future__ import annotations

from verify.judging import SPECIALIZATION, Source
from verify.specialization import DERIVED, REBUILT

__all__ = ["DERIVED", "WORDS", "source"]

WORDS = REBUILT


def source(number: str, note: str = WORDS) -> Source:
    """The place of an item, with its provenance."""
    return Source(SPECIALIZATION, number, note)
