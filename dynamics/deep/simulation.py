"""A deep simulation by plain options: widths, over-parameterisation, start, samples and how Eqn 6 is closed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from dynamics.ode.simulation import Simulation
from dynamics.options import option
from dynamics.validation import positive_int

if TYPE_CHECKING:
    from dynamics.deep.flow import DeepFlow


class ModulationName(StrEnum):
    """How the expectation of Eqn 6 is taken."""

    PER_SAMPLE = "per-sample"
    SEPARATED = "separated"


@dataclass(frozen=True)
class DeepSimulation(Simulation):
    """Deep teachers and students by plain options.

    ``widths``: inputs, the teacher's hidden layers, outputs. Students are ``factor`` times as wide in every hidden
    layer and start from noise, or with weight ``p_W`` of the teacher in the first nodes (Luck Matters, section 4.2,
    layer by layer). ``samples``: standard normal inputs, the same for all ``instances``. Teachers are the authors'
    separated ones.

    Raises ValueError or TypeError, naming the option, on sizes that cannot be had.
    """

    widths: tuple[int, ...] = option(
        (10, 8, 8, 5), "Inputs, teacher's hidden layers, outputs.", separator="-"
    )
    factor: int = option(2, "Students this much wider.")
    modulation: ModulationName = option(
        ModulationName.PER_SAMPLE, "How the expectation of the modulation is taken."
    )
    p_W: float = option(0.0, "Weight of W* in the start of W.")
    samples: int = option(1000, "Number of inputs.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.widths) < 3:
            raise ValueError(
                f"widths: expected inputs, hidden layers and outputs (such as 10-8-5), got {self.widths}"
            )
        for width in self.widths:
            positive_int("widths", width)
        for name in ("factor", "samples"):
            positive_int(name, getattr(self, name))
        self.check_memory()

    @property
    def memory(self) -> int:
        """Activations of all samples, weights in every stage of a step, and the records."""
        nodes = [self.widths[0], *(self.factor * width for width in self.widths[1:-1]), self.widths[-1]]
        weights = sum(below * above for below, above in itertools.pairwise(nodes))
        working = self.samples * (4 * sum(nodes) + 2 * sum(self.widths)) + 8 * weights
        return 8 * self.instances * (working + self.points * weights)

    def build(self) -> DeepFlow:
        """Teacher, students and samples drawn from the seed, and the flow on them.

        Raises:
            ValueError: more nodes in a layer than there are separated directions, or ``p_W`` below 0.
        """
        from dynamics.deep.flow import DeepFlow
        from dynamics.deep.problem import DeepProblem
        from dynamics.measures.empirical import EmpiricalMeasure
        from dynamics.two_layer import teachers

        rng = self.rng()
        measure = EmpiricalMeasure(rng.standard_normal((self.samples, self.widths[0])))
        teacher = teachers.separated_layers(self.widths, rng, self.batch)
        problem = DeepProblem.over_parameterised(teacher, self.factor, rng, measure=measure, p_W=self.p_W)
        per_sample = self.modulation is ModulationName.PER_SAMPLE
        return DeepFlow(problem, "per_sample" if per_sample else "separated")
