"""After Theorem 2: what random starts lead linear students to, beside ReLU students of the same teachers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.angles import angles
from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from nets import TwoLayerStudents, train
from verify.judging import SEED, Context, Evidence, Instance, fixed, integers, reals
from verify.mathematics.mean_over_seeds import falls_below
from verify.specialization.theorem2 import THEOREM2

ALIGNED = 0.95
"""Cosine above which a teacher counts as covered, as in the paper's section 6."""

NONE = 0.1
"""'Does not happen': less than this share of the teachers is covered."""


@dataclass(frozen=True)
class LinearStudents(Instance):
    """``networks`` two-layer students of n nodes beside m orthonormal teachers with c outputs, isotropic input.

    Linear ones follow the exact gradient from fan-ins and fan-outs of norm ``init`` for ``steps`` of ``lr``.
    """

    d: int = fixed(10, integers(2))
    m: int = fixed(5, integers(1))
    n: int = fixed(25, integers(1))
    c: int = fixed(5, integers(1))
    init: float = fixed(0.3, reals(0.0, 2.0, low_open=True))
    lr: float = fixed(0.05, reals(0.0, 0.5, low_open=True))
    steps: int = fixed(3000, integers(1))
    networks: int = fixed(24, integers(3))
    seed: int = fixed(0, SEED)

    def start(self) -> TeacherStudent:
        """Teachers, and students with unit fan-ins and fan-outs at random."""
        rng, S = np.random.default_rng((self.seed, 71)), (self.networks,)
        return TeacherStudent(
            teachers.orthonormal(self.d, self.m, rng, S),
            teachers.random_unit(self.d, self.n, rng, S),
            np.swapaxes(teachers.random_unit(self.c, self.m, rng, S), -1, -2),
            np.swapaxes(teachers.random_unit(self.c, self.n, rng, S), -1, -2),
        )


def covered(W: Array, teacher: Array) -> Array:
    """Share of teachers with a node of |cosine| above ``ALIGNED``, (networks,)."""
    return np.asarray((np.abs(np.cos(angles(W, teacher))).max(axis=-2) > ALIGNED).mean(axis=-1))


@lru_cache(maxsize=4)  # the statement and its control look at the same students
def linear_coverage(instance: LinearStudents) -> tuple[Array, float]:
    """Coverage of linear students, and the largest entry of ``W* V* - W V`` that is left."""
    problem = instance.start()
    goal = problem.teacher_W @ problem.teacher_V
    W, V = instance.init * problem.student_W, instance.init * problem.student_V
    for _ in range(instance.steps):
        error = goal - W @ V
        W, V = (
            W + instance.lr * error @ np.swapaxes(V, -1, -2),
            V + instance.lr * np.swapaxes(W, -1, -2) @ error,
        )
    return covered(W, problem.teacher_W), float(np.abs(goal - W @ V).max())


@lru_cache(maxsize=4)
def relu_coverage(instance: LinearStudents, device: str) -> Array:
    """Coverage of ReLU students trained by SGD from the same directions."""
    problem = instance.start()
    students = TwoLayerStudents.from_problem(problem, device)
    train(
        students, lr=0.1, batch_size=32, steps=instance.steps, seed=instance.seed, train_V=True, record_at=[]
    )
    return covered(students.weights()[0], problem.teacher_W)


@THEOREM2.claim(
    "reading",
    part="linear.trained",
    expected="observed",
    on=LinearStudents,
    draw=None,
    examples=(LinearStudents(), LinearStudents(n=10)),
    compares=("mean share of teachers that linear students cover", "<", "0.1, what counts as none"),
    population="24 linear students of 25 and of 10 nodes, five orthonormal teachers, small starts, gradient descent",
    place="proof sketch of Theorem 2, last sentence: for deep linear models alignment does not happen",
    note="our reading: after training from random starts",
)
def linear_students_do_not_align(
    instance: LinearStudents, context: Context, *, relu: bool = False
) -> Evidence:
    """Trained linear students do not align

    Linear students trained to the teacher's output have no node along most teachers
    (judged: mean share of teachers with a node of |cosine| above 0.95, below 0.1)

    Hardly any is covered, though the output is the teacher's; the mean best |cosine| is 0.77, against 0.66 at random.
    ReLU students from the same directions cover every teacher. That alignment cannot happen is not said by this;
    see ``theorem2.linear``.
    """
    share, left = linear_coverage(instance)
    return falls_below(
        relu_coverage(instance, context.device) if relu else share, NONE, context, output_error=left
    )


linear_students_do_not_align.rejects("ReLU students", LinearStudents(), relu=True)
