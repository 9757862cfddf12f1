"""True error against work over a ladder of tolerances: the points of the work-precision picture in the docs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.benchmarks.contest.contestants import CONTESTANTS, PLAIN_CVODE, timed
from tests.benchmarks.contest.stiff_cases import error

CASE = "projected-100"
TOLERANCES = tuple(10.0**-k for k in range(1, 9))
DRAWN = (
    "luckproof auto",
    "luckproof ROCK4",
    PLAIN_CVODE,
    "SciPy RK45",
    "SciPy DOP853",
    "diffrax Tsit5",
    "diffrax Dopri8",
    "torchdiffeq dopri5",
)


@pytest.mark.bench
@pytest.mark.parametrize("name", DRAWN)
def test_tighter_tolerances_buy_accuracy(benchmark: Any, name: str) -> None:
    """Over the whole ladder the error falls by as many decades as asked for, but three; rungs by themselves may err."""
    solutions = [timed(CONTESTANTS[name](CASE, rtol)) for rtol in TOLERANCES]
    points = [
        {"rtol": rtol, "nfev": run.nfev, "seconds": run.processor_seconds, "error": error(CASE, run.end)}
        for rtol, run in zip(TOLERANCES, solutions, strict=True)
    ]
    benchmark.group = f"work and precision: {CASE}"
    benchmark.extra_info.update(work_precision=CASE, contestant=name, points=points)
    benchmark.pedantic(CONTESTANTS[name](CASE, TOLERANCES[0]), rounds=1)
    asked = TOLERANCES[0] / TOLERANCES[-1]
    assert points[0]["error"] / points[-1]["error"] >= asked / 1e3
