"""A run's plan is checked and decided once: what it says is what the run does, and nothing is asked twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from dynamics.ode.plan import Plan
from dynamics.ode.steppers.methods import LOSS_CONTROLLED
from luckproof import METHODS, Array, Flow, integrate

ARGUMENTS: dict[str, Any] = {
    "t_eval": None, "method": "auto", "rtol": 1e-6, "atol": 1e-8, "max_steps": 10, "max_seconds": None, "events": None,
}  # fmt: skip


class Counted(Flow):
    """y' = -y for three instances, which counts what it is asked."""

    dimensions: Mapping[str, tuple[str, ...]] = {"x": ("node",)}
    initial_arrays: Mapping[str, Array] = {"x": np.ones((3, 4))}

    def __init__(self) -> None:
        self.evaluations, self.labelled, self.started = 0, 0, 0

    def __call__(self, t: float, y: Array) -> Array:
        self.evaluations += 1
        return -y

    def initial_state(self) -> Array:
        self.started += 1
        return super().initial_state()

    def instance_labels(self, size: int) -> Any:
        self.labelled += 1
        return super().instance_labels(size)


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_start_and_instances_are_asked_for_once(method: str) -> None:
    """Whatever the method, and whoever took it."""
    flow = Counted()
    assert integrate(flow, (0.0, 1.0), method=method).success
    assert (flow.started, flow.labelled) == (1, 1)


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_a_plan_evaluates_nothing_but_to_choose(method: str) -> None:
    """Only the choice of a method looks at the field, and its evaluations are those that the plan counts."""
    flow = Counted()
    plan = Plan.of(flow, (0.0, 1.0), **{**ARGUMENTS, "method": method})
    assert plan.method.evaluations == flow.evaluations
    assert (flow.evaluations > 0) is (method == "auto")
    assert plan.guarded_field().nfev == plan.method.evaluations


@pytest.mark.parametrize("method", METHODS)
def test_the_plan_is_what_the_result_says(method: str) -> None:
    """Method, tolerances, span and limits of the run are those of its plan; a stack is held to its tolerances."""
    flow = Counted()
    plan = Plan.of(flow, (0.0, 1.0), **{**ARGUMENTS, "method": method})
    run = integrate(flow, (0.0, 1.0), method=method, rtol=1e-6, atol=1e-8, max_steps=10)
    assert plan.settings().items() <= run.attributes.items()
    row = METHODS[method]
    root = 1.0 if row.per_instance or not row.rms_norm else np.sqrt(3)
    assert plan.solver_tolerances == (1e-6 / root, 1e-8 / root)
    assert ("labels" in plan.tolerances.options_for(row)) is row.per_instance


def test_a_method_by_the_loss_is_refused_without_one() -> None:
    """The name is known, the flow does not fit it: said by the plan, before anything is evaluated."""
    flow = Counted()
    for name in LOSS_CONTROLLED:
        with pytest.raises(TypeError, match=rf"^method: {name} expects a flow with with_loss.*, got Counted"):
            Plan.of(flow, (0.0, 1.0), **{**ARGUMENTS, "method": name})
    assert flow.evaluations == 0
