"""Seeds and random streams: every network has a seed of its own, and a stream for every purpose and epoch."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import torch

from dynamics.validation import integer


def network_seeds(seed: int | Sequence[int], count: int) -> list[int]:
    """One seed per network: spawned from a single integer, or given one by one.

    Network s gets the same seed whatever ``count`` is, so that it can be trained again alone with
    ``seed=[network_seeds(seed, count)[s]]``. Raises TypeError or ValueError on what is no
    seed, and ValueError on a wrong number of them.
    """
    if isinstance(seed, Sequence):
        if len(seed) != count:
            raise ValueError(f"seed: expected one seed for each of the {count} networks, got {len(seed)}")
        return [integer("seed", own, least=0) for own in seed]
    children = np.random.SeedSequence(integer("seed", seed, least=0)).spawn(count)
    return [int(child.generate_state(1, np.uint64)[0]) for child in children]


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
