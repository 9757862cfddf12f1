"""Networks drawn at full size, 200 ensembles a claim and d and m up to 100 on CUDA; a few small ones on a CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings
from scipy.stats import binom

from luckproof import BUDGETS, CannotJudgeError, Context, Statement
from verify.luckmatters import network_bounds, theorem4_fluctuations, theorem4_networks, theorem5_networks

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.statement(
        "luckmatters.theorem4.networks", "luckmatters.theorem5.networks", "luckmatters.theorem4.fluctuations"
    ),
]

CLAIMS: dict[str, tuple[Statement[Any, ...], Callable[[Any], Any], dict[str, Any]]] = {
    "theorem 4": (
        theorem4_networks.networks_decay_at_the_predicted_rate,
        theorem4_networks.ensembles,
        {"stretch": 1.03},
    ),
    "theorem 5": (
        theorem5_networks.networks_decay_at_the_predicted_rate,
        theorem5_networks.ensembles,
        {"stretch": 1.03},
    ),
    "fluctuations": (
        theorem4_fluctuations.networks_fluctuate_as_predicted,
        theorem4_fluctuations.settings,
        {"noise": 1.4},
    ),
    "theorem 4, bound": (
        network_bounds.networks_not_slower_than_theorem_4,
        network_bounds.theorem4_starts,
        {},
    ),
    "theorem 5, bound": (
        network_bounds.networks_not_slower_than_theorem_5,
        network_bounds.theorem5_starts,
        {},
    ),
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_drawn_networks(claim: str, device: str, record_property: Callable[[str, object], None]) -> None:
    """Every ensemble that decides is as predicted, and none as the altered claim has it; nine of ten decide.

    Of the few on a CPU no fewer than nine of ten would leave by chance, once in a thousand runs.
    """
    statement, strategy, altered = CLAIMS[claim]
    large = device == "cuda"
    context = Context(BUDGETS["full" if large else "quick"], device, examples=1000)
    count: Counter[str] = Counter()

    @settings(max_examples=200 if large else 4, database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(instance=strategy(context.budget))
    def check(instance: Any) -> None:
        hypothesis.assume(all(assumption.satisfied for assumption in statement.assumptions(instance)))
        try:
            evidence = statement(instance, context)
        except CannotJudgeError:
            count["cannot be judged"] += 1
            return
        count["undecided" if evidence.inconclusive else "decided"] += 1
        assert evidence.holds
        if altered and not evidence.inconclusive:
            assert not statement(instance, replace(context), **altered).holds

    check()
    for name, number in count.items():
        record_property(name, number)
    total = count.total()
    assert total - count["decided"] <= (0.1 * total if large else binom.isf(1e-3, total, 0.1))
