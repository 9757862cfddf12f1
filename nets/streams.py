"""Random streams of deep experiments: one for every network, purpose and epoch, so that a position is just a number."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """What a stream is for."""

    TEACHER = 0
    START = 1
    TRAINING = 2
    ORDER = 3
    EVALUATION = 4
    BALANCE = 5


def stream(seed: int, purpose: Purpose, epoch: int = 0) -> np.random.Generator:
    """The generator of one network (by its seed), purpose and epoch; independent of every other."""
    return np.random.Generator(np.random.SFC64(_sequence(seed, purpose, epoch)))


def device_stream(seed: int, purpose: Purpose, epoch: int, device: torch.device) -> torch.Generator:
    """The same on a device; gives other numbers of the same law."""
    state = _sequence(seed, purpose, epoch).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))


def _sequence(seed: int, purpose: Purpose, epoch: int) -> np.random.SeedSequence:
    return np.random.SeedSequence((int(seed), int(purpose), int(epoch)))
