"""What each rate bound costs, and how near it comes to the rate of the flow and of trained networks.

``extra_info`` carries bound, measured rates and tightness (bound / measured); ``tox run -e bench`` prints the table.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from luckproof import BOUNDS
from tests.benchmarks.rate_cases import CASES, at_limit, measure

ENTRIES = [
    (name, index)
    for name in BOUNDS
    for index, case in enumerate(CASES)
    if name.startswith(f"theorem{case.theorem}")
]


@pytest.mark.bench
@pytest.mark.parametrize(("name", "index"), ENTRIES, ids=[f"{n}-{CASES[i].name}" for n, i in ENTRIES])
def test_rate_bound(benchmark: Any, name: str, index: int) -> None:
    """A corrected bound or a basin's is below the flow's slowest decay, a spectral rate equals its late rate."""
    case, bound = CASES[index], BOUNDS[name]
    benchmark.group = f"theorem {case.theorem}: {case.name}"
    problem = at_limit(index) if name.endswith("spectral") else case.problem
    first = bound(problem)  # numerical suprema are kept once found: what is timed is the repeated call
    rate = benchmark.pedantic(bound, args=(problem,), rounds=3)
    measured = measure(index)
    kind = name.rpartition(".")[2]
    reference = {"spectral": measured.late, "basin": measured.distance, "local": measured.distance}.get(
        kind, measured.slowest
    )
    benchmark.extra_info.update(
        bound=name,
        case=case.name,
        d=case.problem.d,
        m=case.problem.m,
        n=case.problem.n,
        c=case.problem.c,
        rate=None if math.isnan(rate) else rate,
        flow_late_rate=measured.late,
        flow_slowest_decay=measured.distance if kind in ("basin", "local") else measured.slowest,
        network_rate=None if math.isnan(measured.networks) else measured.networks,
        network_interval=None
        if math.isnan(measured.networks)
        else [measured.networks_low, measured.networks_high],
        tightness=None if math.isnan(rate) else rate / reference,
    )
    assert np.array_equal(first, rate, equal_nan=True)
    if name.endswith(("corrected", "basin", "certificate", "local")) and not math.isnan(rate):
        # The certificate is on components with weights of its own: asymptotically the bound is on the late rate.
        assert rate <= (measured.late if name.endswith("certificate") else reference) * (1 + 1e-3)
    if name.endswith("spectral"):  # the fit still sees what faster modes leave in its window
        assert rate == pytest.approx(measured.late, rel=0.05)
