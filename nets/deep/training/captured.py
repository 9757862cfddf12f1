"""The steps of a deep training, which on an accelerator wait until there are several and are captured as one block."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from nets.captured_steps import CapturedSteps
from nets.deep.training.batches import BLOCK_VALUES
from nets.deep.training.descent import Classification, DeepDescent, Distillation, Objective

AT_ONCE = 16
"""Steps of a block; fewer where their samples are more than ``BLOCK_VALUES`` numbers for a network."""


class CapturedDescent:
    """Steps of ``descent``, one after the other, and their losses.

    On an accelerator, see :mod:`nets.captured_steps`, batches are put in fixed places and steps are taken block by
    block, at a change of the learning rate, or when the losses are asked for. A block whose learning rate is that of
    the block before is captured: rates that change at every step are not.

    Args:
        descent: what takes the steps.
        objective: that of ``descent``. Only those of this package are captured: another may change from step to step.
        device: of the students.
        count: networks S.
    Memory: on an accelerator S max(BLOCK_VALUES, B d) numbers for the samples of a block.
    """

    def __init__(self, descent: DeepDescent, objective: Objective, device: torch.device, count: int) -> None:
        self._descent, self._count = descent, count
        self._captured = CapturedSteps(device)
        self._in_blocks = self._captured.recording and type(objective) in (Distillation, Classification)
        self._found: list[Tensor] = []
        self._fixed: _Fixed | None = None
        self._waiting = 0
        self._rate = self._rate_before = 0.0

    def take(self, x: Tensor, labels: Tensor | None, rate: float) -> None:
        """One step of size ``rate`` on a batch, as that of :class:`DeepDescent`, now or before the losses are told."""
        if not self._in_blocks:
            self._found.append(self._descent.step(x, labels, rate))
            return
        if self._fixed is None:
            self._fixed = _Fixed(x, labels, self._count)
        fits = self._fixed.fits(x, labels)
        if rate != self._rate or not fits:
            self._take_waiting()
        if not fits:
            self._found.append(self._descent.step(x, labels, rate))
            return
        self._fixed.place(self._waiting, x, labels)
        self._waiting, self._rate = self._waiting + 1, rate
        if self._waiting == self._fixed.size:
            self._take_waiting()

    def losses(self) -> Tensor:
        """Batch losses ``(steps, S)`` of the steps since this was asked before."""
        self._take_waiting()
        losses = torch.stack(self._found)
        self._found = []
        return losses

    def _take_waiting(self) -> None:
        count, rate, fixed = self._waiting, self._rate, self._fixed
        if not count or fixed is None:
            return
        steps = partial(self._steps, fixed, count, rate)
        if rate == self._rate_before:
            self._captured.run((count, rate), steps)
        else:
            steps()
        self._found.extend(fixed.losses[:count].clone())
        self._waiting, self._rate_before = 0, rate

    def _steps(self, fixed: _Fixed, count: int, rate: float) -> None:
        for place in range(count):
            x, labels = fixed.batch(place)
            fixed.losses[place].copy_(self._descent.step(x, labels, rate))


class _Fixed:
    """Places for the batches of a block like the first one, and for their losses."""

    def __init__(self, x: Tensor, labels: Tensor | None, count: int) -> None:
        self.size = max(1, min(AT_ONCE, BLOCK_VALUES * count // x.numel()))
        self.losses = x.new_empty((self.size, count))
        self._x = x.new_empty((self.size, *x.shape))
        self._labels = None if labels is None else labels.new_empty((self.size, *labels.shape))

    def fits(self, x: Tensor, labels: Tensor | None) -> bool:
        """Whether a batch has the shapes of the first."""
        held = None if self._labels is None else self._labels.shape[1:]
        return x.shape == self._x.shape[1:] and (None if labels is None else labels.shape) == held

    def place(self, place: int, x: Tensor, labels: Tensor | None) -> None:
        self._x[place].copy_(x)
        if labels is not None and self._labels is not None:
            self._labels[place].copy_(labels)

    def batch(self, place: int) -> tuple[Tensor, Tensor | None]:
        return self._x[place], None if self._labels is None else self._labels[place]
