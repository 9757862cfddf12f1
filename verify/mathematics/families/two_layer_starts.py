"""Starts of an over-parameterised student, as few numbers and a seed: the instances of Theorem 5 and its lemmas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from dynamics.geometry.angles import unit_columns
from dynamics.measures.biased_gaussian import BiasedGaussian
from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.teachers import orthonormal, random_unit
from verify.judging import Assumption, fixed
from verify.judging.domains import SEED, Instance, integers, reals
from verify.mathematics.bounds.overparameterised import theorem5_printed_constants


@dataclass(frozen=True)
class TwoLayerStart(Instance):
    """m teachers, m + r students with c outputs near the solution.

    Teachers have orthogonal directions. Irrelevant node k makes the angle ``alpha`` with the direction of teacher
    k mod m, in a dimension of its own. ``theta0``: angle of each relevant student to its teacher. ``fan_out``: norm of
    the teachers' fan-outs (orthonormal directions where c >= m); ``v_error`` and ``r_fan_out``: ``||v_j - v*_j||`` and
    ``||v_k||`` as multiples of it. ``threshold > 0``: nodes are active above it, Gaussian input with bias.
    """

    m: int = fixed(1, integers(1))
    r: int = fixed(1, integers(0))
    c: int = fixed(1, integers(1))
    alpha: float = fixed(np.pi / 2, reals(0, np.pi))
    threshold: float = fixed(0.0, reals(0))
    theta0: float = fixed(0.0, reals(0, np.pi))
    fan_out: float = fixed(1.0, reals(0, low_open=True))
    v_error: float = fixed(0.0, reals(0))
    r_fan_out: float = fixed(1.0, reals(0))
    seed: int = fixed(0, SEED)


def problem_of(start: TwoLayerStart) -> TeacherStudent:
    """The teacher-student problem that ``start`` describes."""
    rng = np.random.default_rng(start.seed)
    m, r, c = start.m, start.r, start.c
    frame = orthonormal(m + r + 1, m + r, rng)
    nearest = frame[:, np.arange(r) % m]
    irrelevant = np.cos(start.alpha) * nearest + np.sin(start.alpha) * frame[:, m:]
    nodes = np.concatenate([frame[:, :m], irrelevant], axis=1)
    measure = BiasedGaussian(m + r + 1) if start.threshold > 0 else IsotropicGaussian(m + r + 1)
    if start.threshold > 0:
        nodes = unit_columns(np.concatenate([nodes, np.full((1, m + r), -start.threshold)]))
    teacher_V = start.fan_out * (orthonormal(c, m, rng).T if c >= m else random_unit(c, m, rng).T)
    students = TeacherStudent.at_angle(nodes[:, :m], start.theta0, rng, measure=measure).student_W
    if start.theta0 == 0:
        students = nodes[:, :m]  # the very same numbers, so that the angle is zero and not 1e-16
    errors = start.fan_out * random_unit(c, m + r, rng).T
    student_V = np.concatenate([teacher_V + start.v_error * errors[:m], start.r_fan_out * errors[m:]])
    student_W = np.concatenate([students, nodes[:, m:]], axis=1)
    return TeacherStudent(nodes[:, :m], student_W, teacher_V, student_V, measure)


def printed_conditions(start: TwoLayerStart) -> tuple[Assumption, ...]:
    """Theorem 5's (41) and (42): a gamma > 0 exists in the reading that the proof needs, with lambda-bar > 0."""
    constants = theorem5_printed_constants(problem_of(start))
    return (
        Assumption.above("right-hand side of (41)", constants.gamma_W, 0),
        Assumption.above("right-hand side of (42)", constants.gamma_V, 0),
        Assumption.above("λ̄ = min(d̄, l̄)", constants.lambda_bar, 0),
    )


def single_pairs() -> st.SearchStrategy[TwoLayerStart]:
    """One teacher, one irrelevant node, zero-bias isotropic input: where (41) and (42) can hold at all."""
    return st.builds(
        TwoLayerStart,
        c=st.integers(1, 3),
        alpha=st.floats(1.5, 2.6).map(lambda x: round(x, 3)),
        theta0=st.floats(0.0, 0.02).map(lambda x: round(x, 6)),
        fan_out=st.sampled_from((0.001, 0.0005, 0.002, 0.004)),
        v_error=st.floats(0.0, 0.02).map(lambda x: round(x, 6)),
        r_fan_out=st.floats(0.1, 1.0).map(lambda x: round(x, 3)),
        seed=st.integers(0, 10_000),
    )
