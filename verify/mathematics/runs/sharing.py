"""Students that start near one teacher and share its fan-out, followed along the projected flow of W and V."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angles, paired_angles, unit_columns
from dynamics.ode.integrate import integrate
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import SEED, Assumption, CannotJudgeError, Instance, drawn, integers, reals


@dataclass(frozen=True)
class Sharing(Instance):
    """``students`` nodes within ``spread`` of one teacher, each with an equal share of its fan-out, perturbed."""

    d: int = drawn(3, st.integers(3, 6), integers(2))
    students: int = drawn(2, st.integers(2, 4), integers(2))
    c: int = drawn(1, st.integers(1, 3), integers(1))
    spread: float = drawn(0.3, st.sampled_from([0.1, 0.2, 0.3]), reals(0.0, np.pi))
    noise: float = drawn(0.1, st.sampled_from([0.0, 0.1, 0.2]), reals(0.0, 1.0))
    seed: int = drawn(0, st.integers(0, 2**20), SEED)

    def start(self) -> TeacherStudent:
        """Teacher and students at ``spread`` from it in random directions, with perturbed equal shares."""
        rng = np.random.default_rng((self.seed, 9))
        d, k, c = self.d, self.students, self.c
        teacher, fan_out = teachers.random_unit(d, 1, rng), teachers.random_unit(c, 1, rng).T
        near = TeacherStudent.at_angle(np.repeat(teacher, k, axis=1), self.spread, rng).student_W
        shares = fan_out * (1 + self.noise * rng.uniform(-1, 1, (k, 1))) / k
        return TeacherStudent(teacher, near, fan_out, shares)


def in_regime(instance: Sharing) -> tuple[Assumption, ...]:
    """Every student starts on its teacher's side, and no two start together (copies move as one node)."""
    W = instance.start().student_W
    nearest = float(angles(W, W)[np.triu_indices(instance.students, 1)].min())
    apart = nearest / instance.spread if instance.spread else 0.0
    return (
        Assumption.above("students apart: angle / spread", apart, 0.5),
        Assumption.above("spread", instance.spread, 0),
        Assumption.below("spread", instance.spread, np.pi / 4, "rad"),
    )


def smallest_share(instance: Sharing) -> float:
    """The smallest share of the teacher once it is explained: what lacks at the start is made up in equal parts.

    Near the teacher all fan-outs feel the same residual, so each gets ``(1 - sum of shares) / k``.
    """
    problem, k = instance.start(), instance.students
    fan_out = problem.teacher_V[0]
    shares = problem.student_V @ fan_out / (fan_out @ fan_out)
    return float(shares.min() + (1 - shares.sum()) / k)


@dataclass(frozen=True)
class Course:
    """Angles to the teacher ``(T, k)``, ``||sum v_j - v*|| (T,)``, shares of the fan-out ``(T, k)``, loss ``(T,)``."""

    t: Array
    angle: Array
    missing: Array
    share: Array
    loss: Array


def follow(problem: TeacherStudent, t: Array) -> Course:
    """The projected flow of W and V of one teacher's students at the times ``t``; raises where it fails."""
    run = integrate(
        TwoLayerFlow(problem), (0.0, float(t[-1])), t_eval=t, method="LSODA", rtol=1e-7, atol=1e-10
    )
    if not run.success:
        raise CannotJudgeError(run.message)
    W, V = unit_columns(run.state["W"]), run.state["V"]
    teacher, fan_out = problem.teacher_W, problem.teacher_V[0]
    angle = paired_angles(W, np.broadcast_to(teacher, W.shape))
    missing = np.linalg.norm(V.sum(axis=-2) - fan_out, axis=-1)
    # The loss of k nodes near one teacher is of third order in angles: below 1e-11 it is rounding.
    return Course(run.t, angle, missing, V @ fan_out / (fan_out @ fan_out), run.observables["loss"])
