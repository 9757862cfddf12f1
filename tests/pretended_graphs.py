"""Graphs of the pretended device: operations are recorded with their tensors, and replayed on the same memory.

As on CUDA nothing is done while recording. Operations in place are only noted down; others are carried out for the
memory of their result, whose values mean nothing before a replay. A wait, a copy between host and device, or a random
number is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

Operation = tuple[Any, Any, dict[str, Any], Any]
"""A function, its arguments, its keywords, and what it made while it was recorded, None where it writes in place."""


_UNDECLARED = {"aten::native_batch_norm": (3, 4)}
"""Arguments that an operation writes without saying so: the running mean and variance."""


class Recording:
    """Operations in their order."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def run(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
        """Note an operation down; returns the tensors that a replay will write."""
        if torch.Tag.nondeterministic_seeded in func.tags:
            raise RuntimeError(f"{func}: a random number while a graph is recorded")
        written = _written(func, args, kwargs)
        if written is None:
            untouched = [
                arg.clone() if place in _UNDECLARED.get(func._schema.name, ()) else arg
                for place, arg in enumerate(args)
            ]
            made = func(*untouched, **kwargs)
            self.operations.append((func, args, kwargs, made))
            return made
        self.operations.append((func, args, kwargs, None))
        return written

    def replay(self) -> None:
        """Do them all again, each result in the memory that the recording gave it, where it does not stay afterwards.

        (On CUDA the graph's own memory is used again, in it and by others: NaN stands for what may be found there.)
        """
        for func, args, kwargs, made in self.operations:
            found = func(*args, **kwargs)
            for target, value in (
                zip(_tensors(made), _tensors(found), strict=True) if made is not None else ()
            ):
                target.copy_(value)
        for _, args, kwargs, made in self.operations:
            given = {tensor.data_ptr() for tensor in _tensors((args, kwargs))}
            for target in _tensors(made):
                if target.is_floating_point() and target.data_ptr() not in given:
                    target.fill_(math.nan)


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def _written(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """What an operation in place returns, the tensors that it writes; None where its results are new."""
    schema = func._schema
    if not schema.is_mutable:
        return None
    values = dict(zip((argument.name for argument in schema.arguments), args, strict=False)) | kwargs
    held = [
        values[argument.name]
        for argument in schema.arguments
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    if len(held) != len(schema.returns):
        raise NotImplementedError(f"{func}: writes in place and returns something new")
    return held[0] if len(held) == 1 else tuple(held)


class PretendedGraphs:
    """A maker of graphs, see :mod:`nets.captured_steps`, for the device whose operations ``begin`` sends it.

    ``begin`` sends what follows to a recording, and ends that with None; ``launched`` is told of a replay.
    """

    def __init__(self, begin: Callable[[Recording | None], None], launched: Callable[[], None]) -> None:
        self._begin, self._launched = begin, launched

    def warm_up(self, body: Callable[[], object]) -> None:
        body()

    def record(self, body: Callable[[], object]) -> Callable[[], None]:
        recording = Recording()
        self._begin(recording)
        try:
            body()
        finally:
            self._begin(None)

        def replay() -> None:
            self._launched()
            recording.replay()

        return replay
