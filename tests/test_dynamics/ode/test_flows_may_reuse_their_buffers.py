"""A flow may give the same array at every call, filled anew: methods keep copies of what they go on with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from luckproof import METHODS, Array, Flow, Trajectory, integrate
from tests.test_dynamics.ode.ode_problems import Field


def oscillator(t: float, y: Array) -> Array:
    """Van der Pol's, mu = 5: steps are rejected at its turns, and tried again from what was kept."""
    return np.array([y[1], 5.0 * (1 - y[0] ** 2) * y[1] - y[0]])


class Reusing:
    """A field in one buffer."""

    def __init__(self) -> None:
        self.buffer = np.empty(2)

    def __call__(self, t: float, y: Array) -> Array:
        self.buffer[:] = oscillator(t, y)
        return self.buffer


class Descent(Flow):
    """y' = -K y of the loss y K y / 2, all of it in buffers where ``reuses``."""

    dimensions = {"y": ("node",)}  # noqa: RUF012
    initial_arrays = {"y": np.array([1.0, 2.0])}  # noqa: RUF012

    def __init__(self, reuses: bool) -> None:
        self.reuses = reuses
        self.buffers = np.empty(2), np.empty(()), np.empty(())

    def __call__(self, t: float, y: Array) -> Array:
        return -np.array([1.0, 50.0]) * y

    def with_loss(self, t: float, y: Array) -> Any:
        f = self(t, y)
        parts = f, np.array(-(y @ f) / 2), np.array(-(f @ f))
        if not self.reuses:
            return parts
        for buffer, part in zip(self.buffers, parts, strict=True):
            buffer[...] = part
        return self.buffers


def same(one: Trajectory, other: Trajectory) -> bool:
    return one.nfev == other.nfev and np.array_equal(one.state["y"], other.state["y"])


@pytest.mark.parametrize("method", [name for name in METHODS if name != "HeunDescent"])
def test_one_buffer_is_as_good_as_new_arrays(method: str) -> None:
    """The same evaluations and the same bits."""
    plain, reused = (
        integrate(Field(field, [2.0, 0.0]), (0.0, 20.0), method=method) for field in (oscillator, Reusing())
    )
    assert plain.success
    assert same(plain, reused)


def test_losses_in_a_buffer_are_as_good_as_new_ones() -> None:
    """Of a flow that tells its loss: a step is judged by the losses at its two ends, not by the last one twice."""
    plain, reused = (integrate(Descent(reuses), (0.0, 3.0), method="HeunDescent") for reuses in (False, True))
    assert plain.success
    assert same(plain, reused)
