"""Batches for ensembles of deep students: fresh samples every epoch, or a fixed set in a new order."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from dynamics.boundary import check_fields, checked
from dynamics.memory import check_fits
from dynamics.validation import integer, number, positive_int
from nets.deep.blocks import side_by_side
from nets.devices import require_dtype
from nets.pinned import on_device, sent
from nets.streams import Purpose, checked_seeds, device_stream, stream
from nets.tensors import real_tensor

BLOCK_VALUES = 2**18
"""Numbers that are drawn, or gathered from a fixed set, at once for one network."""

Batch = tuple[Tensor, Tensor | None]
"""Inputs side by side, ``(B, S d)`` or ``(B, S c, h, w)``, and labels ``(B, S)`` or None."""


class BatchSource(Protocol):
    """Where batches come from. An epoch has a fixed number of steps and depends on nothing but its own number."""

    @property
    def steps(self) -> int:
        """Batches in an epoch."""

    def batches(
        self, epoch: int, networks: slice, device: torch.device, dtype: torch.dtype
    ) -> Iterator[Batch]:
        """The batches of one epoch for some of the networks; each is overwritten when the next is asked for."""

    def described(self) -> Mapping[str, Any]:
        """What the source is, in plain JSON: a run is continued only on a source with the same description."""


@dataclass(frozen=True)
class FreshGaussian:
    """``N(0, std^2 I)`` samples that are never seen again: network s draws from the streams of its own seed.

    On CUDA the streams are the device's own: other samples of the same law.

    Args:
        inputs: shape of one input, as in the architecture.
        seeds: one for each network.
        batch_size: samples of one step.
        samples: those of one epoch (the authors' 100,000); an incomplete last batch is left out.
        std: standard deviation of every coordinate.
    Raises:
        ValueError, TypeError: naming the field; also where an epoch has not one full batch.
    Memory: ``S max(BLOCK_VALUES, B d)`` numbers.
    """

    inputs: tuple[int, ...]
    seeds: tuple[int, ...]
    batch_size: int = 64
    samples: int = 100_000
    std: float = 10.0

    def __post_init__(self) -> None:
        check_fields(self)
        for name in ("batch_size", "samples"):
            positive_int(name, getattr(self, name))
        for size in self.inputs:
            positive_int("inputs", size)
        number("std", self.std, positive=True)
        object.__setattr__(self, "seeds", checked_seeds(self.seeds))
        if self.steps < 1:
            raise ValueError(f"samples: expected at least one batch of {self.batch_size}, got {self.samples}")

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.samples // self.batch_size

    @checked
    def batches(
        self, epoch: int, networks: slice, device: torch.device, dtype: torch.dtype
    ) -> Iterator[Batch]:
        _check_asked(epoch, self.seeds[networks], dtype)
        return self._drawn(epoch, networks, device, dtype)

    def _drawn(
        self, epoch: int, networks: slice, device: torch.device, dtype: torch.dtype
    ) -> Iterator[Batch]:
        seeds = self.seeds[networks]
        at_once = max(1, min(self.steps, BLOCK_VALUES // (self.batch_size * math.prod(self.inputs))))
        shape = (len(seeds), at_once, self.batch_size, *self.inputs)
        block = torch.empty(shape, device=device, dtype=dtype)
        fills = [_normals(seed, Purpose.TRAINING, epoch, device) for seed in seeds]
        for start in range(0, self.steps, at_once):
            for fill, rows in zip(fills, block, strict=True):
                fill(rows)
            block.mul_(self.std)
            for index in range(min(at_once, self.steps - start)):
                yield side_by_side(block[:, index]), None

    def described(self) -> Mapping[str, Any]:
        return {"source": "fresh", **_plain(self)}


class FixedSamples:
    """A finite training set, every epoch in a new order of each network's own; an incomplete last batch is left out.

    Args:
        x: inputs ``(N, *inputs)`` shared by all networks, or ``(S, N, *inputs)``.
        inputs: shape of one input.
        seeds: one for each network.
        batch_size: samples of one step.
        labels: integers ``(N,)`` for a classification, or None.
        name: tells a checkpoint what the samples are.
    Raises:
        ValueError, TypeError: shapes that do not go together, or not one full batch.
    """

    @checked
    def __init__(
        self,
        x: Tensor,
        inputs: tuple[int, ...],
        seeds: Sequence[int],
        *,
        batch_size: int = 64,
        labels: Tensor | None = None,
        name: str = "given",
    ) -> None:
        inputs = tuple(positive_int("inputs", size) for size in inputs)
        real_tensor("x", x)
        self.inputs, self.batch_size, self.name = inputs, positive_int("batch_size", batch_size), name
        self.seeds = checked_seeds(seeds)
        if x.dim() not in (len(inputs) + 1, len(inputs) + 2):
            raise ValueError(f"x: expected (N, *{inputs}) or (S, N, *{inputs}), got {tuple(x.shape)}")
        shared = x.dim() == len(inputs) + 1
        self.x = x[None].expand(len(self.seeds), *x.shape) if shared else x
        self.labels = labels
        if labels is not None and (labels.is_floating_point() or labels.is_complex() or labels.is_quantized):
            raise TypeError(f"labels: expected integers, got {labels.dtype}")
        if self.x.shape[0] != len(self.seeds) or self.x.shape[2:] != inputs:
            raise ValueError(
                f"x: expected (N, *{inputs}) or ({len(self.seeds)}, N, *{inputs}), got {tuple(x.shape)}"
            )
        if labels is not None and labels.shape != self.x.shape[1:2]:
            raise ValueError(f"labels: expected ({self.x.shape[1]},), got {tuple(labels.shape)}")
        if self.steps < 1:
            raise ValueError(f"x: expected at least one batch of {batch_size} samples, got {self.x.shape[1]}")

    @classmethod
    @checked
    def gaussian(
        cls,
        inputs: tuple[int, ...],
        seeds: Sequence[int],
        *,
        samples: int,
        std: float = 10.0,
        batch_size: int = 64,
        dtype: torch.dtype = torch.float64,
    ) -> FixedSamples:
        """``samples`` Gaussian inputs of each network's own, drawn once. Memory: ``S samples d`` numbers."""
        shape = (positive_int("samples", samples), *(positive_int("inputs", size) for size in inputs))
        if samples < positive_int("batch_size", batch_size):
            raise ValueError(f"samples: expected at least one batch of {batch_size}, got {samples}")
        check_fits("samples", math.prod(shape) * len(seeds))
        number("std", std, positive=True)
        require_dtype(dtype)
        drawn = np.stack(
            [stream(seed, Purpose.TRAINING).standard_normal(shape) for seed in checked_seeds(seeds)]
        )
        x = torch.from_numpy(drawn).mul_(std).to(dtype)
        if not bool(x.isfinite().all()):
            raise ValueError(f"std: expected one with samples finite in {dtype}, got {std:g}")
        return cls(x, inputs, seeds, batch_size=batch_size, name=f"gaussian std {std:g}")

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return int(self.x.shape[1]) // self.batch_size

    @checked
    def batches(
        self, epoch: int, networks: slice, device: torch.device, dtype: torch.dtype
    ) -> Iterator[Batch]:
        _check_asked(epoch, self.seeds[networks], dtype)
        return self._drawn(epoch, networks, device, dtype)

    def _drawn(
        self, epoch: int, networks: slice, device: torch.device, dtype: torch.dtype
    ) -> Iterator[Batch]:
        seeds, samples = self.seeds[networks], self.x[networks]
        count, size = samples.shape[1], self.batch_size
        drawn = np.stack([stream(seed, Purpose.ORDER, epoch).permutation(count) for seed in seeds])
        orders = on_device(
            drawn, samples.device
        )  # once an epoch: one on the host would be copied at every use
        at_once = size * max(1, BLOCK_VALUES // (size * math.prod(self.inputs)))
        for start in range(0, self.steps * size, at_once):
            chosen = orders[:, start : min(start + at_once, self.steps * size)]
            rows = torch.stack([own[order] for own, order in zip(samples, chosen, strict=True)])
            rows = sent(rows, device).to(dtype)
            labels = None if self.labels is None else sent(self.labels[chosen].T, device)
            for row in range(0, rows.shape[1], size):
                known = None if labels is None else labels[row : row + size]
                yield side_by_side(rows[:, row : row + size]), known

    def described(self) -> Mapping[str, Any]:
        return {
            "source": "fixed",
            "name": self.name,
            "samples": int(self.x.shape[1]),
            "batch_size": self.batch_size,
            "seeds": list(self.seeds),
        }


def _check_asked(epoch: int, seeds: Sequence[int], dtype: torch.dtype) -> None:
    integer("epoch", epoch, least=0)
    require_dtype(dtype)
    if not seeds:
        raise ValueError("networks: expected one or more of the networks, got none")


def gaussian_inputs(
    inputs: tuple[int, ...],
    seeds: Sequence[int],
    samples: int,
    std: float = 10.0,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Gaussian inputs to evaluate on, ``(S, samples, *inputs)``: each network's from a stream of its own.

    Drawn on the host, so that they are the same on any device.
    """
    drawn = [stream(seed, Purpose.EVALUATION).standard_normal((samples, *inputs)) for seed in seeds]
    return torch.from_numpy(np.stack(drawn)).mul_(std).to(device, dtype)


def _normals(seed: int, purpose: Purpose, epoch: int, device: torch.device) -> Any:
    """A function that overwrites a contiguous tensor with the next standard normals of one stream."""
    if device.type == "cpu":
        rng = stream(seed, purpose, epoch)
        return lambda rows: rng.standard_normal(out=rows.numpy(), dtype=rows.numpy().dtype)
    generator = device_stream(seed, purpose, epoch, device)
    return lambda rows: rows.normal_(generator=generator)


def _plain(source: FreshGaussian) -> dict[str, Any]:
    return {
        "inputs": list(source.inputs),
        "seeds": list(source.seeds),
        "batch_size": source.batch_size,
        "samples": source.samples,
        "std": source.std,
    }
