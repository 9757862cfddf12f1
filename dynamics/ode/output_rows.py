"""What is kept of a run on its way: rows of times and states, within a share of the memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dynamics.arrays import Vector
from dynamics.memory import GIB, available_memory
from dynamics.ode.state import State
from dynamics.ode.status import Status, Stop

Interpolation = Callable[[float], State]
"""The state at a time within the last step."""


class OutputRows:
    """The rows kept of a run, and the last accepted point ``(t, state)``.

    Args:
        t0, start: where the run starts.
        wanted: output times; None for every accepted point.
        direction: 1 or -1, in which time runs.

    Raises:
        ValueError: the wanted times take more than a quarter of the available memory. The arrays made of the rows in
            the end take as much again, and the observables about as much as that.
    """

    def __init__(self, t0: float, start: State, wanted: Vector | None, direction: int) -> None:
        self.t, self.state = t0, start
        y0 = start.y
        self.rows: list[tuple[float, Vector]] = []
        self._wanted = wanted
        self._direction = direction
        self._next = 0
        self.capacity = max(int(available_memory() / 4 / (8 * y0.size)), 1)
        if wanted is not None and wanted.size > self.capacity:
            raise ValueError(
                f"t_eval: {wanted.size} times of {y0.size} components take "
                f"{8 * wanted.size * y0.size / GIB:.1f} GiB, more than a quarter of the available memory; "
                "ask for fewer times"
            )
        if wanted is None or wanted[0] == t0:
            self._keep(t0, y0)
            self._next = 1

    def advance(self, t: float, state: State, within_step: Interpolation) -> None:
        """Keep what is wanted up to the accepted point ``(t, state)``."""
        if self._wanted is None:
            self._keep(t, state.y)
        else:
            while self._next < self._wanted.size and self._direction * (t - self._wanted[self._next]) >= 0:
                at = float(self._wanted[self._next])
                # A step is more accurate than its interpolant.
                self._keep(at, (state if at == t else within_step(at)).y)
                self._next += 1
        self.t, self.state = t, state

    def close(self) -> None:
        """Keep the point where the run stopped early."""
        if not self.rows or self.rows[-1][0] != self.t:
            self.rows.append((self.t, self.state.y.copy()))

    def _keep(self, t: float, y: Vector) -> None:
        if not np.isfinite(y).all():
            component = int(np.argmin(np.isfinite(y)))
            raise Stop(Status.NONFINITE, f"the state at t = {t:.6g} is not finite", component)
        if len(self.rows) >= self.capacity:
            raise Stop(Status.MEMORY_LIMIT, f"{len(self.rows)} states fill a quarter of the available memory")
        self.rows.append((t, y.copy()))
