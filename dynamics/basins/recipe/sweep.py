"""Theorem D's finite sum, in ball arithmetic: a lower bound of the contraction rate for R in an interval.

With ``u_1 >= u_2`` the two largest squared distances, ``r = R^2 - u_1 - u_2`` and ``w = min(u_2, r)``, an upper bound
of the others, ``Z = 2 pi R^2 (-R'/R)`` obeys

    Z >= u_1 mu(u_1) + u_2 mu(u_2) + r mu(w)
         - K(u_1, u_2) u_1 u_2 - r [u_1 K(u_1, <= w) + u_2 K(u_2, <= w)] - (r^2 / 2) K(<= w, <= w)

with K of the pair lemma and ``mu(u) = (1 - u/4)(pi/2 - theta(u) - 1 + 0.6 u) - (pi/32) u``, which decreases and is
positive as far as the table goes. The right-hand side is bounded below on cells of (u_1, u_2) by evaluation at corners.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from flint import arb
from numpy.typing import NDArray

from dynamics.basins.balls import PI, angle, float_above, float_below, in_balls, lower, upper
from dynamics.basins.recipe.pair_lemma import BETA, REACH
from dynamics.basins.recipe.pair_table import PairTable

CELLS = 240
"""Cells in u_1 and in u_2."""


def own_gain(u: arb) -> arb:
    """``mu(u)``."""
    return (1 - u / 4) * (PI / 2 - angle(u) - 1 + BETA * u) - PI / 32 * u


class Sweep:
    """The finite sum with a table of the pair lemma."""

    def __init__(self, table: PairTable) -> None:
        self.table = table
        matrix = table.matrix
        # Largest entry of row i over columns up to j, and of the whole block up to (j, j).
        self.up_to = np.maximum.accumulate(matrix, axis=1)
        self.block = np.maximum.accumulate([self.up_to[j, : j + 1].max() for j in range(len(matrix))])
        assert own_gain(arb(REACH)) > 0

    @in_balls
    def rate(self, low: float, high: float, cells: int = CELLS) -> float:
        """A number below ``-R'/R`` wherever ``low <= R <= high``, rounded down; negative where nothing is proved."""
        total = float_above(arb(high) ** 2)
        least_total = float_below(arb(low) ** 2)
        assert total <= REACH
        ends = [total * k / cells for k in range(cells)] + [total]
        gains = [lower(own_gain(arb(end))) for end in ends]
        rows = [self._rows(start, end) for start, end in pairwise(ends)]
        largest = np.array([self.up_to[a : b + 1].max(axis=0) for a, b in rows])
        least: arb | None = None
        for i in range(cells):
            for j in range(i + 1):
                if ends[i] + ends[j] > total * (1 + 1e-12):
                    break
                pair = float(
                    self.table.matrix[rows[i][0] : rows[i][1] + 1, rows[j][0] : rows[j][1] + 1].max()
                )
                value = self._sum(i, j, (ends, gains, largest), pair, (least_total, total))
                least = value if least is None else lower(least.min(value))
        assert least is not None
        share = least / (total if least > 0 else least_total) / (2 * PI)
        return float_below(share)

    def _sum(
        self,
        i: int,
        j: int,
        tables: tuple[list[float], list[arb], NDArray[np.float64]],
        pair: float,
        totals: tuple[float, float],
    ) -> arb:
        ends, gains, largest = tables
        low_1, low_2, high_1, high_2 = map(arb, (ends[i], ends[j], ends[i + 1], ends[j + 1]))
        rest = (totals[1] - low_1 - low_2).max(arb(0))
        least_rest = (totals[0] - high_1 - high_2).max(arb(0))
        # Of the others each is at most this; its cell in the table, and mu there.
        if upper(rest) < high_2:
            each = upper(rest)
            gain_rest = own_gain(each) if least_rest > 0 else arb(0)
        else:
            each, gain_rest = high_2, gains[j + 1]
        column = self.table.index(float_above(each))
        most_1, most_2 = high_1.min(totals[1] - low_2), high_2.min(totals[1] - low_1)
        gain = low_1 * gains[i + 1] + low_2 * gains[j + 1] + least_rest * gain_rest
        with_rest = most_1 * float(largest[i, column]) + most_2 * float(largest[j, column])
        return gain - pair * most_1 * most_2 - rest * (with_rest + rest / 2 * float(self.block[column]))

    def _rows(self, low: float, high: float) -> tuple[int, int]:
        return self.table.index(low), self.table.index(high)
