"""Many-to-one (remark on Theorem 5): two students near one teacher share it, and how slowly."""

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
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)

NUMBER = "Section 3.3, remark 'Many-to-one mapping'"


@dataclass(frozen=True)
class Sharing:
    """``students`` nodes within ``spread`` of one teacher, each with an equal share of its fan-out, perturbed."""

    d: int = 3
    students: int = 2
    c: int = 1
    spread: float = 0.3
    noise: float = 0.1
    seed: int = 0


def sharing(budget: Budget) -> st.SearchStrategy[Sharing]:
    """Two to four students of one teacher."""
    integers = st.integers
    return st.builds(
        Sharing, integers(3, 6), integers(2, 4), integers(1, 3), st.sampled_from([0.1, 0.2, 0.3]),
        st.sampled_from([0.0, 0.1, 0.2]), integers(0, 2**20),
    )  # fmt: skip


def start(instance: Sharing) -> TeacherStudent:
    """Teacher and students at ``spread`` from it in random directions, with perturbed equal shares."""
    rng = np.random.default_rng((instance.seed, 9))
    d, k, c = instance.d, instance.students, instance.c
    teacher, fan_out = teachers.random_unit(d, 1, rng), teachers.random_unit(c, 1, rng).T
    near = TeacherStudent.at_angle(np.repeat(teacher, k, axis=1), instance.spread, rng).student_W
    shares = fan_out * (1 + instance.noise * rng.uniform(-1, 1, (k, 1))) / k
    return TeacherStudent(teacher, near, fan_out, shares)


@dataclass(frozen=True)
class Course:
    """Angles to the teacher ``(T, k)``, the missing fan-out ``||sum v_j - v*|| (T,)``, shares ``(T, k)``,
    loss ``(T,)``."""

    t: Array
    angle: Array
    missing: Array
    share: Array
    loss: Array


def follow(problem: TeacherStudent, t: Array) -> Course:
    """The projected flow of W and V; angles, shares and loss at times t."""
    run = integrate(
        TwoLayerFlow(problem), (0.0, float(t[-1])), t_eval=t, method="LSODA", rtol=1e-7, atol=1e-10
    )
    if not run.success:
        raise RuntimeError(run.message)
    W, V = unit_columns(run.state["W"]), run.state["V"]
    teacher, fan_out = problem.teacher_W, problem.teacher_V[0]
    angle = paired_angles(W, np.broadcast_to(teacher, W.shape))
    missing = np.linalg.norm(V.sum(axis=-2) - fan_out, axis=-1)
    # The loss of k nodes near one teacher is of third order in angles: below 1e-11 it is rounding.
    return Course(run.t, angle, missing, V @ fan_out / (fan_out @ fan_out), run.observables["loss"])


def in_regime(instance: Sharing) -> tuple[Assumption, ...]:
    """Every student starts on its teacher's side, and no two start together (copies move as one node)."""
    W = start(instance).student_W
    nearest = angles(W, W)[np.triu_indices(instance.students, 1)].min()
    return (
        Assumption("students apart: angle > spread / 2", float(nearest) - instance.spread / 2),
        Assumption("spread > 0", instance.spread),
        Assumption("spread < π/4", np.pi / 4 - instance.spread),
    )


UNITS = 10.0
"""Length of a run in its own time, in which ``theta = theta_0 / (1 + t)``."""


def own_time(instance: Sharing) -> float:
    """``pi k^2 / theta_0``: k students with equal shares obey ``theta' = -theta^2 / (pi k^2)`` (sharp for two)."""
    return np.pi * instance.students**2 / instance.spread


def shared_evidence(instance: Sharing, context: Context, flipped: bool = False) -> Evidence:
    """In ten units of their own time all students get to the teacher like 1/t; their fan-outs add up to its own, and
    no share is lost."""
    problem = start(instance)
    if flipped:
        problem = TeacherStudent(
            problem.teacher_W, problem.student_W * [1, -1], problem.teacher_V, problem.student_V
        )
    course = follow(problem, np.array([0.0, UNITS * own_time(instance)]))
    # A factor 2 for uneven shares and for three or more, of which each pair has its own constant.
    limit = 2 * instance.spread / (1 + UNITS)
    worst = max(float(course.angle[-1].max()), float(course.missing[-1]), -float(course.share[-1].min()))
    return Evidence.at_most(
        worst, bound=limit, tolerance=0.0,
        angles=course.angle[-1].tolist(), shares=course.share[-1].tolist(), missing=float(course.missing[-1]),
    )  # fmt: skip


PRINTED = Statement(
    key="luckmatters.theorem5.many_to_one",
    form=Form.PRINTED,
    title="Several students share one teacher",
    claim="Two (or more) students near a teacher node all converge to it until it is fully explained:\n"
    "w_j → w*,  Σ_j v_j → v*",
    source=Source(LUCK_MATTERS, NUMBER),
    expected=Outcome.HOLDS,
    instance_type=Sharing,
    instances=sharing,
    assumptions=in_regime,
    examples=[Sharing(d=3, students=4, spread=0.1, noise=0.0), Sharing(5, 4, 3, 0.1, 0.2, 315767)],
    evidence=shared_evidence,
    controls=[
        Control(
            "one student on the far side of the teacher",
            lambda context: shared_evidence(Sharing(), context, True),
        )
    ],
    cost=Cost(3, 60, 300),
    remark="The shares stay near where the start put them: nobody takes all. The approach is algebraic, in units of "
    "π k²/θ₀ for k students; see the sharp form.",
)

WINDOW = np.array([0.0, 500.0, 1000.0, 2000.0])


def pairs(budget: Budget) -> st.SearchStrategy[Sharing]:
    """Two students of one teacher (with more, several pairs are seen at once, each with its own constant)."""
    integers = st.integers
    return st.builds(
        Sharing, integers(3, 6), st.just(2), integers(1, 3), st.sampled_from([0.2, 0.3]),
        st.sampled_from([0.0, 0.1, 0.2]), integers(0, 2**20),
    )  # fmt: skip


def order_evidence(instance: Sharing, context: Context, power: float = 1 / 3, students: int = 2) -> Evidence:
    """``J^(-1/3)`` grows linearly in t: its slopes over [500, 1000] and over [1000, 2000] are equal."""
    problem = start(instance)
    if students == 1:
        problem = TeacherStudent(
            problem.teacher_W, problem.student_W[:, :1], problem.teacher_V, problem.teacher_V
        )
    # A lone student is at rounding by t = 500: it is watched on a hundredth of the time scale.
    t = WINDOW if students > 1 else WINDOW / 100
    course = follow(problem, t)
    grown = np.maximum(course.loss[1:], 1e-300) ** -power
    early, late = np.diff(grown) / np.diff(t[1:])
    # theta' = -k theta^2 (1 + O(theta)): the slopes differ by the first neglected order, a few theta.
    angle = float(course.angle[1].max())
    return Evidence.close(
        float(late / early), predicted=1.0, tolerance=5 * angle, angle=angle, loss=course.loss.tolist()
    )


SHARP = Statement(
    key="luckmatters.theorem5.many_to_one",
    form=Form.SHARP,
    title="Shared teachers are learned algebraically",
    claim="Two students that share a teacher approach it like θ ~ 1/t and J ~ 1/t³, not exponentially",
    source=Source(
        LUCK_MATTERS, NUMBER, "the orders are those of Xu and Du, COLT 2023, for one teacher neuron"
    ),
    expected=Outcome.HOLDS,
    instance_type=Sharing,
    instances=pairs,
    assumptions=in_regime,
    evidence=order_evidence,
    controls=[
        Control("one student (exponential)", lambda context: order_evidence(Sharing(), context, students=1))
    ],
    cost=Cost(3, 60, 300),
    remark="At w_j = w* only Σ v_j δw_j and Σ δv_j appear in the linearised flow; differences among the "
    "sharers are flat. "
    "So a rate 1 − ηλ̄γ as in Theorem 5 cannot hold for a many-to-one mapping, whatever γ.",
)
