"""Fresh samples for every network of an ensemble: one random stream per network, drawn in blocks of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch

from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian

BLOCK_VALUES = {"cpu": 2**15, "cuda": 2**18}
"""Numbers drawn at once for one network: few enough to stay in cache on a CPU, enough to fill a GPU."""


class RandomSource(Protocol):
    """The random numbers of one network, on the device where it is trained."""

    def normal_(self, rows: torch.Tensor) -> None:
        """Overwrite a contiguous tensor with standard normals."""

    def uniform(self, shape: tuple[int, ...]) -> torch.Tensor:
        """Float64 uniforms on [0, 1)."""


class _HostSource:
    def __init__(self, seed: int) -> None:
        self._rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))

    def normal_(self, rows: torch.Tensor) -> None:
        values = rows.numpy()  # shares its memory with the tensor
        self._rng.standard_normal(out=values, dtype=values.dtype)

    def uniform(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.from_numpy(self._rng.random(shape))


class _DeviceSource:
    def __init__(self, seed: int, device: torch.device) -> None:
        self._device = device
        self._generator = torch.Generator(device).manual_seed(seed)

    def normal_(self, rows: torch.Tensor) -> None:
        rows.normal_(generator=self._generator)

    def uniform(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.rand(shape, generator=self._generator, device=self._device, dtype=torch.float64)


class FreshBatches:
    """An endless run of batches ``(S, d, B)``: network s sees the stream of its own seed and of no other.

    The batch axis is last, the layout in which the gradient is fastest. Blocks of steps are drawn at once into one
    reused buffer of S * max(d B, ``BLOCK_VALUES``) numbers, which bounds the memory; the block length depends on
    (d, B) only, so the stream of a network does not depend on its neighbours or on the number of steps.

    On a CPU the normals come from NumPy's ziggurat over SFC64 (about twice as fast as ``torch.Tensor.normal_``
    in float64, and every value carries 53 random bits); on CUDA from a ``torch.Generator`` on the device. The
    two give different samples of the same law.
    """

    def __init__(
        self,
        measure: InputMeasure,
        seeds: Sequence[int],
        batch_size: int,
        *,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.block = max(1, BLOCK_VALUES[device.type] // (measure.dim * batch_size))
        shape = (len(seeds), self.block, measure.dim, batch_size)
        self._buffer = torch.empty(shape, device=device, dtype=dtype)
        self._fill = _filler(measure, device, dtype)
        on_host = device.type == "cpu"
        self._sources: list[RandomSource] = [
            _HostSource(seed) if on_host else _DeviceSource(seed, device) for seed in seeds
        ]
        self._next = self.block

    def __next__(self) -> torch.Tensor:
        """The next batch: a view, overwritten when the block it belongs to is used up."""
        if self._next == self.block:
            for source, rows in zip(self._sources, self._buffer, strict=True):
                self._fill(source, rows)
            self._next = 0
        self._next += 1
        return self._buffer[:, self._next - 1]

    def __iter__(self) -> FreshBatches:
        return self


Fill = Callable[[RandomSource, torch.Tensor], None]
"""Overwrites ``rows (steps, d, B)`` with samples drawn from a source."""


def _filler(measure: InputMeasure, device: torch.device, dtype: torch.dtype) -> Fill:
    if isinstance(measure, IsotropicGaussian):
        return _isotropic(measure.std)
    if isinstance(measure, BiasedGaussian):
        return _biased
    if isinstance(measure, EmpiricalMeasure):
        return _empirical(measure, device, dtype)
    raise TypeError(f"measure: expected a measure that networks can sample, got {type(measure).__name__}")


def _isotropic(std: float) -> Fill:
    def fill(source: RandomSource, rows: torch.Tensor) -> None:
        source.normal_(rows)
        if std != 1:
            rows.mul_(std)

    return fill


def _biased(source: RandomSource, rows: torch.Tensor) -> None:
    inputs = torch.empty_like(rows[:, :-1], memory_format=torch.contiguous_format)
    source.normal_(inputs)
    rows[:, :-1] = inputs
    rows[:, -1] = 1


def _empirical(measure: EmpiricalMeasure, device: torch.device, dtype: torch.dtype) -> Fill:
    samples = torch.tensor(measure.samples, device=device, dtype=dtype)
    count = samples.shape[0]
    weights = np.full(count, 1 / count) if measure.weights is None else np.asarray(measure.weights)
    cumulative = torch.tensor(np.cumsum(weights / weights.sum())[:-1], device=device)

    def fill(source: RandomSource, rows: torch.Tensor) -> None:
        steps, _, batch_size = rows.shape
        # The last edge is left out, so rounding in the sum cannot point past the last sample.
        chosen = torch.searchsorted(cumulative, source.uniform((steps, batch_size)), right=True)
        rows.copy_(samples[chosen].transpose(1, 2))

    return fill
