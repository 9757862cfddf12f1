"""What any run by plain options has: a seed, a number of draws, output times, and a size that must fit the memory."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from dynamics.memory import GIB, available_memory
from dynamics.ode.progress import Progress
from dynamics.options import option
from dynamics.validation import integer, positive_int

if TYPE_CHECKING:
    from dynamics.ode.trajectory import Trajectory


@dataclass(frozen=True, kw_only=True)
class RunOptions(ABC):
    """The options of any run, integrated or trained; a subclass adds its own, and builds and runs what they describe.

    The words beside each field are those of the command line. The fields are checked when the options are made; what
    runs is imported only when it is built. Raises ValueError or TypeError, naming the field.
    """

    recorded_as: ClassVar[str]
    """The attribute of a run's file that holds the options."""

    no_sizes: ClassVar[tuple[str, ...]] = ("seed",)
    """Whole numbers among the options that take no memory."""

    seed: int = option(0, "Seed of everything that is drawn.")
    instances: int = option(1, "Independent draws, run as one stack.")
    points: int = option(201, "Output times.")

    def __post_init__(self) -> None:
        integer("seed", self.seed, least=0)
        positive_int("instances", self.instances)
        integer("points", self.points, least=2)

    @property
    @abstractmethod
    def memory(self) -> int:
        """Bytes that drawing, running and recording take, about."""

    def check_memory(self) -> None:
        """Refuse sizes that do not fit the memory; raises ValueError with the estimate and the largest options."""
        needed, available = self.memory, available_memory()
        if needed > available:
            sizes = {
                n: size for n, size in vars(self).items() if type(size) is int and n not in self.no_sizes
            }
            largest = sorted(sizes, key=lambda name: -sizes[name])[:3]
            shown = ", ".join(f"{name} = {sizes[name]}" for name in largest)
            raise ValueError(
                f"{largest[0]}: the run takes about {needed / GIB:.3g} GiB ({shown}), and {available / GIB:.3g} GiB "
                "are available"
            )

    @abstractmethod
    def build(self) -> Any:
        """What these options describe, drawn from the seed."""

    @abstractmethod
    def run(self, built: Any, *, progress: bool | Progress = False) -> Trajectory:
        """Run what :meth:`build` gave; the options go into the result's attribute ``recorded_as``."""

    @property
    def batch(self) -> tuple[int, ...]:
        """The leading axes of everything that is drawn: none for one instance."""
        return () if self.instances == 1 else (self.instances,)

    def rng(self) -> np.random.Generator:
        """The generator of the seed."""
        return np.random.default_rng(np.random.SeedSequence((self.seed,)))

    def recorded(self, trajectory: Trajectory) -> Trajectory:
        """``trajectory`` with every option in its attributes, and the seed in the description of its problem."""
        options = {name: str(v) if isinstance(v, StrEnum) else v for name, v in vars(self).items()}
        return dataclasses.replace(
            trajectory,
            problem={**trajectory.problem, "seed": self.seed},
            attributes={**trajectory.attributes, self.recorded_as: options},
        )
