"""A stack of instances integrated at once is as accurate as each instance alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from luckproof import METHODS, Trajectory, integrate

Vector = NDArray[np.float64]
HARD = 20.0  # rotation rate; three turns within the unit of time


@dataclass
class Rotations:
    """S rotations, one rate each, as one flow; ``declared`` is what it says about its number of instances."""

    rates: Vector
    declared: int

    dimensions = {"point": ("coordinate",)}  # noqa: RUF012

    @property
    def instances(self) -> int:
        return self.declared

    def initial_state(self) -> Vector:
        return np.tile([1.0, 0.0], len(self.rates))

    def __call__(self, t: float, y: Vector) -> Vector:
        z = y.reshape(-1, 2)
        return (self.rates[:, None] * np.stack([z[:, 1], -z[:, 0]], axis=1)).ravel()

    def unpack(self, y: Vector) -> dict[str, Vector]:
        return {"point": y.reshape(-1, 2)}


def run(rates: Vector, method: str, declared: int | None = None) -> Trajectory:
    flow = Rotations(rates, len(rates) if declared is None else declared)
    return integrate(flow, (0.0, 1.0), method=method, rtol=1e-6, atol=1e-8)


def errors(trajectory: Trajectory, rates: Vector) -> Vector:
    exact = np.stack([np.cos(rates), -np.sin(rates)], axis=1)
    return np.sqrt(np.mean((trajectory.state["point"][-1] - exact) ** 2, axis=1))


def one_hard_among_easy(count: int) -> Vector:
    rates = np.zeros(count)
    rates[count // 2] = HARD
    return rates


@pytest.mark.parametrize("method", METHODS)
def test_one_hard_instance_among_easy_ones_keeps_its_accuracy(method: str) -> None:
    """63 points at rest around one fast rotation: its error is what it is alone.

    The norm of the stack is that of the hard instance alone, by a maximum over instances or by tolerances over
    sqrt(64) (at rest the others add nothing), and so are the steps, up to the Newton tolerance of implicit methods,
    which depends on rtol by itself; 2 leaves room for that.
    """
    rates = one_hard_among_easy(64)
    alone = errors(run(rates[32:33], method), rates[32:33])[0]
    stacked = errors(run(rates, method), rates)[32]
    assert stacked <= 2 * alone


@pytest.mark.parametrize("method", [name for name, row in METHODS.items() if row.rms_norm])
def test_the_undivided_tolerance_dilutes(method: str) -> None:
    """Control: the same stack declared as one instance has its hard member several times less accurate.

    The norm is diluted by sqrt(64) = 8; the error follows with the power p/(q+1) near one.
    """
    rates = one_hard_among_easy(64)
    alone = errors(run(rates[32:33], method), rates[32:33])[0]
    # The power is 1/2 for the first order at which CVODE starts, 8^(1/2) = 2.8.
    least = 2 if method == "CVODE" else 4
    assert errors(run(rates, method, declared=1), rates)[32] > least * alone


@pytest.mark.parametrize("method", METHODS)
def test_every_instance_of_a_mixed_stack_meets_the_tolerance(method: str) -> None:
    """Rates from 0 to 20: each instance's error <= n_steps * tolerance, the bound of a run of its own."""
    rates = np.linspace(0.0, HARD, 32)
    trajectory = run(rates, method)
    assert errors(trajectory, rates).max() <= trajectory.n_steps * (1e-6 + 1e-8)


def test_dividing_stops_at_the_floor() -> None:
    """rtol = 1e-13 over sqrt(64) is below 100 eps: clamped, without SciPy's warning."""
    trajectory = integrate(Rotations(np.zeros(64), 64), (0.0, 1.0), rtol=1e-13, method="Radau")
    assert trajectory.attributes["solver_rtol"] == 100 * np.finfo(float).eps
    assert trajectory.attributes["rtol"] == 1e-13
    assert trajectory.attributes["solver_atol"] == 1e-10 / 8


def test_the_worst_component_is_named_with_its_instance() -> None:
    """A step limit names the fast instance."""
    flow = Rotations(one_hard_among_easy(8), 8)
    trajectory = integrate(flow, (0.0, 1.0), max_steps=3)
    assert "worst component point[4, " in trajectory.message
