"""Copies from the host to an accelerator for which the host does not wait."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def on_device(values: NDArray[Any], device: torch.device) -> torch.Tensor:
    """A copy of ``values`` on ``device``, which an accelerator takes in its turn, from pinned memory.

    (From ordinary memory the copy starts when everything before it is done, and the host waits for it.) torch keeps
    the pinned memory until the copy is done, and then for the next one.
    """
    if device.type == "cpu":
        return torch.tensor(values)
    dtype = torch.from_numpy(np.empty(0, values.dtype)).dtype
    held = torch.empty(values.shape, dtype=dtype, pin_memory=True)
    np.copyto(held.numpy(), values)
    return held.to(device, non_blocking=True)


def sent(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """A tensor on ``device``, from the host as :func:`on_device` has it; itself where it is there."""
    if values.device.type != "cpu" or device.type == "cpu":
        return values.to(device)
    held = torch.empty(values.shape, dtype=values.dtype, pin_memory=True).copy_(values)
    return held.to(device, non_blocking=True)
