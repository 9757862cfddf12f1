"""32 instances of Theorem 4's flow at rtol 1e-8: one stack, a loop over instances, and diffrax's vmap.

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
    INSTANCES,
    LOOSER,
    RTOL,
    errors,
    loop,
    stack,
    vmapped,
)

Ends = NDArray[np.float64]

WAYS: dict[str, Callable[[int], Callable[[], Ends]]] = {
    "luckproof stack": lambda n: lambda: stack(n),
    "luckproof stack, looser": lambda n: lambda: stack(n, LOOSER[n]),
    "luckproof loop": lambda n: lambda: loop(n),
    "diffrax vmap Tsit5": lambda n: vmapped(n, "Tsit5"),
    "diffrax vmap Dopri5": lambda n: vmapped(n, "Dopri5"),
    "diffrax vmap Dopri8": lambda n: vmapped(n, "Dopri8"),
}
ROUNDS = {10: 3, 50: 1}


@pytest.mark.bench
@pytest.mark.parametrize("n", [10, 50])
@pytest.mark.parametrize("way", WAYS)
def test_ensemble(benchmark: Any, n: int, way: str) -> None:
    """Every instance is right to the tolerance; in a stack at most twice as wrong as alone, or to a tenth of it."""
    benchmark.group = f"ensemble: {INSTANCES} instances, n = {n}"
    run, solutions = WAYS[way](n), list[Solution]()
    run()  # compiled code is loaded, buffers are there
    benchmark.pedantic(lambda: solutions.append(timed(lambda: (run(), 0))), rounds=ROUNDS[n])
    found = errors(n, solutions[0].end)
    benchmark.extra_info.update(
        ensemble=n,
        contestant=way,
        rtol={"luckproof stack, looser": LOOSER[n], "luckproof loop": ALONE[n]}.get(way, RTOL),
        error=float(found.max()),
        cpu_seconds=float(np.median([solution.processor_seconds for solution in solutions])),
    )
    assert found.max() <= RTOL
    if way == "luckproof stack":
        alone = errors(n, loop(n))
        over_solo = float((found / np.maximum(alone, RTOL / 20)).max())
        benchmark.extra_info["worst_over_solo"] = over_solo
        assert over_solo <= 2
