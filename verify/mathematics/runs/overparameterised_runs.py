"""Over-parameterised students some way from their teachers: the instances of Theorem 5's limit and late rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dynamics.two_layer.problem import TeacherStudent
from dynamics.two_layer.teachers import orthonormal, random_unit
from verify.judging import SEED, Instance, OneOf, fixed, integers, reals


@dataclass(frozen=True)
class OverparameterisedRun(Instance):
    """m teachers, n students, c outputs in d dimensions; nodes orthonormal (or random with ``orthonormal=False``).

    Relevant students start at angle ``theta0`` and ``v_error`` from their teachers, irrelevant fan-outs with norm
    ``r_fan_out``. ``networks > 0`` also trains so many networks at ``lr`` with ``batch`` fresh samples a step.
    """

    d: int = fixed(4, integers(2))
    m: int = fixed(1, integers(1))
    n: int = fixed(2, integers(1))
    c: int = fixed(2, integers(1))
    theta0: float = fixed(0.3, reals(0.0, np.pi))
    v_error: float = fixed(0.3, reals(0.0))
    r_fan_out: float = fixed(0.5, reals(0.0))
    orthonormal: bool = fixed(True, OneOf((True, False)))
    networks: int = fixed(0, integers(0))
    lr: float = fixed(0.1, reals(0.0, 1.0, low_open=True))
    batch: int = fixed(256, integers(1))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """A student for every teacher, and no more orthonormal nodes than dimensions."""
        if self.n < self.m:
            return "expected at least as many students as teachers"
        return "expected n <= d for orthonormal nodes" if self.orthonormal and self.n > self.d else ""


SMALL = OverparameterisedRun(6, 2, 4, 3, 0.5, 0.5, 1.0)
MIDDLE = OverparameterisedRun(8, 3, 5, 4, 0.5, 0.5, 1.0)
LARGE = OverparameterisedRun(10, 4, 8, 6, 0.5, 0.5, 1.0, seed=1)


def problem_of(run: OverparameterisedRun) -> TeacherStudent:
    """The teacher-student problem that the run starts from."""
    rng = np.random.default_rng(run.seed)
    directions = orthonormal if run.orthonormal else random_unit
    nodes = directions(run.d, run.n, rng)
    m, c = run.m, run.c
    teacher_V = orthonormal(c, m, rng).T if c >= m else random_unit(c, m, rng).T
    students = TeacherStudent.at_angle(nodes[:, :m], run.theta0, rng).student_W
    noise = random_unit(c, run.n, rng).T
    student_V = np.concatenate([teacher_V + run.v_error * noise[:m], run.r_fan_out * noise[m:]])
    return TeacherStudent(
        nodes[:, :m], np.concatenate([students, nodes[:, m:]], axis=1), teacher_V, student_V
    )
