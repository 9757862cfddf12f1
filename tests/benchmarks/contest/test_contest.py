"""Our integrators and the peers on the papers' stiff flows: time and evaluations at equal true error.

Each contestant runs at the loosest tolerance that reaches the target (``tolerances.json``, found by ``calibrate.py``),
and its error against the reference is asserted anew. ``extra_info`` carries tolerance, error, evaluations and processor
seconds; what does not run is recorded with its reason in our own entry. Short runs of ours are repeated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from luckproof import integrate
from tests.benchmarks.contest.calibrate import load
from tests.benchmarks.contest.contestants import CONTESTANTS, OURS, ours, scipy_method, timed
from tests.benchmarks.contest.exclusions import impossible
from tests.benchmarks.contest.stiff_cases import TARGETS, error, flow_of

CONTESTED = (
    "projected-50",
    "projected-200",
    "projected-400",
    "two-layer-5x",
    "two-layer-10x",
    "two-layer-20x",
)
LONG = ("projected-400", "two-layer-20x")
ENTRIES = [
    pytest.param(case, target, name, id=f"{case}-{target:g}-{name}")
    for case in CONTESTED
    for target in TARGETS
    for name in CONTESTANTS
    if impossible(case, name, target) is None
]
SIZES = {"auto": (50, 100, 200, 400), "RK45": (50, 100, 200)}
"""Sizes of the projected flow at which evaluations are counted; RK45's are what takes long."""
SPANS = (1e3, 1e5)


@pytest.mark.bench
@pytest.mark.parametrize(("case", "target", "name"), ENTRIES)
def test_time_at_equal_error(benchmark: Any, case: str, target: float, name: str) -> None:
    """The timed run has the error asked for."""
    rtol = load()[case][f"{target:g}"][name]
    benchmark.group = f"{case}, error at most {target:g}"
    run, solutions = CONTESTANTS[name](case, rtol), []
    benchmark.pedantic(
        lambda: solutions.append(timed(run)), rounds=3 if name in OURS and case not in LONG else 1
    )
    reached = max(error(case, solution.end) for solution in solutions)
    benchmark.extra_info.update(
        contest=case,
        contestant=name,
        target=target,
        rtol=rtol,
        error=reached,
        nfev=solutions[0].nfev,
        unknowns=solutions[0].end.size,
        cpu_seconds=float(np.median([solution.processor_seconds for solution in solutions])),
    )
    if name == "luckproof auto":
        reasons = {other: impossible(case, other, target) for other in CONTESTANTS}
        benchmark.extra_info["excluded"] = {other: why for other, why in reasons.items() if why}
    assert reached <= target


@pytest.mark.bench
def test_evaluations_hardly_grow_with_n(benchmark: Any) -> None:
    """Projected flow at rtol 1e-4: the fitted exponent of auto's evaluations is at most 0.1, RK45's above 0.85."""
    prepare = {"auto": ours("auto"), "RK45": scipy_method("RK45")}
    counts = {
        name: [timed(prepare[name](f"projected-{n}", 1e-4)).nfev for n in sizes]
        for name, sizes in SIZES.items()
    }
    exponents = {
        name: float(np.polyfit(np.log(SIZES[name]), np.log(found), 1)[0]) for name, found in counts.items()
    }
    benchmark.group = "evaluations against n"
    benchmark.extra_info.update(growth=True, sizes=SIZES, evaluations=counts, exponents=exponents)
    benchmark.pedantic(prepare["auto"]("projected-50", 1e-4), rounds=3)
    assert exponents["auto"] <= 0.1
    assert exponents["RK45"] > 0.85


LONG_SPANS = {"projected-50": 2, "two-layer-5x": 8}
"""Largest ratio of evaluations. In the second case students share teachers: the loss goes on falling like a power of t,
with six decades of stiffness behind it, so that steps of every size have work to do."""


@pytest.mark.bench
@pytest.mark.parametrize("case", LONG_SPANS)
def test_long_spans_cost_little_more(benchmark: Any, case: str) -> None:
    """T = 1e5 takes at most so many times the evaluations of T = 1e3 at the default tolerances, and norms stay."""
    flow, runs = flow_of(case), []
    benchmark.group = "long spans"
    benchmark.pedantic(lambda: runs.extend(integrate(flow, (0.0, T), t_eval=[T]) for T in SPANS), rounds=1)
    assert all(run.success for run in runs)
    counts = [run.nfev for run in runs]
    drift = float(np.abs(runs[-1].observables["norm_drift"]).max())
    benchmark.extra_info.update(long_span=case, spans=SPANS, evaluations=counts, norm_drift=drift)
    assert counts[1] <= LONG_SPANS[case] * counts[0]
    assert drift < 1e-6
