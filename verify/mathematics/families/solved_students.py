"""Over-parameterised students that have learned their teacher: the limits of Theorem 5."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from verify.judging import SEED, Instance, drawn, integers


@dataclass(frozen=True)
class Solved(Instance):
    """A two-layer student at the limit of Theorem 5: u-set at the teacher, ``extra`` r-nodes with zero fan-out."""

    d: int = drawn(3, st.integers(3, 8), integers(2))
    m: int = drawn(1, st.integers(1, 4), integers(1))
    extra: int = drawn(1, st.integers(1, 6), integers(1))
    c: int = drawn(1, st.integers(1, 4), integers(1))
    seed: int = drawn(0, st.integers(0, 2**20), SEED)

    @property
    def n(self) -> int:
        """Number of students."""
        return self.m + self.extra

    def problem(self, fan_out: float = 0.0) -> TeacherStudent:
        """``(W*, W_r; V*, V_r)`` with random columns; ``fan_out`` is the norm of the rows of V_r."""
        rng = np.random.default_rng((self.seed, 1))
        m, n = self.m, self.n
        W = teachers.random_unit(self.d, n, rng)
        V = np.ascontiguousarray(teachers.random_unit(self.c, n, rng).T)
        return TeacherStudent(W[:, :m], W, V[:m], np.concatenate([V[:m], fan_out * V[m:]]))
