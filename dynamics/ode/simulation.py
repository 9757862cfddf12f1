"""A simulation by plain options: what all have in common, and the integration of what is built from them."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.memory import GIB, available_memory
from dynamics.options import option
from dynamics.validation import integer, number, positive_int

if TYPE_CHECKING:
    from dynamics.ode.flow import Flow
    from dynamics.ode.trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class Simulation(ABC):
    """The options of any simulation; a subclass adds those of its problem and builds the flow from them.

    The words beside each field are those of the command line. The fields are checked when the simulation is made;
    what is integrated is imported only when it is built. Raises ValueError or TypeError, naming the field.
    """

    seed: int = option(0, "Seed of everything that is drawn.")
    instances: int = option(1, "Independent draws, integrated as one stack.")
    t_end: float = option(100.0, "End of the time span.")
    points: int = option(201, "Output times.")
    method: str = option(
        "auto", "auto, CVODE, RK45, DOP853, RKC, ROCK4, LSODA, Radau, BDF or (deep) HeunDescent."
    )
    rtol: float = option(1e-8, "Relative tolerance.")
    atol: float = option(1e-10, "Absolute tolerance.")
    max_steps: int = option(100_000, "Give up after so many steps.")

    def __post_init__(self) -> None:
        integer("seed", self.seed, least=0)
        positive_int("instances", self.instances)
        number("t_end", self.t_end, positive=True)
        integer("points", self.points, least=2)

    @property
    @abstractmethod
    def memory(self) -> int:
        """Bytes that drawing, integrating and recording take, about."""

    def check_memory(self) -> None:
        """Refuse sizes that do not fit the memory; raises ValueError with the estimate and the largest options."""
        needed, available = self.memory, available_memory()
        if needed > available:
            sizes = {
                name: size for name, size in vars(self).items() if type(size) is int and name != "max_steps"
            }
            largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
            shown = ", ".join(f"{name} = {sizes[name]}" for name in largest)
            raise ValueError(
                f"{largest[0]}: the run takes about {needed / GIB:.3g} GiB ({shown}), and {available / GIB:.3g} GiB "
                "are available"
            )

    @abstractmethod
    def build(self) -> Flow:
        """The flow that these options describe, drawn from the seed."""

    @property
    def events(self) -> list[Any]:
        """What ends the run early; nothing unless an option says so."""
        return []

    @property
    def batch(self) -> tuple[int, ...]:
        """The leading axes of everything that is drawn: none for one instance."""
        return () if self.instances == 1 else (self.instances,)

    def rng(self) -> np.random.Generator:
        """The generator of the seed."""
        return np.random.default_rng(np.random.SeedSequence((self.seed,)))

    def run(self, flow: Flow, *, progress: bool = False) -> Trajectory:
        """Integrate ``flow`` (of :meth:`build`) over the span; the options go into the result's attributes.

        Args:
            flow: what :meth:`build` gave; it is not built again.
            progress: a bar on stderr, where that is a terminal.

        Returns:
            The run at ``points`` evenly spaced times, or up to where it ended (see its ``status``); attribute
            ``simulation`` holds every option.

        Raises:
            ValueError: a method or tolerance that :func:`dynamics.integrate` refuses.
        """
        from dynamics.ode.integrate import integrate

        trajectory = integrate(
            flow,
            (0.0, self.t_end),
            t_eval=np.linspace(0.0, self.t_end, self.points),
            method=self.method,
            rtol=self.rtol,
            atol=self.atol,
            max_steps=self.max_steps,
            events=self.events,
            progress=progress,
        )
        options = {name: str(v) if isinstance(v, StrEnum) else v for name, v in vars(self).items()}
        return dataclasses.replace(
            trajectory,
            problem={**trajectory.problem, "seed": self.seed},
            attributes={**trajectory.attributes, "simulation": options},
        )
