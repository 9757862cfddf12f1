"""A simulation by name: teacher, start, flow and span as plain options, and what the run says about rates."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import unit_columns
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.input_measure import InputMeasure
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.ode.events import converged
from dynamics.ode.integrate import integrate
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer.flows import GradientFlow, ProjectedFlow, TwoLayerDynamics, TwoLayerFlow
from dynamics.two_layer.linearization import spectral_rate
from dynamics.two_layer.problem import TeacherStudent
from verify.mathematics.rates import FLOOR, DecayFit, fit_decay


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


class MeasureName(StrEnum):
    """The distribution of the input."""

    ISOTROPIC = "isotropic"
    BIASED = "biased"


_FLOWS: dict[FlowName, type[ProjectedFlow] | type[TwoLayerFlow] | type[GradientFlow]] = {
    FlowName.PROJECTED: ProjectedFlow,
    FlowName.TWO_LAYER: TwoLayerFlow,
    FlowName.GRADIENT: GradientFlow,
}
_TEACHERS = {
    TeacherName.ORTHONORMAL: TeacherStudent.orthonormal,
    TeacherName.RANDOM: TeacherStudent.random_unit,
    TeacherName.SEPARATED: TeacherStudent.separated,
}


@dataclass(frozen=True)
class Simulation:
    """The resolved configuration of a run.

    ``d, m, n, c``: input dimension, teacher nodes, student nodes, outputs. The start is either ``theta0`` (n = m
    students at that angle from their teachers) or ``p_W, p_V`` (the perturbed start of Luck Matters, section
    4.2). ``projected`` takes a ``theta0`` start and fan-outs of one. ``threshold``: teachers are active above it
    (``biased`` measure only). ``instances`` are independent draws, integrated as one stack.
    """

    flow: FlowName = FlowName.PROJECTED
    teacher: TeacherName = TeacherName.ORTHONORMAL
    measure: MeasureName = MeasureName.ISOTROPIC
    d: int = 10
    m: int = 5
    n: int | None = None
    c: int | None = None
    theta0: float | None = None
    p_W: float | None = None
    p_V: float | None = None
    threshold: float = 0.0
    seed: int = 0
    instances: int = 1
    t_end: float = 100.0
    points: int = 201
    method: str = "auto"
    rtol: float = 1e-8
    atol: float = 1e-10
    until: float | None = None
    max_steps: int = 100_000

    def __post_init__(self) -> None:
        for name, least in (("seed", 0), ("instances", 1), ("points", 2), ("d", 1), ("m", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name}: expected an integer >= {least}, got {getattr(self, name)}")
        for name in ("n", "c"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name}: expected an integer >= 1, got {getattr(self, name)}")
        if not np.isfinite(self.threshold):
            raise ValueError(f"threshold: expected a finite number, got {self.threshold}")
        if self.threshold and self.measure is not MeasureName.BIASED:
            raise ValueError(f"threshold: expected 0 without the biased measure, got {self.threshold}")
        if self.theta0 is not None and (self.p_W is not None or self.p_V is not None):
            raise ValueError("theta0: expected either theta0 or p_W and p_V as the start, got both")
        if self.flow is FlowName.PROJECTED:
            for name in ("p_W", "p_V"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name}: the projected flow starts at an angle theta0, not from {name}")
            if self.c not in (None, 1):
                raise ValueError(f"c: expected 1 in the projected flow (fan-outs of one), got {self.c}")
        if not 0 < self.t_end < np.inf:
            raise ValueError(f"t_end: expected a positive finite time, got {self.t_end}")

    def problem(self) -> TeacherStudent:
        """The teacher and the students' start, drawn from the seed.

        Raises:
            ValueError: sizes or angles that do not fit together.
        """
        rng = np.random.default_rng(np.random.SeedSequence((self.seed,)))
        batch = () if self.instances == 1 else (self.instances,)
        teacher_W = self._augmented(_TEACHERS[self.teacher](self.d, self.m, rng, batch))
        measure: InputMeasure = (
            IsotropicGaussian(self.d) if self.measure is MeasureName.ISOTROPIC else BiasedGaussian(self.d)
        )
        students = self.m if self.n is None else self.n
        if self.flow is FlowName.PROJECTED:
            teacher_V = None
        else:
            fan_out = TeacherStudent.random_unit(self.c or self.m, self.m, rng, batch)
            teacher_V = np.swapaxes(fan_out, -1, -2)
        if teacher_V is None or self.theta0 is not None:
            if students != self.m:
                raise ValueError(f"n: expected n = m = {self.m} for a start at an angle, got {students}")
            theta0 = 0.3 if self.theta0 is None else self.theta0
            return TeacherStudent.at_angle(teacher_W, theta0, rng, teacher_V=teacher_V, measure=measure)
        return TeacherStudent.near_teacher(
            teacher_W,
            teacher_V,
            students,
            rng,
            p_W=1.0 if self.p_W is None else self.p_W,
            p_V=1.0 if self.p_V is None else self.p_V,
            measure=measure,
        )

    def build(self) -> TwoLayerDynamics:
        """The flow on :meth:`problem`."""
        return _FLOWS[self.flow](self.problem())

    def run(self, flow: TwoLayerDynamics, *, progress: bool = False) -> Trajectory:
        """Integrate ``flow``; the configuration goes into the trajectory's attributes."""
        trajectory = integrate(
            flow,
            (0.0, self.t_end),
            t_eval=np.linspace(0.0, self.t_end, self.points),
            method=self.method,
            rtol=self.rtol,
            atol=self.atol,
            max_steps=self.max_steps,
            events=None if self.until is None else [converged(self.until)],
            progress=progress,
        )
        options = {name: str(v) if isinstance(v, StrEnum) else v for name, v in vars(self).items()}
        return dataclasses.replace(trajectory, attributes={**trajectory.attributes, "simulation": options})

    def _augmented(self, directions: Array) -> Array:
        """Unit columns ``(u, -threshold)`` for the measure with a bias, the directions themselves without."""
        if self.measure is MeasureName.ISOTROPIC:
            return directions
        bias = np.full((*directions.shape[:-2], 1, self.m), -self.threshold)
        return unit_columns(np.concatenate([directions, bias], axis=-2))


@dataclass(frozen=True)
class Rates:
    """Late decay of ``sin theta`` as measured on a run and as the spectrum predicts it.

    Either is None where it cannot be had; ``no_fit`` and ``no_spectral`` then say why.
    """

    fit: DecayFit | None = None
    spectral: Array | None = None
    no_fit: str = ""
    no_spectral: str = ""

    @property
    def ratio(self) -> float | None:
        """Median over the instances of measured / spectral."""
        if self.fit is None or self.spectral is None:
            return None
        return float(np.median(self.fit.rate / self.spectral))


def rates_of(flow: TwoLayerDynamics, trajectory: Trajectory, accuracy: float) -> Rates:
    """The rate of ``||sin theta||`` over its late window, and the spectral rate at the limit it runs into.

    ``accuracy``: of the integration (rtol + atol); angles below a hundred times that are not fitted.
    """
    fit, spectral, no_fit, no_spectral = None, None, "", ""
    distance = np.linalg.norm(trajectory.observables["sin_theta"], axis=-1)
    try:
        fit = fit_decay(trajectory.t, distance, floor=max(FLOOR, 100 * accuracy))
    except ValueError as error:
        no_fit = str(error).removeprefix("values: ")
    try:
        spectral = np.asarray(spectral_rate(flow, limit_state(flow, trajectory)))
    except ValueError as error:
        no_spectral = str(error)
    return Rates(fit, spectral, no_fit, no_spectral)


def limit_state(flow: TwoLayerDynamics, trajectory: Trajectory) -> Array:
    """The solution a run approaches: u-set at the teacher, r-set where the run left it, with no fan-out.

    Raises:
        ValueError: the flow's fixed fan-outs do not allow that solution.
    """
    state = flow.unpack(flow.equilibrium())
    u_set = flow.problem.m
    W = np.array(state["W"])
    W[..., u_set:] = trajectory.state["W"][-1][..., u_set:]
    return flow.pack(unit_columns(W) if flow.projected else W, state.get("V", flow.problem.student_V))
