"""A million steps of training and 10⁵ units of time: memory does not grow, norms do not drift, the loss only falls.

What was measured stands in docs/long_use.md.
"""

from __future__ import annotations

import numpy as np
import pytest

from luckproof import GradientFlow, ProjectedFlow
from tests.soak.long_use import ATOL, OFF_SPHERE, ON_SPHERE, RTOL, SPREADS, STEPS, Memory, flow, training

pytestmark = [pytest.mark.soak, pytest.mark.deep]

GROWTH = 16 << 20
"""Bytes by which the memory may rise after a run's first tenth: allocator slack."""

EPS = float(np.finfo(float).eps)


def test_a_million_steps_of_training() -> None:
    """Each on fresh samples: unit columns to a few ulp, and a mean loss that falls from record to record."""
    run = training()
    assert run.steps == STEPS
    assert run.growth < GROWTH
    assert run.drift < 8 * EPS
    assert run.rise < 0
    assert run.losses[1] < 1e-8 * run.losses[0]  # it has not stood still


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize(
    ("kind", "method"),
    [*((ProjectedFlow, method) for method in ON_SPHERE), *((GradientFlow, method) for method in OFF_SPHERE)],
)
def test_a_hundred_thousand_units_of_time(
    kind: type[ProjectedFlow] | type[GradientFlow], method: str, spread: float
) -> None:
    """Norms, and off the sphere the balance of the layers, move by no more than the errors of the steps allow.

    The loss is a sum of products of the weights, of which each has some ten, and the inputs' variance: what it rises
    by at its end is the rounding of that sum.
    """
    run = flow(kind, method, spread)
    size = 1.0 if kind is ProjectedFlow else 4.0  # of ||w_j|| + ||v_j||, which are doubled in the balance
    assert run.growth < GROWTH
    assert run.drift < run.steps * 2 * size * (RTOL * size + ATOL)
    assert run.rise < 100 * EPS * spread**2
    assert run.losses[1] < 0.01 * run.losses[0]


def test_growth_is_seen() -> None:
    """Control: a quarter of a megabyte kept at every hundredth of a run exceeds the allowance."""
    memory, kept = Memory(), []
    for percent in range(101):
        kept.append(np.ones(1 << 15))
        memory(percent / 100)
    assert len(kept) == 101
    assert memory.growth > GROWTH
