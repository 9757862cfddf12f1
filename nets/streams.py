"""Seeds and random streams: every network has a seed of its own, and a stream for every purpose and epoch."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import torch

from dynamics.memory import check_size
from dynamics.validation import integer


def network_seeds(seed: int | Sequence[int], count: int) -> list[int]:
    """One seed for every network: spawned from a single integer, or given one by one.

    Network s gets the same seed whatever ``count`` is: ``seed=[network_seeds(seed, count)[s]]`` trains it again alone.

    Args:
        seed: an integer >= 0, or a sequence of ``count`` of them.
        count: number of networks.
    Returns:
        ``count`` integers below 2^64 (those of a sequence as they are).
    Raises:
        TypeError, ValueError: a seed that is no integer >= 0, or a sequence of another length.
    """
    check_size("count", integer("count", count, least=0))
    if isinstance(seed, Sequence) and not isinstance(seed, str | bytes):
        if len(seed) != count:
            raise ValueError(f"seed: expected one seed for each of the {count} networks, got {len(seed)}")
        return [integer("seed", own, least=0) for own in seed]
    children = np.random.SeedSequence(integer("seed", seed, least=0)).spawn(count)
    return [int(child.generate_state(1, np.uint64)[0]) for child in children]


def checked_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """A seed, an integer >= 0, for each of one or more networks; raises TypeError or ValueError."""
    if not len(seeds):
        raise ValueError("seeds: expected one for each network, got none")
    return tuple(integer("seeds", seed, least=0) for seed in seeds)


class Purpose(IntEnum):
    """What a network draws from a stream: each purpose has a stream of its own."""

    TEACHER = 0
    START = 1
    TRAINING = 2
    ORDER = 3
    EVALUATION = 4
    BALANCE = 5


def stream(seed: int, purpose: Purpose, epoch: int = 0) -> np.random.Generator:
    """The generator on the host for one network, purpose and epoch.

    Independent of every other: a training that is continued needs no state of it, only the number of the epoch.

    Args:
        seed: the network's own, as of :func:`network_seeds`.
        purpose: what is drawn.
        epoch: counted from 0; leave it out where the purpose has no epochs.
    """
    return np.random.Generator(np.random.SFC64(_sequence(seed, purpose, epoch)))


def device_stream(seed: int, purpose: Purpose, epoch: int, device: torch.device) -> torch.Generator:
    """The same on a device: other numbers than :func:`stream` gives, of the same law."""
    state = _sequence(seed, purpose, epoch).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))


def _sequence(seed: int, purpose: Purpose, epoch: int) -> np.random.SeedSequence:
    return np.random.SeedSequence((int(seed), int(purpose), int(epoch)))
