"""Every bound against drawn networks, which must not be slower; and what the comparison allows for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from luckproof import BOUNDS, BUDGETS, CannotJudgeError, Context, Statement
from verify.luckmatters import network_bounds
from verify.mathematics.bounded_networks import Sizes, judge_bound, stable_step, train_sizes
from verify.mathematics.bounds.decay import DECAY_BOUNDS

pytestmark = [
    pytest.mark.statement("luckmatters.theorem4.networks.bound"),
    pytest.mark.statement("luckmatters.theorem5.networks.bound"),
]

CONTEXT = Context(examples=200)
DRAWN = settings(
    max_examples=10, suppress_health_check=[HealthCheck.too_slow]
)  # a clock, and networks take seconds


def holds(statement: Statement[Any, ...], instance: Any, device: str) -> bool:
    hypothesis.assume(all(assumption.satisfied for assumption in statement.assumptions(instance)))
    try:
        evidence = statement(instance, replace(CONTEXT, device=device))
    except CannotJudgeError:
        hypothesis.reject()
    return evidence.holds


@DRAWN
@given(instance=network_bounds.theorem4_starts(BUDGETS["quick"]))
def test_theorem_4_corrected(instance: network_bounds.Theorem4Bounded, device: str) -> None:
    """One teacher at any angle, two that are near enough, several with thresholds."""
    assert holds(network_bounds.networks_not_slower_than_theorem_4, instance, device)


@DRAWN
@given(instance=network_bounds.theorem5_starts(BUDGETS["quick"]))
def test_theorem_5_certificate(instance: network_bounds.Theorem5Bounded, device: str) -> None:
    """W and V trained, certified by the comparison system."""
    assert holds(network_bounds.networks_not_slower_than_theorem_5, instance, device)


def test_rows_are_rates_of_the_table() -> None:
    """Each decay bound has the rate that the table of bounds gives for its problem, and starts under itself."""
    problems = {"theorem4.corrected": network_bounds.PAIR, "theorem5.certificate": network_bounds.WIDE}
    assert set(problems) == set(DECAY_BOUNDS)
    for name, row in DECAY_BOUNDS.items():
        problem = problems[name].problem()
        bound = row(problem)
        assert bound.rate == pytest.approx(BOUNDS[name](problem), rel=1e-12)
        start = [np.linalg.norm(y) for y in bound.deviations(problem.student_W, problem.student_V)]
        assert np.all(np.array(start) <= bound.p * (1 + 1e-12))


def test_the_allowance_is_the_networks_own_spread() -> None:
    """Sizes on the bound are accepted, 5 % above it rejected, and accepted with a spread that explains them."""
    bound = DECAY_BOUNDS["theorem4.corrected"](network_bounds.SHARP.problem())
    t = np.linspace(1.0, 4.0, 5)
    on_it = bound.p * np.exp(-bound.rate * t)[:, None]
    exact = Sizes(t, on_it, 1e-6 * on_it, 1e-12 * on_it**2, 64)
    assert judge_bound(bound, exact, CONTEXT).holds
    above = replace(exact, mean=1.05 * on_it)
    assert not judge_bound(bound, above, CONTEXT).holds
    assert judge_bound(bound, replace(above, spread=0.11 * on_it**2), CONTEXT).holds


def test_a_step_is_stable() -> None:
    """The largest step keeps networks bounded and brings them nearer; ten times as large does not."""
    bound = DECAY_BOUNDS["theorem5.certificate"](network_bounds.WIDE.problem())
    seen = train_sizes(bound, stable_step(bound), 512, 8, 0, "cpu")
    assert np.all(seen.mean[-1] < 0.3 * bound.p)
    with pytest.raises(CannotJudgeError):
        raise_if_larger(train_sizes(bound, 10 * stable_step(bound), 512, 8, 0, "cpu"), bound.p)


def raise_if_larger(seen: Sizes, p: np.ndarray) -> None:
    if not np.all(seen.mean[-1] < p):
        raise CannotJudgeError("larger than at the start")
