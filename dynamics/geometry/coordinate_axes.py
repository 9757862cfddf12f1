"""Columns that are the first coordinate axes: products with them are copies of rows."""

from __future__ import annotations

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.columns import Columns, Directions


class CoordinateAxes(Columns):
    """The first ``m`` axes of R^d as columns, in every instance of a stack.

    Args:
        lead: the leading axes.
        d, m: m <= d.
    """

    def __init__(self, lead: tuple[int, ...], d: int, m: int) -> None:
        super().__init__("axes", np.broadcast_to(np.eye(d, m), (*lead, d, m)))

    @classmethod
    def found_in(cls, A: Array) -> CoordinateAxes | None:
        """``A (..., d, m)`` as axes where it is the first ones exactly, None elsewhere. Cost: O(d m) an instance."""
        *lead, d, m = A.shape
        return (
            cls(tuple(lead), d, m)
            if m <= d and np.array_equal(A, np.broadcast_to(np.eye(d, m), A.shape))
            else None
        )

    def on_sphere(self) -> CoordinateAxes:
        return self

    def cosines(self, other: Directions) -> Array:
        *lead, _, m = self.unit.shape
        rows = other.unit[..., :m, :]
        return np.array(
            np.broadcast_to(rows, (*np.broadcast_shapes(tuple(lead), rows.shape[:-2]), *rows.shape[-2:]))
        )

    def times(self, H: Array) -> Array:
        """The axes times ``H (..., m, n)``: its rows above rows of zeros; ``H`` itself where m = d."""
        *_, d, m = self.unit.shape
        if m == d:
            return H
        product = np.zeros((*H.shape[:-2], d, H.shape[-1]))
        product[..., :m, :] = H
        return product
