"""The networks in a training checkpoint: under which name each lies, and which averages of them are left out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nets.checkpoints.batchnorm_biases import has_norms
from nets.checkpoints.state_dicts import has_checksum, read_content, read_state_dict

DEEPEST = 8
"""How deep a network may lie in a file."""

AVERAGE = re.compile(r"(^|[._])(ema|swa|avg|averaged?|shadow|polyak)([._]|$)", re.IGNORECASE)
"""Names of running averages of a network, kept beside it."""

NETWORK = re.compile(
    r"encoder|student|teacher|generator|discriminator|online|target|momentum|(^|_)(ema|model|net|network|backbone|tower)"
    r"(_|$)|^net[A-Z]",
)
"""Parts of a model that are networks of their own where there are several, as in contrastive training."""


@dataclass(frozen=True)
class FoundNetwork:
    """One network of a checkpoint: where it lies in the file (empty: it is all of it), and its tensors by name."""

    place: str
    tensors: Mapping[str, torch.Tensor]

    @property
    def layout(self) -> dict[str, tuple[int, ...]]:
        """Shapes by name: those of a network and of its average are equal."""
        return {name: () if t.is_nested else tuple(t.shape) for name, t in self.tensors.items()}

    def is_within(self, other: FoundNetwork) -> bool:
        """Whether each of its tensors has one of the same name and shape there, as those of an average have.

        Words that all names of one of them begin with, such as ``module.``, do not count.
        """
        mine, theirs = (
            {name.removeprefix(_shared_prefix(one.tensors)): shape for name, shape in one.layout.items()}
            for one in (self, other)
        )
        return mine.items() <= theirs.items()


@dataclass(frozen=True)
class FoundNetworks:
    """The networks taken from a checkpoint, and the places of averages of them that were not.

    ``verified``: whether the file carries checksums; damage to one without could not be seen.
    """

    taken: tuple[FoundNetwork, ...]
    left_out: tuple[str, ...] = ()
    verified: bool = False


def networks_in(path: str | Path) -> FoundNetworks:
    """Every network with batch normalisation in a checkpoint, however training scripts wrap it.

    Beside the network may stand whatever ``torch.load(weights_only=True)`` reads: scalars, losses, the state of an
    optimiser or of random generators. Several networks (a list, two encoders, generator and discriminator) are several;
    of a network and its running average the network is taken, and the average named.

    Args:
        path: a ``.safetensors`` file, or one that ``torch.save`` wrote.
    Raises:
        ValueError: as :func:`nets.checkpoints.state_dicts.read_state_dict`; without any normalisation the one network
            is what that function reads.
    """
    found = list(_within(read_content(path), "", DEEPEST, set()))
    if not found:
        return FoundNetworks((FoundNetwork("", read_state_dict(path)),), verified=has_checksum(path))
    trained = [network for network in found if not AVERAGE.search(network.place)]
    averages = [n for n in found if n not in trained and any(n.is_within(t) for t in trained)]
    left_out = tuple(network.place for network in averages)
    taken = tuple(network for network in found if network.place not in left_out)
    return FoundNetworks(taken, left_out, has_checksum(path))


def _within(content: Any, place: str, depth: int, seen: set[int]) -> Iterator[FoundNetwork]:
    """The networks in one part of a file, in its order; what stands in several places is one network, at the first."""
    if depth == 0 or id(content) in seen:
        return
    seen.add(id(content))
    if isinstance(content, list | tuple):
        content = dict(enumerate(content))
    if not isinstance(content, Mapping):
        return
    tensors = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if has_norms(tensors):
        yield from _parts(place, tensors)
        return
    for name, part in content.items():
        yield from _within(part, f"{place}.{name}" if place else str(name), depth - 1, seen)


def _parts(place: str, tensors: Mapping[str, torch.Tensor]) -> Iterator[FoundNetwork]:
    """One state dict as its networks: those under names such as ``encoder_q`` and ``encoder_k``, else all in one.

    A network whose average lies among its own tensors, under a name such as ``ema``, is two.
    """
    prefix = _shared_prefix(tensors)
    heads = dict.fromkeys(name.removeprefix(prefix).partition(".")[0] for name in tensors)
    for average in filter(AVERAGE.search, heads):
        start = f"{prefix}{average}."
        twin = {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}
        others = {name: tensor for name, tensor in tensors.items() if not name.startswith(start)}
        own = {name.removeprefix(prefix): tensor for name, tensor in others.items()}
        shared = FoundNetwork("", twin).layout.items() <= FoundNetwork("", own).layout.items()
        if shared and has_norms(twin):
            yield from _parts(place, others)
            yield FoundNetwork(".".join(filter(None, (place, prefix + average))), twin)
            return
    groups: dict[str, dict[str, torch.Tensor]] = defaultdict(dict)
    for name, tensor in tensors.items():
        head, dot, rest = name.removeprefix(prefix).partition(".")
        groups[head if dot else ""][rest if dot else name] = tensor
    named = {head: part for head, part in groups.items() if NETWORK.search(head) and has_norms(part)}
    numbered = any(head[-1].isdigit() for head in named)  # stages of one network are numbered too
    layouts = [FoundNetwork(head, part).layout for head, part in named.items()]
    if len(named) < 2 or (numbered and any(layout != layouts[0] for layout in layouts)):
        yield FoundNetwork(place, tensors)
        return
    for head, part in named.items():
        yield FoundNetwork(".".join(filter(None, (place, prefix + head))), part)
    remaining = {
        name: tensor
        for name, tensor in tensors.items()
        if name.removeprefix(prefix).partition(".")[0] not in named
    }
    if has_norms(remaining):
        yield FoundNetwork(".".join(filter(None, (place, "(the rest)"))), remaining)


def _shared_prefix(tensors: Mapping[str, torch.Tensor]) -> str:
    """The words that all names begin with, such as ``module.``."""
    prefix = ""
    while True:
        heads = {name.removeprefix(prefix).partition(".")[0] for name in tensors}
        if len(heads) != 1 or not all("." in name.removeprefix(prefix) for name in tensors):
            return prefix
        prefix += f"{heads.pop()}."
