"""A deep simulation by name: widths, over-parameterisation, start and samples as plain options, and what it says."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np

from dynamics.arrays import Array
from dynamics.deep.flow import DeepFlow
from dynamics.deep.problem import DeepProblem, separated_teacher
from dynamics.measures.empirical import EmpiricalMeasure
from dynamics.ode.integrate import integrate
from dynamics.ode.trajectory import Trajectory
from dynamics.validation import positive_int


class ModulationName(StrEnum):
    """How the expectation of Eqn 6 is taken."""

    PER_SAMPLE = "per-sample"
    SEPARATED = "separated"


_MODULATIONS: dict[ModulationName, Literal["per_sample", "separated"]] = {
    ModulationName.PER_SAMPLE: "per_sample",
    ModulationName.SEPARATED: "separated",
}


@dataclass(frozen=True)
class DeepSimulation:
    """The resolved configuration of a run of :class:`dynamics.deep.flow.DeepFlow`.

    ``widths``: inputs, the teacher's hidden layers, outputs. Students are ``factor`` times as wide in every hidden
    layer and start from noise, or with weight ``p_W`` of the teacher in the first nodes (Luck Matters, section 4.2,
    layer by layer). ``samples``: standard normal inputs, the same for all ``instances``. Teachers are the authors'
    separated ones.
    Raises ValueError on sizes that cannot be had.
    """

    widths: tuple[int, ...] = (10, 8, 8, 5)
    factor: int = 2
    modulation: ModulationName = ModulationName.PER_SAMPLE
    p_W: float = 0.0
    samples: int = 1000
    seed: int = 0
    instances: int = 1
    t_end: float = 100.0
    points: int = 201
    method: str = "auto"
    rtol: float = 1e-8
    atol: float = 1e-10
    max_steps: int = 100_000

    def __post_init__(self) -> None:
        if len(self.widths) < 3:
            raise ValueError(
                f"widths: expected inputs, hidden layers and outputs (such as 10-8-5), got {self.widths}"
            )
        for name, values in (
            ("widths", self.widths),
            ("factor", (self.factor,)),
            ("samples", (self.samples,)),
        ):
            for value in values:
                positive_int(name, value)
        for name, least in (("seed", 0), ("instances", 1), ("points", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected an integer >= {least}, got {getattr(self, name)}")
        if not 0 < self.t_end < np.inf:
            raise ValueError(f"t_end: expected a positive finite time, got {self.t_end}")

    def build(self) -> DeepFlow:
        """Teacher, students and samples drawn from the seed, and the flow on them."""
        rng = np.random.default_rng(np.random.SeedSequence((self.seed,)))
        measure = EmpiricalMeasure(rng.standard_normal((self.samples, self.widths[0])))
        teacher = separated_teacher(self.widths, rng, () if self.instances == 1 else (self.instances,))
        problem = DeepProblem.over_parameterised(teacher, self.factor, rng, measure=measure, p_W=self.p_W)
        return DeepFlow(problem, _MODULATIONS[self.modulation])

    def run(self, flow: DeepFlow, *, progress: bool = False) -> Trajectory:
        """Integrate ``flow``; the configuration goes into the trajectory's attributes."""
        trajectory = integrate(
            flow,
            (0.0, self.t_end),
            t_eval=np.linspace(0.0, self.t_end, self.points),
            method=self.method,
            rtol=self.rtol,
            atol=self.atol,
            max_steps=self.max_steps,
            progress=progress,
        )
        options = {name: str(v) if isinstance(v, StrEnum) else v for name, v in vars(self).items()}
        return dataclasses.replace(trajectory, attributes={**trajectory.attributes, "simulation": options})


def summary(simulation: DeepSimulation, flow: DeepFlow, trajectory: Trajectory) -> list[str]:
    """What the run says: sizes, how it ended, loss, correlation and gaps layer by layer (medians of the instances)."""
    problem, watched = flow.problem, trajectory.observables
    widths = ("-".join(map(str, w)) for w in (problem.teacher_widths, problem.student_widths))
    lines = [
        "DeepFlow: teacher {}, student {}, ".format(*widths)
        + f"{simulation.modulation} modulation, {simulation.samples} samples, {flow.instances} instance(s), "
        f"seed {simulation.seed}",
        f"{trajectory.attributes['method']}: {trajectory.status} at t = {trajectory.t[-1]:.6g}, "
        f"{trajectory.n_steps} steps, {trajectory.nfev} evaluations",
        f"largest loss: {watched['loss'][0].max():.4g} -> {watched['loss'][-1].max():.4g}",
    ]
    named = {
        "mean_best_correlation": "mean best correlation by hidden layer",
        "field_gap": "gap of the closure in W' by layer",
        "beta_teacher_gap": "gap of the closure in E[beta*] by hidden layer",
    }
    for name, words in named.items():
        first, last = (_by_layer(watched[name][row]) for row in (0, -1))
        lines.append(f"{words}: {first} -> {last}")
    return lines


def _by_layer(values: Array) -> str:
    layers = np.median(values.reshape(-1, values.shape[-1]), axis=0)
    return "[" + ", ".join(f"{value:.3g}" for value in layers) + "]"
