"""What reaches the pretended device, counted: launches, waits, copies, and the memory of its tensors."""

from __future__ import annotations

import sys
import weakref
from collections import Counter
from dataclasses import dataclass, field
from types import FrameType

import torch

from tests.pretended_graphs import Recording


@dataclass
class Traffic:
    """What reached the device: ``launches``, ``waits``, copies ``to_device`` and ``to_host`` (which wait), by place.

    ``pageable``: copies to the device that are not from pinned memory, or not asked for as ``non_blocking``.

    ``held`` and ``peak``: bytes of its tensors now, and the most there were. ``free``: bytes it says to have left.
    """

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, Counter[str]] = field(default_factory=dict)
    held: int = 0
    peak: int = 0
    free: int = 2**36
    recording: Recording | None = None
    _sharing: Counter[int] = field(default_factory=Counter)

    def add(self, kind: str, operation: str) -> None:
        if self.recording is not None:
            if kind != "launches":
                raise RuntimeError(f"{operation}: the host and the device meet while a graph is recorded")
            return
        self.counts[kind] += 1
        self.places.setdefault(kind, Counter())[f"{_asked_at()} {operation}"] += 1

    def hold(self, tensor: torch.Tensor, values: torch.Tensor) -> None:
        """Count the memory of a tensor once, however many views of it there are, until the last of them is gone."""
        storage = values.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        if not self._sharing[place]:
            self.held += size
            self.peak = max(self.peak, self.held)
        self._sharing[place] += 1
        weakref.finalize(tensor, self._let_go, place, size)

    def _let_go(self, place: int, size: int) -> None:
        self._sharing[place] -= 1
        if not self._sharing[place]:
            self.held -= size

    @property
    def launches(self) -> int:
        return self.counts["launches"]

    @property
    def waits(self) -> int:
        """Times the host stands still, copies to it among them."""
        return self.counts["waits"] + self.counts["to_host"]

    @property
    def copies(self) -> int:
        """Copies from the host."""
        return self.counts["to_device"]

    @property
    def pageable(self) -> int:
        """Copies from the host for which it waits."""
        return self.counts["pageable"]


def _asked_at() -> str:
    """File and line of the package's code that asked for the operation."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if "pretended_" not in file and "site-packages" not in file:
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"
