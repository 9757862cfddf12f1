"""A simulation by plain options: what all have in common, and the integration of what is built from them."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dynamics.ode.progress import Progress
from dynamics.ode.run_options import RunOptions
from dynamics.options import option
from dynamics.validation import number

if TYPE_CHECKING:
    from dynamics.ode.flow import Flow
    from dynamics.ode.trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class Simulation(RunOptions):
    """The options of any simulation; a subclass adds those of its problem and builds the flow from them.

    Raises ValueError or TypeError, naming the field.
    """

    recorded_as: ClassVar[str] = "simulation"
    no_sizes: ClassVar[tuple[str, ...]] = ("seed", "max_steps")

    t_end: float = option(100.0, "End of the time span.")
    method: str = option(
        "auto", "Integrator: auto, CVODE, RK45, DOP853, ROCK4, LSODA, Radau, BDF or (deep) HeunDescent."
    )
    rtol: float = option(1e-8, "Relative tolerance.")
    atol: float = option(1e-10, "Absolute tolerance.")
    max_steps: int = option(100_000, "Give up after so many steps.")

    def __post_init__(self) -> None:
        super().__post_init__()
        number("t_end", self.t_end, positive=True)

    @abstractmethod
    def build(self) -> Flow:
        """The flow that these options describe, drawn from the seed."""

    @property
    def events(self) -> list[Any]:
        """What ends the run early; nothing unless an option says so."""
        return []

    def run(self, built: Flow, *, progress: bool | Progress = False) -> Trajectory:
        """Integrate a flow over the span; the options go into the result's attributes.

        Args:
            built: what :meth:`build` gave; it is not built again.
            progress: a bar on stderr where that is a terminal, or a callable of the fraction done.

        Returns:
            The run at ``points`` evenly spaced times, or up to where it ended (see its ``status``); attribute
            ``simulation`` holds every option.

        Raises:
            ValueError: a method or tolerance that :func:`dynamics.integrate` refuses.
        """
        from dynamics.ode.integrate import integrate

        trajectory = integrate(
            built,
            (0.0, self.t_end),
            t_eval=np.linspace(0.0, self.t_end, self.points),
            method=self.method,
            rtol=self.rtol,
            atol=self.atol,
            max_steps=self.max_steps,
            events=self.events,
            progress=progress,
        )
        return self.recorded(trajectory)
