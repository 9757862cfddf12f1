"""A two-layer problem and its flow by plain options: teacher, start and input measure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from dynamics.ode.run_options import RunOptions
from dynamics.options import option
from dynamics.two_layer.named_laws import ActivationName, MeasureName, NamedLaw
from dynamics.validation import positive_int

if TYPE_CHECKING:
    from dynamics.arrays import Array
    from dynamics.two_layer.problem import TeacherStudent
    from dynamics.two_layer.two_layer_dynamics import TwoLayerDynamics


class FlowName(StrEnum):
    """The reduced dynamics on offer."""

    PROJECTED = "projected"
    TWO_LAYER = "two-layer"
    GRADIENT = "gradient"


class TeacherName(StrEnum):
    """How the teacher's directions are drawn."""

    ORTHONORMAL = "orthonormal"
    RANDOM = "random"
    SEPARATED = "separated"


DEFAULT_ANGLE = 0.3
"""Start of every student, in radians from its teacher, where the options name none."""


@dataclass(frozen=True)
class TwoLayerOptions(RunOptions):
    """Teachers, students and a flow of two-layer networks by plain options; a subclass says how they run.

    The start is either ``theta0`` (n = m students at that angle from their teachers) or ``p_W, p_V`` (the perturbed
    start of Luck Matters, section 4.2). The ``projected`` flow takes a ``theta0`` start and fan-outs of one.
    ``threshold``: teachers are active above it; for the ``biased`` measure only. Input law and activation: as
    :class:`~dynamics.two_layer.named_laws.NamedLaw`. The ``gradient`` flow is the gradient flow on every law;
    ``projected`` and ``two-layer`` are so, on unit columns, for isotropic and spherical input.

    Raises ValueError or TypeError, naming the option, on values that do not go together.
    """

    flow: FlowName = option(FlowName.PROJECTED, "The flow.")
    teacher: TeacherName = option(TeacherName.ORTHONORMAL, "How the teacher's directions are drawn.")
    measure: MeasureName = option(MeasureName.ISOTROPIC, "Distribution of the input.")
    d: int = option(10, "Input dimension.")
    m: int = option(5, "Teacher nodes.")
    n: int | None = option(None, "Student nodes (default m).")
    c: int | None = option(None, "Outputs (default 1, or m where V is learned).")
    theta0: float | None = option(None, "Start at this angle from the teacher, in radians (needs n = m).")
    p_W: float | None = option(None, "Weight of W* in the start of W.")
    p_V: float | None = option(None, "Weight of V* in the start of V.")
    threshold: float = option(0.0, "Biased measure: teachers are active above it.")
    condition: float | None = option(None, "Anisotropic measure: largest variance / smallest (default 4).")
    separation: float | None = option(None, "Mixture: half the distance of its two Gaussians (default 1).")
    samples: int | None = option(None, "Rademacher, laplace: inputs that stand for the law (default 4096).")
    activation: ActivationName = option(ActivationName.RELU, "Activation of the hidden nodes.")
    slope: float | None = option(None, "Slope of leaky_relu below zero, in [0, 1] (default 0.1).")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("d", "m", "n", "c"):
            if getattr(self, name) is not None:
                positive_int(name, getattr(self, name))
        _ = self.law
        if self.theta0 is not None and (self.p_W is not None or self.p_V is not None):
            raise ValueError("theta0: expected either theta0 or p_W and p_V as the start, got both")
        if self.flow is FlowName.PROJECTED:
            for name in ("p_W", "p_V"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name}: the projected flow starts at an angle theta0, not from {name}")
            if self.c not in (None, 1):
                raise ValueError(f"c: expected 1 in the projected flow (fan-outs of one), got {self.c}")
        if self.starts_at_an_angle and self.n not in (None, self.m):
            raise ValueError(f"n: expected n = m = {self.m} for a start at an angle, got {self.n}")

    @property
    def law(self) -> NamedLaw:
        """The input law and the activation that are chosen."""
        return NamedLaw(
            self.measure,
            self.threshold,
            self.condition,
            self.separation,
            self.samples,
            self.activation,
            self.slope,
        )

    @property
    def state_size(self) -> int:
        """Numbers in the state of one instance: W, V, and the input's bias."""
        n, c = self.m if self.n is None else self.n, self.m if self.c is None else self.c
        return (self.d + 1) * n + n * c

    @property
    def starts_at_an_angle(self) -> bool:
        """Whether the start is ``theta0`` rather than ``p_W, p_V``."""
        return self.flow is FlowName.PROJECTED or self.theta0 is not None

    def problem(self) -> TeacherStudent:
        """The teacher and the students' start, drawn from the seed.

        Raises:
            ValueError: sizes or angles that do not fit together.
        """
        from dynamics.two_layer import teachers
        from dynamics.two_layer.problem import TeacherStudent

        rng, teacher_V = self.rng(), None
        directions = {
            TeacherName.ORTHONORMAL: teachers.orthonormal,
            TeacherName.RANDOM: teachers.random_unit,
            TeacherName.SEPARATED: teachers.separated,
        }
        teacher_W = self._with_threshold(directions[self.teacher](self.d, self.m, rng, self.batch))
        measure = self.law.measure(self.d, self.seed)
        if self.flow is not FlowName.PROJECTED:
            teacher_V = np.swapaxes(teachers.random_unit(self.c or self.m, self.m, rng, self.batch), -1, -2)
        if self.starts_at_an_angle or teacher_V is None:
            theta0 = DEFAULT_ANGLE if self.theta0 is None else self.theta0
            return TeacherStudent.at_angle(teacher_W, theta0, rng, teacher_V=teacher_V, measure=measure)
        return TeacherStudent.near_teacher(
            teacher_W,
            teacher_V,
            self.m if self.n is None else self.n,
            rng,
            p_W=1.0 if self.p_W is None else self.p_W,
            p_V=1.0 if self.p_V is None else self.p_V,
            measure=measure,
        )

    def flow_on(self, problem: TeacherStudent) -> TwoLayerDynamics:
        """The flow that is chosen, on ``problem``."""
        from dynamics.two_layer.flows import GradientFlow, ProjectedFlow, TwoLayerFlow

        flows: dict[FlowName, Any] = {
            FlowName.PROJECTED: ProjectedFlow,
            FlowName.TWO_LAYER: TwoLayerFlow,
            FlowName.GRADIENT: GradientFlow,
        }
        built: TwoLayerDynamics = flows[self.flow](problem)
        return built

    def _with_threshold(self, directions: Array) -> Array:
        """Unit columns ``(u, -threshold)`` for the measure with a bias, the directions themselves without."""
        from dynamics.geometry.columns import unit_columns

        if self.law.name is not MeasureName.BIASED:
            return directions
        bias = np.full((*directions.shape[:-2], 1, self.m), -self.threshold)
        return unit_columns(np.concatenate([directions, bias], axis=-2))
