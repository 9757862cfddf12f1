"""Ensembles of over-parameterised students started near their teachers, along Theorem 5's flow of W and V."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import hypothesis.strategies as st
import numpy as np

from dynamics.ode.integrate import integrate
from dynamics.ode.trajectory import Trajectory
from dynamics.two_layer import teachers
from dynamics.two_layer.flows import TwoLayerFlow
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import SEED, Budget, Instance, fixed, integers, reals

TIMES = np.array([0.0, 2.0, 8.0, 50.0, 100.0])
"""At 2 the fan-outs V_r of the irrelevant nodes are still large, at 8 halved; from 50 on late rates are read."""


@dataclass(frozen=True)
class NearTeacher(Instance):
    """An ensemble started near the teacher (the p_W, p_V start of section 4.2), W and V learned."""

    d: int = fixed(6, integers(2))
    m: int = fixed(2, integers(1))
    n: int = fixed(6, integers(1))
    c: int = fixed(3, integers(1))
    p_W: float = fixed(3.0, reals(0.0))
    p_V: float = fixed(0.3, reals(0.0))
    networks: int = fixed(96, integers(1))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """A student for every teacher, orthonormal teachers."""
        if self.m > self.d:
            return "expected m <= d for orthonormal teachers"
        return "expected at least as many students as teachers" if self.n < self.m else ""

    def start(self, *, silent: bool = False) -> TeacherStudent:
        """The start; ``silent`` sets V_r = 0, everything else equal."""
        rng = np.random.default_rng((self.seed, 12))
        S, m = (self.networks,), self.m
        V = np.swapaxes(teachers.random_unit(self.c, m, rng, S), -1, -2)
        W = teachers.orthonormal(self.d, m, rng, S)
        problem = TeacherStudent.near_teacher(W, V, self.n, rng, p_W=self.p_W, p_V=self.p_V)
        if not silent:
            return problem
        without = problem.student_V * (np.arange(self.n) < m)[:, None]
        return TeacherStudent(W, problem.student_W, V, without)

    def only_member(self) -> TeacherStudent:
        """The only network of an ensemble of one."""
        problem = self.start()
        return TeacherStudent(
            problem.teacher_W[0], problem.student_W[0], problem.teacher_V[0], problem.student_V[0]
        )


def single_networks(budget: Budget) -> st.SearchStrategy[NearTeacher]:
    """One small network at a time: a counterexample, where an ensemble shows an effect."""
    return st.builds(
        lambda d, m, extra, c, seed: NearTeacher(d, m, m + extra, c, networks=1, seed=seed),
        st.integers(3, 5),
        st.integers(1, 2),
        st.integers(1, 3),
        st.integers(1, 3),
        st.integers(0, 10_000),
    )


@lru_cache(maxsize=8)  # the statements on acceleration and on the learning rate look at the same runs
def course(instance: NearTeacher, silent: bool = False, tight: bool = False) -> Trajectory:
    """Theorem 5's flow at ``TIMES``; ``tight`` asks the integrator for a thousand times less error."""
    flow = TwoLayerFlow(instance.start(silent=silent))
    tolerance = 1e-9 if tight else 1e-6
    return integrate(flow, (0.0, float(TIMES[-1])), t_eval=TIMES, rtol=tolerance, atol=1e-3 * tolerance)
