"""Small flows with known solutions, and a clock that no test of the integrator can outlast."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

Vector = NDArray[np.float64]


@dataclass
class Field:
    """A bare flow: a right-hand side and an initial state, none of the optional members."""

    function: Callable[[float, Vector], Any]
    start: Any

    def initial_state(self) -> Vector:
        return np.array(self.start, dtype=np.float64)

    def __call__(self, t: float, y: Vector) -> Any:
        return self.function(t, y)


@dataclass
class Solved:
    """A flow with its exact solution; ``growth`` bounds how much a past error grows until later."""

    flow: Field
    exact: Callable[[float], Vector]
    span: tuple[float, float]
    growth: float


def linear() -> Solved:
    """y' = A y, A symmetric with eigenvalues -0.3 ... -8; solution by ``expm``; errors never grow."""
    Q = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]
    A = -(Q * [0.3, 1.0, 3.0, 8.0]) @ Q.T
    y0 = np.array([1.0, -2.0, 0.5, 1.0])
    return Solved(Field(lambda t, y: A @ y, y0), lambda t: expm(A * t) @ y0, (0.0, 4.0), 1.0)


def logistic() -> Solved:
    """y' = 2 y (1 - y): nonlinear; an error grows by at most y(1-y) = 1/4 over its smallest value before."""
    y0 = np.array([0.1, 0.3])
    flow = Field(lambda t, y: 2 * y * (1 - y), y0)
    return Solved(flow, lambda t: 1 / (1 + (1 / y0 - 1) * np.exp(-2 * t)), (0.0, 4.0), 0.25 / 0.09)


def forced() -> Solved:
    """y' = sin t - y + cos t: not autonomous; y = sin t + exp(-t); errors decay."""
    flow = Field(lambda t, y: np.sin(t) - y + np.cos(t), [1.0])
    return Solved(flow, lambda t: np.array([np.sin(t) + np.exp(-t)]), (0.0, 6.0), 1.0)


PROBLEMS = {"linear": linear, "logistic": logistic, "forced": forced}


def rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


class Hang(BaseException):
    """The clock ran out; a BaseException, so that no handler in between mistakes it for a failed step."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Interrupt the body after ``seconds`` of wall clock, whatever it is doing."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise Hang(f"still running after {seconds} s")

    previous = signal.signal(signal.SIGALRM, ring)
    before = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, previous)
        signal.setitimer(signal.ITIMER_REAL, *before)  # the suite's own limit goes on
