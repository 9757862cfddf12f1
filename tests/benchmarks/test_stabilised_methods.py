"""Stabilised methods against SciPy's explicit ones at equal true error on the stiff flows of the papers.

For each method the loosest tolerance that reaches the target is found first (untimed), then that run is timed.
``extra_info`` carries tolerance, true error, evaluations and the ratio to the best of RK45 and DOP853. Evaluation
counts are free of noise. The environment variable ``STIFF_CASES`` (comma-separated keys of ``CASES``) picks cases;
projected-400 takes tens of minutes on one core and is not among the default ones.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from stiff_cases import CASES, SOLVERS, cheapest, error, solve

PICKED = os.environ.get("STIFF_CASES", "projected-100,projected-200,two-layer-20x").split(",")
TARGETS = (1e-5, 1e-8)
LEAST_RATIO = {
    ("projected-200", 1e-5): 4.0,
    ("projected-400", 1e-5): 7.0,
    ("two-layer-20x", 1e-5): 8.0,
    ("projected-200", 1e-8): 2.0,
    ("projected-400", 1e-8): 3.0,
    ("two-layer-20x", 1e-8): 3.0,
}
"""Aims, recorded beside what is measured as ``aim``; a run is judged on its accuracy, the ratio is reported."""


@pytest.mark.bench
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("case", PICKED)
def test_work_at_equal_error(benchmark: Any, case: str, target: float, solver: str) -> None:
    """The timed run has the error asked for; where the flow is stiff (an aim is set) ROCK4 needs fewest evaluations."""
    if solver == "RKC" and target < 1e-6:
        pytest.skip("second order: far more steps than the others at this error")
    benchmark.group = f"{case}, error <= {target:g}"
    rtol, first, _ = cheapest(case, solver, target)
    run = benchmark.pedantic(solve, args=(case, solver, rtol), rounds=1)
    reached = error(case, run.end)
    plain = min(cheapest(case, name, target)[1].nfev for name in ("RK45", "DOP853"))
    benchmark.extra_info.update(
        case=case,
        solver=solver,
        target=target,
        rtol=rtol,
        error=reached,
        nfev=run.nfev,
        unknowns=run.end.size,
        evaluations_ratio=plain / run.nfev,
        aim=LEAST_RATIO.get((case, target)),
    )
    assert reached <= target
    assert run.nfev == first.nfev
    if solver == "ROCK4" and (case, target) in LEAST_RATIO:
        assert run.nfev < plain


@pytest.mark.bench
def test_evaluations_grow_like_the_root_of_n(benchmark: Any) -> None:
    """Projected flow at rtol 1e-3: the fitted exponent of ROCK4's evaluations is below 0.65, RK45's above 0.85."""
    sizes = [int(name.removeprefix("projected-")) for name in CASES if name.startswith("projected-")]
    sizes = [n for n in sizes if n <= 200 or "projected-400" in PICKED]
    counts = {name: [solve(f"projected-{n}", name, 1e-3).nfev for n in sizes] for name in ("ROCK4", "RK45")}
    exponents = {name: float(np.polyfit(np.log(sizes), np.log(nfev), 1)[0]) for name, nfev in counts.items()}
    benchmark.extra_info.update(sizes=sizes, evaluations=counts, exponents=exponents)
    benchmark.pedantic(solve, args=("projected-50", "ROCK4", 1e-3), rounds=3)
    assert exponents["ROCK4"] < 0.65
    assert exponents["RK45"] > 0.85
