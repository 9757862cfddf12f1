"""Regenerate what is stored of Theorems A'' and D: ``python -m dynamics.basins.recipe [JOBS]``, with python-flint.

Writes pair_table.json (the pair lemma's table) and proved_rates.json (what :func:`luckproof.basin_rate` reads); about
half an hour of one core. Every number in them is proved in ball arithmetic while it is made; the tests prove a part of
them again (tests/test_dynamics/basins).
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from dynamics.basins.closed_forms import any_teachers
from dynamics.basins.rates import ProvedRates
from dynamics.basins.recipe import pair_table
from dynamics.basins.recipe.spread import Reserve, best_mu, largest_loss
from dynamics.basins.recipe.sweep import Sweep
from dynamics.files.writing import write_atomically

KEPT = Path(__file__).parents[1] / "proved_rates.json"

SEARCHED_RADII = [0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.66]
"""Where the best mu of Theorem A'' is searched for; between them it is interpolated."""

RESERVE_RADII = [*(0.001 * 1.25**k for k in range(16)), *(k / 250 for k in range(9, 165))]
"""Radii of the reserves that are proved and stored; each serves all smaller radii too."""

SWEEP_RADII = [k / 400 for k in range(180, 349)]
"""Ends of the cells in R of Theorem D: 0.45 to 0.87, as far as the rate is positive."""


def searched(radius: float) -> float:
    """The best mu at one radius."""
    return best_mu(radius, cells=60 if radius > 0.3 else 40)


def reserve(choice: tuple[float, float]) -> Reserve | None:
    """The reserve at ``(radius, mu)``, proved."""
    radius, mu = choice
    loss = largest_loss(radius, mu)
    return None if loss is None else Reserve(radius, mu, loss)


def cell_rate(ends: tuple[float, float]) -> float:
    """Theorem D for R between ``ends``, with the stored table."""
    return Sweep(pair_table.PairTable.kept()).rate(*ends)


def balls(reserves: list[Reserve], cells: list[float]) -> list[tuple[float, float]]:
    """``(radius, rate on the whole ball)``, grown cell by cell from where Theorems A and A'' cover the ball."""
    proved = ProvedRates(tuple((r.radius, r.mu, r.loss) for r in reserves), ())
    radius = SWEEP_RADII[0]
    rate, found = max(any_teachers(radius), proved.reserved(radius)), []
    for (low, high), cell in zip(pairwise(SWEEP_RADII), cells, strict=True):
        rate = min(cell, max(rate, any_teachers(low), proved.reserved(low)))
        if not rate > 0:
            break
        found.append((high, rate))
    return found


def keep(reserves: list[Reserve], sweep: list[tuple[float, float]]) -> None:
    """Write proved_rates.json, floats in hexadecimal, one result a line."""
    lines = {
        "theorem A''": [[x.hex() for x in (r.radius, r.mu, r.loss)] for r in reserves],
        "theorem D": [[x.hex() for x in entry] for entry in sweep],
    }
    parts = [
        f"{json.dumps(name)}: [\n" + ",\n".join(map(json.dumps, entries)) + "\n]"
        for name, entries in lines.items()
    ]
    write_atomically(KEPT, "{\n" + ",\n".join(parts) + "\n}\n")


def main(jobs: int, *, with_table: bool = True) -> None:
    """Make everything; ``with_table`` False keeps the stored table of the pair lemma."""
    if with_table:
        pair_table.make(jobs).keep()
        print("pair table: made", file=sys.stderr)
    with multiprocessing.Pool(jobs) as pool:
        mus = np.interp(RESERVE_RADII, SEARCHED_RADII, pool.map(searched, SEARCHED_RADII))
        choices = list(zip(RESERVE_RADII, mus.tolist(), strict=True))
        reserves = [found for found in pool.imap(reserve, choices) if found is not None]
        print(f"theorem A'': {len(reserves)} reserves", file=sys.stderr)
        cells = list(pool.imap(cell_rate, pairwise(SWEEP_RADII)))
    sweep = balls(reserves, cells)
    print(f"theorem D: proved to R = {sweep[-1][0]}", file=sys.stderr)
    keep(reserves, sweep)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(
        int(arguments[0]) if arguments[:1] and arguments[0].isdigit() else 1,
        with_table="--rates" not in arguments,
    )
