"""One SGD step of stacked two-layer students with biases, and the batches that it is taken on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nets.arrays import ArrayModule
from nets.specialization.setting import Labelled, SpecializationSetting, batch_stream

BLOCK = 16
"""Steps whose batches are gathered at once."""


class StackedStudents:
    """S students and the buffers of a step, which overwrites ``W (S, d + 1, n)`` and ``V (S, n + 1, c)``."""

    def __init__(self, setting: SpecializationSetting, W: Any, V: Any, xp: ArrayModule) -> None:
        S, B, n, c = W.shape[0], setting.batch_size, setting.n, setting.c
        self.W, self.V = W, V
        self._xp = xp
        self._rate = setting.lr / B
        self._hidden = xp.empty((S, B, n + 1))
        self._hidden[...] = 1  # the last column is never overwritten: its fan-out is the output bias
        self._nodes = self._hidden[..., :n]
        self._residual = xp.empty((S, B, c))
        # One column more than is read, that of the bias: whole rows are processed faster than parts of rows.
        self._back, self._gate = xp.empty((S, B, n + 1)), xp.empty((S, B, n + 1))
        self._back_nodes = self._back[..., :n]
        self._grad_W, self._grad_V = xp.empty(tuple(W.shape)), xp.empty(tuple(V.shape))

    def step(self, x: Any, target: Any) -> None:
        """One SGD step on batches ``x (S, B, d + 1)`` (last entry 1) with teacher outputs ``target (S, B, c)``."""
        xp, hidden, residual, back = self._xp, self._hidden, self._residual, self._back
        xp.matmul(x, self.W, out=self._nodes)
        xp.relu(hidden, out=hidden)
        xp.matmul(hidden, self.V, out=residual)
        xp.subtract(residual, target, out=residual)
        xp.multiply(residual, self._rate, out=residual)
        xp.matmul(residual, self.V.mT, out=back)
        xp.sign(hidden, out=self._gate)  # 0 or 1 after the ReLU
        xp.multiply(back, self._gate, out=back)
        xp.matmul(x.mT, self._back_nodes, out=self._grad_W)
        xp.matmul(hidden.mT, residual, out=self._grad_V)
        xp.subtract(self.W, self._grad_W, out=self.W)
        xp.subtract(self.V, self._grad_V, out=self.V)


class Batches:
    """Endless batches x ``(S, B, d + 1)`` and f*(x) ``(S, B, c)``, drawn with replacement from each network's set."""

    def __init__(
        self, setting: SpecializationSetting, training: Labelled, seeds: Sequence[int], xp: ArrayModule
    ) -> None:
        self._xp, self._size = xp, setting.batch_size
        self._streams = [batch_stream(seed) for seed in seeds]
        self._data = [xp.asarray(part) for part in training]
        draws = BLOCK * self._size
        self._block = [xp.empty((len(seeds), draws, part.shape[-1])) for part in training]
        self._next = BLOCK

    def __next__(self) -> tuple[Any, Any]:
        return self.at(self.following(1).start)

    def following(self, most: int) -> range:
        """Places in the block of at most so many batches, one at least, which come next."""
        if self._next == BLOCK:
            self._draw()
        first = self._next
        self._next = min(first + most, BLOCK)
        return range(first, self._next)

    def at(self, place: int) -> tuple[Any, Any]:
        """The batch at a place in the block: views of the same memory, whichever block it is."""
        x, target = (part[:, place * self._size : (place + 1) * self._size] for part in self._block)
        return x, target

    def _draw(self) -> None:
        count, draws = self._data[0].shape[1], self._block[0].shape[1]
        drawn = np.stack([stream.integers(0, count, draws) for stream in self._streams])
        index = self._xp.as_index(drawn)
        for source, block in zip(self._data, self._block, strict=True):
            self._xp.take_rows(source, index, out=block)
        self._next = 0
