"""Gaussian two-layer networks on Gaussian input: the instances of Eqns 10 to 12."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import SEED, Assumption, Budget, Instance, drawn, integers, reals


@dataclass(frozen=True)
class Layer(Instance):
    """m teachers and n students with Gaussian fan-ins and fan-outs, Gaussian input of standard deviation ``std``."""

    d: int = drawn(2, st.integers(2, 8), integers(2, 100))
    m: int = drawn(1, st.integers(1, 4), integers(1, 50))
    n: int = drawn(1, st.integers(1, 4), integers(1, 50))
    outputs: int = drawn(1, st.integers(1, 3), integers(1, 50))
    std: float = drawn(1.0, st.sampled_from([1.0, 1.5, 0.5]), reals(1e-3, 1e3))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def problem(self) -> TeacherStudent:
        """The networks and their input."""
        rng = np.random.default_rng(self.seed)
        teacher, student = (rng.standard_normal((self.d, k)) for k in (self.m, self.n))
        teacher_V, student_V = (rng.standard_normal((k, self.outputs)) for k in (self.m, self.n))
        return TeacherStudent(teacher, student, teacher_V, student_V, IsotropicGaussian(self.d, self.std))


def one_teacher(layer: Layer) -> TeacherStudent:
    """The networks of a layer with m = 1, the teacher's fan-in at unit norm."""
    problem = layer.problem()
    teacher = problem.teacher_W / np.linalg.norm(problem.teacher_W)
    return TeacherStudent(teacher, problem.student_W, problem.teacher_V, problem.student_V, problem.measure)


def one_of_each(layer: Layer) -> tuple[Assumption, ...]:
    """One teacher and one student."""
    return (Assumption.that("one teacher and one student", layer.m == layer.n == 1),)


def single_output(layer: Layer) -> tuple[Assumption, ...]:
    """One teacher and one student, of one output."""
    return (*one_of_each(layer), Assumption.that("one output", layer.outputs == 1))


def single_pairs(budget: Budget) -> st.SearchStrategy[Layer]:
    """One teacher and one student in two to eight dimensions, up to three outputs."""
    return st.builds(
        Layer,
        d=st.integers(2, 8),
        outputs=st.integers(1, 3),
        std=st.sampled_from([1.0, 1.5, 0.5]),
        seed=st.integers(0, 2**16),
    )
