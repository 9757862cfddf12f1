"""Columns that lie in the span of the first coordinate axes: products with them need these rows alone."""

from __future__ import annotations

from typing import Self

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.columns import Columns, Directions

MOST_ROWS = 0.5
"""Share of the rows up to which leaving out the others saves more than the smaller products lose."""


class LeadingRows(Columns):
    """A weight matrix whose rows from ``rows`` on are zero, in every instance of a stack.

    Args:
        name: what errors call the matrix.
        A: (..., d, m), no column zero.
        rows: number of rows that are not zero.
    """

    def __init__(self, name: str, A: Array, rows: int) -> None:
        super().__init__(name, A)
        self.rows = rows

    @classmethod
    def found_in(cls, name: str, A: Array) -> Self | None:
        """``A (..., d, m)`` where at most ``MOST_ROWS`` of its rows are not zero, None elsewhere.

        Cost: O(d m) an instance.
        """
        used = np.flatnonzero(A.any(axis=(*range(A.ndim - 2), A.ndim - 1)))
        rows = int(used[-1]) + 1 if used.size else 0
        return cls(name, A, rows) if 0 < rows <= MOST_ROWS * A.shape[-2] else None

    def on_sphere(self) -> LeadingRows:
        unit = super().on_sphere()
        kept = LeadingRows.__new__(LeadingRows)
        kept.__dict__.update(unit.__dict__, rows=self.rows)
        return kept

    def cosines(self, other: Directions) -> Array:
        own, rows = self.unit[..., : self.rows, :], other.unit[..., : self.rows, :]
        return np.asarray(np.matmul(own.mT, rows, order="C"))

    def times(self, H: Array) -> Array:
        """These columns times ``H (..., m, n)``: (..., d, n)."""
        product = np.zeros((*H.shape[:-2], self.array.shape[-2], H.shape[-1]))
        np.matmul(self.array[..., : self.rows, :], H, out=product[..., : self.rows, :])
        return product
