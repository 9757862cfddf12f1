"""A training by plain options: the problem of a two-layer simulation, and how networks are trained on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from dynamics.ode.progress import Progress
from dynamics.options import option
from dynamics.two_layer.problem_options import FlowName, TwoLayerOptions
from dynamics.validation import number, positive_int
from nets.products import PRODUCTS, known_products
from nets.two_layer.optimiser import checked_optimiser

if TYPE_CHECKING:
    from dynamics.arrays import Array
    from dynamics.ode.trajectory import Trajectory
    from dynamics.two_layer.problem import TeacherStudent
    from nets.two_layer.networks import TwoLayerStudents

DEVICE_WORDS = "Where networks are trained: auto, cpu, cuda or cuda:N."
"""What an option ``device`` means, wherever there is one."""

BLOCK = 2**15
"""Numbers that a network draws at once at least, about."""


@dataclass(frozen=True)
class TwoLayerTraining(TwoLayerOptions):
    """Networks trained from the starts of a two-layer simulation: the same options and seed give the same starts.

    ``flow`` says how they step: ``projected`` trains W on the sphere (Theorem 4), ``two-layer`` V with it (Theorem 5),
    ``gradient`` is plain SGD on both. Every draw has ``networks`` of them, each on fresh samples of its own; they stand
    on one axis, draw after draw.

    Raises ValueError or TypeError, naming the option, on values that do not go together.
    """

    recorded_as: ClassVar[str] = "training"

    lr: float = option(0.1, "Learning rate.")
    batch_size: int = option(256, "Fresh samples a step and network.")
    steps: int = option(1000, "SGD steps; time is steps times learning rate.")
    networks: int = option(16, "Networks of each draw, each on samples of its own.")
    momentum: float = option(0.0, "Momentum of SGD, in [0, 1); time is then steps times lr / (1 - momentum).")
    weight_decay: float = option(0.0, "Weight decay of SGD (where columns stay on the sphere, of V alone).")
    products: str = option("own", f"Number format of the matrix products: {', '.join(PRODUCTS)}.")
    device: str = option("cpu", DEVICE_WORDS)

    def __post_init__(self) -> None:
        super().__post_init__()
        number("lr", self.lr, positive=True)
        for name in ("batch_size", "steps", "networks"):
            positive_int(name, getattr(self, name))
        fixed = "for the projected flow, whose norms are fixed" if self.flow is FlowName.PROJECTED else ""
        checked_optimiser(self.momentum, self.weight_decay, fixed=fixed)
        known_products(self.products)
        self.check_memory()

    @property
    def memory(self) -> int:
        """Samples and activations of a batch, weights, and the records."""
        n, c = self.m if self.n is None else self.n, self.m if self.c is None else self.c
        samples = max(BLOCK, (self.d + 1) * self.batch_size)
        working = samples + self.batch_size * (self.m + 2 * n + c) + 4 * self.state_size
        records = min(self.points, self.steps + 1) * (self.state_size + 4 * n)
        return 8 * self.instances * self.networks * (working + records)

    @property
    def record_at(self) -> list[int]:
        """The steps of the records: ``points`` of them, evenly spaced as far as whole steps can be."""
        return sorted({int(step) for step in np.rint(np.linspace(0, self.steps, self.points))})

    def build(self) -> TwoLayerStudents:
        """The networks at their starts, on the device.

        Raises:
            ValueError: sizes or angles that do not fit together, or a device that is not there.
        """
        from nets.two_layer.networks import TwoLayerStudents

        return TwoLayerStudents.from_problem(repeated(self.problem(), self.networks), device=self.device)

    def run(self, built: TwoLayerStudents, *, progress: bool | Progress = False) -> Trajectory:
        """Train networks in place.

        Args:
            built: what :meth:`build` gave.
            progress: a bar on stderr where that is a terminal, or a callable of the fraction done.

        Returns:
            As :func:`nets.train`, recorded at ``points`` steps; attribute ``training`` holds every option.
        """
        from nets.two_layer.training import train

        trajectory = train(
            built,
            lr=self.lr,
            batch_size=self.batch_size,
            steps=self.steps,
            seed=self.training_seed,
            projected=self.flow is not FlowName.GRADIENT,
            train_V=self.flow is not FlowName.PROJECTED,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            products=known_products(self.products),
            record_at=self.record_at,
            progress=progress,
        )
        return self.recorded(trajectory)

    @property
    def training_seed(self) -> int:
        """The seed of the networks' samples, independent of what the problem is drawn from."""
        sequence = np.random.SeedSequence((self.seed,), spawn_key=(1,))
        return int(sequence.generate_state(1, np.uint64)[0])


def repeated(problem: TeacherStudent, networks: int) -> TeacherStudent:
    """The problem with ``networks`` copies of every instance on one axis, copies of an instance side by side."""
    return problem if networks == 1 else _instances(problem, lambda stack: np.repeat(stack, networks, axis=0))


def tiled(problem: TeacherStudent, times: int) -> TeacherStudent:
    """The whole stack of instances so many times on one axis, one stack after another."""
    return _instances(problem, lambda stack: np.tile(stack, (times, 1, 1)))


def _instances(problem: TeacherStudent, of: Callable[[Array], Array]) -> TeacherStudent:
    from dynamics.two_layer.problem import TeacherStudent

    def made(array: Array) -> Array:
        return of(array.reshape(-1, *array.shape[-2:]))

    return TeacherStudent(
        made(problem.teacher_W),
        made(problem.student_W),
        made(problem.teacher_V),
        made(problem.student_V),
        measure=problem.measure,
    )
