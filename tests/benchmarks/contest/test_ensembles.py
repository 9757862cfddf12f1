"""32 and 1,000 instances of Theorem 4's flow at rtol 1e-8: one stack, a loop over instances, diffrax's vmap.

A stack at the tolerance that gives the peers' accuracy is timed too: at one rtol they differ by up to 60 times. Each
instance's end is held against a reference of its own and, for the stack, against its own solo run: a hard member must
not take accuracy from an easy one. ``extra_info`` carries worst error and processor seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.benchmarks.contest.contestants import Solution, timed
from tests.benchmarks.contest.ensemble_cases import (
    ALONE,
    LOOSER,
    RTOL,
    SIZES,
    errors,
    loop,
    stack,
    vmapped,
)

Ends = NDArray[np.float64]

WAYS: dict[str, Callable[[int, int], Callable[[], Ends]]] = {
    "luckproof stack": lambda S, n: lambda: stack(S, n),
    "luckproof stack, looser": lambda S, n: lambda: stack(S, n, LOOSER[S, n]),
    "luckproof stack, looser, NumPy": lambda S, n: lambda: stack(S, n, LOOSER[S, n], "never"),
    "luckproof loop": lambda S, n: lambda: loop(S, n),
    "diffrax vmap Tsit5": lambda S, n: vmapped(S, n, "Tsit5"),
    "diffrax vmap Dopri5": lambda S, n: vmapped(S, n, "Dopri5"),
    "diffrax vmap Dopri8": lambda S, n: vmapped(S, n, "Dopri8"),
}
ROUNDS = {(32, 10): 3}
TOO_LONG = {("luckproof loop", 1000)}
"""A loop over 1,000 instances takes half a minute."""


@pytest.mark.bench
@pytest.mark.parametrize(
    ("S", "n", "way"), [(S, n, way) for S, n in SIZES for way in WAYS if (way, S) not in TOO_LONG]
)
def test_ensemble(benchmark: Any, S: int, n: int, way: str) -> None:
    """Every instance is right to the tolerance; in a stack at most twice as wrong as alone, or to a tenth of it."""
    benchmark.group = f"ensemble: {S} instances, n = {n}"
    run, solutions = WAYS[way](S, n), list[Solution]()
    run()  # compiled code is loaded, buffers are there
    benchmark.pedantic(lambda: solutions.append(timed(lambda: (run(), 0))), rounds=ROUNDS.get((S, n), 1))
    found = errors(S, n, solutions[0].end)
    benchmark.extra_info.update(
        ensemble=n,
        stacked=S,
        contestant=way,
        rtol=LOOSER[S, n] if "looser" in way else ALONE[n] if way == "luckproof loop" else RTOL,
        error=float(found.max()),
        cpu_seconds=float(np.median([solution.processor_seconds for solution in solutions])),
    )
    assert found.max() <= RTOL
    if way == "luckproof stack":
        alone = errors(S, n, loop(S, n))
        over_solo = float((found / np.maximum(alone, RTOL / 20)).max())
        benchmark.extra_info["worst_over_solo"] = over_solo
        assert over_solo <= 2
