"""What is stored of Theorems A'' and D is proved again in ball arithmetic: a part always, all of it at ``deep``."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from luckproof import basin_rate

flint = pytest.importorskip("flint")

from dynamics.basins.rates import proved_rates  # noqa: E402
from dynamics.basins.recipe.__main__ import SWEEP_RADII  # noqa: E402
from dynamics.basins.recipe.pair_lemma import Box, dust_bound  # noqa: E402
from dynamics.basins.recipe.pair_table import PairTable, cells_of_row, edges  # noqa: E402
from dynamics.basins.recipe.spread import Reserve  # noqa: E402
from dynamics.basins.recipe.sweep import Sweep, own_gain  # noqa: E402

TABLE = PairTable.kept()
SPOTS = [
    (u, w) for u, w in ((0.3655, 0.3655), (0.5017, 0.2018), (0.7026, 0.001), (0.0504, 0.0101), (0.4, 0.33))
]


def spot(u: float, w: float) -> tuple[int, int]:
    return TABLE.index(u), TABLE.index(w)


def test_the_table_has_the_cells_that_its_recipe_makes():
    """Edges and rows are those of the recipe; entries are not negative."""
    assert edges() == TABLE.ends
    assert [len(row) for row in TABLE.steps] == [cells_of_row(i) for i in range(len(TABLE.ends))]
    assert min(map(min, TABLE.steps)) >= 0
    assert TABLE.entry(0, 0) >= dust_bound()


@pytest.mark.parametrize(("u", "w"), SPOTS)
def test_entries_are_proved_again(u, w):
    """The boxes prove the stored entry of the cell at (u, w)."""
    assert TABLE.check(*spot(u, w))


@pytest.mark.parametrize(("u", "w"), SPOTS)
def test_smaller_entries_are_not_proved(u, w):
    """The same boxes do not prove an entry smaller by 0.05: the check can fail."""
    i, j = spot(u, w)
    assert not TABLE.cell(i, j).proves(TABLE.entry(i, j) - 0.05)


def test_lower_bounds_of_boxes_are_below_the_form():
    """At points of a box, G / w in plain floats is above the box's lower bound."""
    i, j = spot(0.3655, 0.3655)
    cell, rng = TABLE.cell(i, j), np.random.default_rng(1)
    seen = 0
    for _ in range(300):
        low_x, low_p = rng.integers(-8, 8) / 8, rng.integers(0, 16) / 8
        box = Box(low_x, low_x + 0.125, low_p, low_p + 0.125)
        least = cell.least(box)
        w = rng.uniform(float(cell.w_low), float(cell.w_high))
        u = rng.uniform(max(w, float(cell.u_low)), float(cell.u_high))
        X, P = rng.uniform(low_x, low_x + 0.125), rng.uniform(low_p, low_p + 0.125)
        y, x = np.sqrt(w) * (P - X), np.sqrt(w) * X
        room = (u * (1 - u / 4) - y**2), (w * (1 - w / 4) - x**2)
        if min(room) < 0:
            continue
        seen += 1
        B = (1 - w / 2) * (x + y) - (u - w) / 2 * x + np.sqrt(room[0] * room[1]) * rng.uniform(-1, 1)
        A = np.arcsin
        G = A(B) * ((2 - (u + w) / 2) * B - x - y) - (1 - u / 2) * y * A(y) - (1 - w / 2) * x * A(x)
        G += (1 - 0.6 * u) * y**2 + (1 - 0.6 * w) * x**2 - np.pi / 16 * u * w * B
        assert least is not None
        assert G / w >= float(least) - 1e-12
    assert seen > 30


@pytest.mark.parametrize("index", [0, 20, 40])
def test_a_reserve_is_proved_again(index):
    """Theorem A'': the stored loss, and no smaller one by 5 per cent, is proved by the same cells."""
    radius, mu, loss = proved_rates().reserves[index]
    assert Reserve(radius, mu, loss).check()
    assert not Reserve(radius, mu, 0.95 * loss).check()


@pytest.mark.parametrize("index", [-1, -10])
def test_a_cell_of_the_sweep_is_proved_again(index):
    """Theorem D on one cell in R gives the stored rate or a larger one; on the next radius beyond R_0 it does not."""
    stored = proved_rates().sweep
    (low, _), (high, rate) = stored[index - 1], stored[index]
    assert Sweep(TABLE).rate(low, high) >= rate > 0


def test_the_gain_of_a_node_falls_with_its_distance():
    """mu decreases where the finite sum uses it: its derivative's sign, in balls, on a grid."""
    values = [own_gain(flint.arb(k) / 1000) for k in range(1, 775)]
    assert all(a > b for a, b in pairwise(values))
    assert values[-1] > 0


@pytest.mark.deep
def test_the_whole_table_is_proved_again():
    """Every entry, about ten minutes of one core."""
    failed = [(i, j) for i, row in enumerate(TABLE.steps) for j in range(len(row)) if not TABLE.check(i, j)]
    assert failed == []


@pytest.mark.deep
def test_all_rates_are_proved_again():
    """Every reserve and every cell of the sweep; each stored rate is that of the whole ball."""
    proved = proved_rates()
    assert all(Reserve(*entry).check() for entry in proved.reserves)
    sweep, rate = Sweep(TABLE), basin_rate(SWEEP_RADII[0])
    for (low, high), (radius, stored) in zip(pairwise(SWEEP_RADII), proved.sweep, strict=False):
        assert radius == high
        rate = min(sweep.rate(low, high), max(rate, basin_rate(low)))
        assert rate >= stored > 0
