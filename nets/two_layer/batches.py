"""Fresh samples for every network of an ensemble: one random stream per network, drawn in blocks of steps."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch

from dynamics.arrays import Array
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.random_stream import RandomStream
from nets.pinned import on_device

BLOCK_VALUES = {"cpu": 2**15, "cuda": 2**18}
"""Numbers drawn at once for one network: few enough to stay in cache on a CPU, enough to fill a GPU."""


class Atoms:
    """The samples of a discrete law on a device with their cumulative weights, built at the first batch."""

    def __init__(self, device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        self._made_of: tuple[object, object] | None = None
        self._samples = self._cumulative = torch.empty(0)

    def fill(self, rows: torch.Tensor, samples: Array, weights: Array | None, uniform: torch.Tensor) -> None:
        """Overwrite column b of batch s with the sample that ``uniform (s, b)`` on [0, 1) falls on."""
        if self._made_of is None or self._made_of[0] is not samples or self._made_of[1] is not weights:
            self._make(samples, weights)
            self._made_of = samples, weights
        # Without the last edge, 1, rounding of the sums cannot lead past the last sample.
        chosen = torch.searchsorted(self._cumulative, uniform, right=True)
        rows.copy_(self._samples[chosen].transpose(1, 2))

    def _make(self, samples: Array, weights: Array | None) -> None:
        count = len(samples)
        shares = np.full(count, 1 / count) if weights is None else weights
        self._samples = torch.tensor(samples, device=self._device, dtype=self._dtype)
        self._cumulative = torch.tensor(np.cumsum(shares / shares.sum())[:-1], device=self._device)


class HostStream:
    """The random numbers of one network on the CPU, from one NumPy generator."""

    def __init__(self, seed: int, atoms: Atoms) -> None:
        self.rng = np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))
        self._atoms = atoms

    def fill_normal(self, rows: torch.Tensor) -> None:
        """Overwrite ``rows`` with standard normals, drawn in the order of its elements."""
        inside = (
            rows if rows.is_contiguous() else torch.empty_like(rows, memory_format=torch.contiguous_format)
        )
        values = inside.numpy()  # shares its memory with the tensor
        self.rng.standard_normal(out=values, dtype=values.dtype)
        if inside is not rows:
            rows.copy_(inside)

    def fill_chosen(self, rows: torch.Tensor, samples: Array, weights: Array | None) -> None:
        """Overwrite each column of ``rows`` with a sample drawn by weight."""
        uniform = torch.from_numpy(self.rng.random((rows.shape[0], rows.shape[2])))
        self._atoms.fill(rows, samples, weights, uniform)

    def fill_with(self, rows: torch.Tensor, values: Array) -> None:
        """Overwrite ``rows`` with the host's ``values``."""
        rows.copy_(torch.tensor(values))


class DeviceStream:
    """The random numbers of one network on a device, from a generator there."""

    def __init__(self, seed: int, device: torch.device, atoms: Atoms) -> None:
        self._seed, self._device, self._atoms = seed, device, atoms
        self._generator = torch.Generator(device).manual_seed(seed)

    @cached_property
    def rng(self) -> np.random.Generator:
        """A generator on the host with the same seed, for measures that draw there."""
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(self._seed)))

    def fill_normal(self, rows: torch.Tensor) -> None:
        """Overwrite ``rows`` with standard normals."""
        inside = (
            rows if rows.is_contiguous() else torch.empty_like(rows, memory_format=torch.contiguous_format)
        )
        inside.normal_(generator=self._generator)
        if inside is not rows:
            rows.copy_(inside)

    def fill_chosen(self, rows: torch.Tensor, samples: Array, weights: Array | None) -> None:
        """Overwrite each column of ``rows`` with a sample drawn by weight."""
        shape = (rows.shape[0], rows.shape[2])
        uniform = torch.rand(shape, generator=self._generator, device=self._device, dtype=torch.float64)
        self._atoms.fill(rows, samples, weights, uniform)

    def fill_with(self, rows: torch.Tensor, values: Array) -> None:
        """Overwrite ``rows`` with the host's ``values``."""
        rows.copy_(on_device(values, self._device))


class FreshBatches:
    """An endless run of batches ``(S, d, B)``: network s sees the stream of its own seed and of no other.

    The batch axis is last, the layout in which the gradient is fastest. Blocks of steps are drawn at once into one
    buffer of S max(d B, ``BLOCK_VALUES``) numbers, which bounds the memory. The length of a block depends on d and B
    alone, so that a network's stream depends neither on its neighbours nor on the number of steps.

    On a CPU the normals are NumPy's (SFC64 and the ziggurat: about twice as fast as ``torch.Tensor.normal_`` in
    float64, with 53 random bits in every value); on CUDA they come from a ``torch.Generator`` on the device. The two
    give different samples of the same law. A measure with a ``sample`` of its own is drawn by it, on the host.
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
        self._measure = measure
        atoms, on_host = Atoms(device, dtype), device.type == "cpu"
        self._streams: list[RandomStream] = [
            HostStream(seed, atoms) if on_host else DeviceStream(seed, device, atoms) for seed in seeds
        ]
        self._next = self.block

    def __next__(self) -> torch.Tensor:
        """The next batch: a view, overwritten when the block it belongs to is used up."""
        self._draw_where_used_up()
        self._next += 1
        return self._buffer[:, self._next - 1]

    def into(self, steps: torch.Tensor) -> None:
        """Overwrite ``steps (S, k, d, B)`` with the next k batches."""
        done, count = 0, steps.shape[1]
        while done < count:
            self._draw_where_used_up()
            found = self._buffer[:, self._next : self._next + count - done]
            steps[:, done : done + found.shape[1]] = found
            done += found.shape[1]
            self._next += found.shape[1]

    def _draw_where_used_up(self) -> None:
        if self._next == self.block:
            for stream, rows in zip(self._streams, self._buffer, strict=True):
                self._measure.fill_batches(rows, stream)
            self._next = 0

    def __iter__(self) -> FreshBatches:
        return self
