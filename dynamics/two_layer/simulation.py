"""A two-layer simulation by plain options: a problem, its flow, and how it is integrated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dynamics.ode.simulation import Simulation
from dynamics.options import option
from dynamics.two_layer.problem_options import TwoLayerOptions
from dynamics.validation import number

if TYPE_CHECKING:
    from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics

STAGES = 8
"""Copies of its arrays that a step of the integration holds at a time, about."""


@dataclass(frozen=True)
class TwoLayerSimulation(TwoLayerOptions, Simulation):
    """A flow of two-layer networks, integrated.

    Raises ValueError or TypeError, naming the option, on values that do not go together.
    """

    until: float | None = option(None, "Stop once every sin theta is below this.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.until is not None:
            number("until", self.until, positive=True)
        self.check_memory()

    @property
    def memory(self) -> int:
        """Weights, teachers and the overlaps of all nodes in every stage of a step, and the records."""
        n = self.m if self.n is None else self.n
        working = STAGES * (self.state_size + (self.d + 1) * self.m + (n + self.m) ** 2)
        inputs = self.law.sample_count * (self.d + 2 * self.m + n)
        return 8 * (self.instances * (working + self.points * (self.state_size + 4 * n)) + inputs)

    def build(self) -> TwoLayerDynamics:
        """The flow on :meth:`problem`."""
        return self.flow_on(self.problem())

    @property
    def events(self) -> list[Any]:
        """The end at ``until``, where that is given."""
        from dynamics.ode.events import converged

        return [] if self.until is None else [converged(self.until)]
