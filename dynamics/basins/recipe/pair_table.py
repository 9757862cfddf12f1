"""The table of the pair lemma: which cells it has, how it is made, kept, and looked up."""

from __future__ import annotations

import json
import multiprocessing
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dynamics.basins.recipe.pair_lemma import DUST, REACH, STEP, Cell, dust_bound
from dynamics.files.writing import write_atomically

KEPT = Path(__file__).with_name("pair_table.json")

COARSE, FINE, COARSE_BELOW = 1.2, 1.02, 0.1
"""Ratio of neighbouring edges below and above ``COARSE_BELOW``: where the sweep is tight both squares are large."""


def edges() -> list[float]:
    """Upper ends of the cells in u and in w: DUST, then geometric up to REACH."""
    ends = [DUST]
    while ends[-1] < REACH:
        ends.append(ends[-1] * (COARSE if ends[-1] < COARSE_BELOW else FINE))
    return ends


@dataclass(frozen=True)
class PairTable:
    """``G(u, w; ...) >= -K u w``, K looked up in cells: ``steps[i][j]`` for j <= i, in multiples of STEP."""

    ends: list[float]
    steps: list[list[int]]

    @classmethod
    def kept(cls) -> PairTable:
        """The table as it is stored."""
        stored = json.loads(KEPT.read_text())
        return cls([float.fromhex(end) for end in stored["edges"]], stored["steps"])

    def keep(self) -> None:
        """Store it, one row of cells a line."""
        rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in self.steps)
        head = json.dumps([end.hex() for end in self.ends])
        write_atomically(KEPT, f'{{"step": {STEP!r},\n"edges": {head},\n"steps": [\n{rows}\n]}}\n')

    def cell(self, i: int, j: int) -> Cell:
        """The cell (i, j), j <= i, cut to ``u + w <= REACH``."""
        low = [0.0, *self.ends]
        return Cell(low[i], min(self.ends[i], REACH - low[j]), low[j], min(self.ends[j], REACH - low[i]))

    def entry(self, i: int, j: int) -> float:
        """K on the cell (i, j), in either order."""
        return self.steps[max(i, j)][min(i, j)] * STEP

    def check(self, i: int, j: int) -> bool:
        """Whether the entry (i, j) is proved again from scratch."""
        if i == j == 0:
            return dust_bound() <= self.entry(0, 0)
        return self.cell(i, j).proves(self.entry(i, j))

    def index(self, u: float) -> int:
        """The cell that holds u, the lower one at an edge."""
        return min(bisect_left(self.ends, u), len(self.ends) - 1)

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """All entries, symmetric; -1 where ``u + w > REACH`` on the whole cell."""
        size = len(self.ends)
        full = np.full((size, size), -1.0)
        for i, row in enumerate(self.steps):
            full[i, : len(row)] = full[: len(row), i] = np.array(row) * STEP
        return full


def cells_of_row(i: int) -> int:
    """How many cells (i, 0), (i, 1), .. have a pair ``u + w <= REACH``, w <= u."""
    low = [0.0, *edges()]
    return sum(low[i] + low[j] <= REACH for j in range(i + 1))


def row(i: int) -> list[int]:
    """The entries of one row."""
    table, found = PairTable(edges(), []), []
    for j in range(cells_of_row(i)):
        if i == j == 0:
            bound = dust_bound()
        else:
            bound = table.cell(i, j).bound(largest_seen(min(table.ends[i], REACH), table.ends[j]))
        found.append(round(bound / STEP))
    return found


def largest_seen(u: float, w: float) -> float:
    """``-G / (u w)`` at its largest on a grid, in floating point: where the search for an entry begins, not a bound."""
    P = np.linspace(0.0, 4 * np.sqrt(u), 41)[:, None, None]
    X = np.linspace(-1.0, 1.0, 33)[:, None]
    share = np.linspace(-1.0, 1.0, 9)
    x, y = np.sqrt(w) * X, np.sqrt(w) * (P - X)
    room = np.maximum(u * (1 - u / 4) - y**2, 0) * np.maximum(w * (1 - w / 4) - x**2, 0)
    B = np.clip((1 - w / 2) * (x + y) - (u - w) / 2 * x + share * np.sqrt(room), -1, 1)
    x, y = np.clip(x, -1, 1), np.clip(y, -1, 1)
    A = np.arcsin
    G = A(B) * ((2 - (u + w) / 2) * B - x - y) - (1 - u / 2) * y * A(y) - (1 - w / 2) * x * A(x)
    G = G + (1 - 0.6 * u) * y**2 + (1 - 0.6 * w) * x**2 - np.pi / 16 * u * w * B
    inside = (y**2 <= u * (1 - u / 4)) & (x**2 <= w * (1 - w / 4))
    return float(np.max(-G / (u * w), initial=0.0, where=np.broadcast_to(inside, G.shape)))


def make(jobs: int) -> PairTable:
    """The whole table, by ``jobs`` processes."""
    ends = edges()
    with multiprocessing.Pool(jobs) as pool:
        rows = list(pool.imap(row, range(len(ends))))
    return PairTable(ends, rows)
