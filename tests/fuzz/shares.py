"""How many cases each call has in the ordinary and in the deep run."""

from __future__ import annotations

from tests.fuzz.methods import CALLS

ORDINARY = 2
"""Cases of one call in the ordinary run."""
DEEP, DEEP_OF_SLOW = 110, 20
"""Cases of one call in the deep run."""


def cases_of(name: str) -> int:
    """Of the deep run."""
    return DEEP_OF_SLOW if CALLS[name].slow else DEEP
