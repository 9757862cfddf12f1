"""What a measure needs of a random stream to fill batches, wherever these live: in NumPy arrays, on a GPU."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from dynamics.arrays import Array


class RandomStream(Protocol):
    """The random numbers of one network on the device where it is trained.

    ``rows (steps, d, B)`` are the caller's array or tensor of ``steps`` batches of B inputs each, one input a column.
    """

    @property
    def rng(self) -> np.random.Generator:
        """A generator on the host with this stream's seed, for measures that know no other way to draw."""

    def fill_normal(self, rows: Any) -> None:
        """Overwrite ``rows`` (any shape) with independent standard normals."""

    def fill_chosen(self, rows: Any, samples: Array, weights: Array | None) -> None:
        """Overwrite each column of ``rows`` with a row of ``samples (N, d)`` drawn by weight (equal when None)."""

    def fill_with(self, rows: Any, values: Array) -> None:
        """Overwrite ``rows`` with ``values`` of its shape."""
