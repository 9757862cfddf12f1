"""A share of a sweep's points: every n-th one, so that shares take about the same time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dynamics.validation import shown


@dataclass(frozen=True)
class Shard:
    """The ``number``-th of ``count`` shares, from 1 on; the first of one is all points."""

    number: int = 1
    count: int = 1

    def numbers(self, size: int) -> range:
        """The numbers of the points of this share, among ``size``."""
        return range(self.number - 1, size, self.count)

    def apart_from(self, other: Shard) -> bool:
        """Whether the two can have no point in common."""
        return self.count == other.count and self.number != other.number

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


ALL = Shard()
"""Every point."""


def read_shard(argument: str, text: str) -> Shard:
    """The share that ``i/n`` names; raises ValueError, naming ``argument``, for anything but 1/n to n/n."""
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text) if isinstance(text, str) else None
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"{argument}: expected i/n with i from 1 to n, such as 1/4, got {shown(text)}")
    return Shard(int(found[1]), int(found[2]))
