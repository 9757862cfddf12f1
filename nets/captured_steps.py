"""Steps on an accelerator, recorded once as a graph and replayed: one launch in place of one for every operation.

The kernels of a step are small, and what a step costs there is their launches. A CUDA graph launches a whole block of
steps at once. This was built and tested on a pretended device, which records and replays operations on a CPU; on a real
CUDA device it has not been run yet. A test marked ``gpu`` compares the two there, and :data:`SWITCH` declines it.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Hashable
from typing import Protocol

import torch

from dynamics.validation import one_of

SWITCH = "LUCKPROOF_CAPTURED"
"""Environment variable: ``auto``, the default; ``never``."""

Body = Callable[[], object]
"""Some steps. What must outlive a call stands in tensors that were there before, and are the same at every call; so is
every number. No random number is drawn in it, and nothing copied between host and device, or waited for."""


class NotCapturedWarning(RuntimeWarning):
    """Steps could not be recorded as a graph, and are launched one operation after the other."""


class GraphMaker(Protocol):
    """Makes graphs on one device."""

    def warm_up(self, body: Body) -> None:
        """Run the body as it is, where :meth:`record` will: libraries set themselves up at the first use."""

    def record(self, body: Body) -> Callable[[], None]:
        """Go through the body without doing it; what is returned does it, at every call. Raises RuntimeError."""


_ONE_AT_A_TIME = threading.Lock()
"""torch records no two graphs at once in a process."""


class CudaGraphs:
    """CUDA graphs, recorded on a stream of their own, and replayed on the current one."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def warm_up(self, body: Body) -> None:
        """Run the body on the stream of recording, in its turn between what is before and after."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            body()
        current.wait_stream(self._stream)

    def record(self, body: Body) -> Callable[[], None]:
        """The body as a graph; other threads may use the device meanwhile."""
        graph = torch.cuda.CUDAGraph()
        # The outer stream is left also where a broken recording does not leave its own.
        with (
            _ONE_AT_A_TIME,
            torch.cuda.stream(self._stream),
            torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"),
        ):
            body()
        return graph.replay


GRAPH_MAKERS: dict[str, Callable[[torch.device], GraphMaker]] = {"cuda": CudaGraphs}
"""By the type of a device; on the others, a CPU, steps are always run as they are."""


class CapturedSteps:
    """Runs blocks of steps; on an accelerator each is run as it is at first, recorded at its second time, and replayed.

    So every run counts, that which warms up too, and a block that comes only once is not recorded. Where a recording
    fails, a :class:`NotCapturedWarning` says so, once, and all blocks are run as they are from then on.

    Raises:
        ValueError: :data:`SWITCH` is set to another word.
    """

    def __init__(self, device: torch.device) -> None:
        make = GRAPH_MAKERS.get(device.type)
        wanted = (
            make is not None and one_of(SWITCH, os.environ.get(SWITCH, "auto"), ("auto", "never")) == "auto"
        )
        self._maker = make(device) if make is not None and wanted else None
        self._replays: dict[Hashable, Callable[[], None] | None] = {}

    @property
    def recording(self) -> bool:
        """Whether blocks are recorded; without it they are run as they are."""
        return self._maker is not None

    def run(self, key: Hashable, body: Body) -> None:
        """Run the block ``key``, whose ``body`` does the same on the same tensors whenever it is given."""
        if self._maker is None:
            body()
        elif key not in self._replays:
            self._replays[key] = None
            self._maker.warm_up(body)
        else:
            replay = self._replays[key] or self._record(self._maker, key, body)
            (replay or body)()

    def _record(self, maker: GraphMaker, key: Hashable, body: Body) -> Callable[[], None] | None:
        try:
            replay = maker.record(body)
        except RuntimeError as error:  # the body was not run: nothing has moved
            self._maker = None
            words = f"steps are launched one operation after the other, they could not be recorded: {error}"
            warnings.warn(NotCapturedWarning(words), stacklevel=3)
            return None
        self._replays[key] = replay
        return replay
