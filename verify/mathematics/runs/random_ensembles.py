"""Ensembles trained by SGD from random initialisation: what is pruned, and what explains which teacher."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dynamics.arrays import Array
from dynamics.two_layer import teachers
from dynamics.two_layer.problem import TeacherStudent
from nets import TwoLayerStudents, train
from verify.judging import SEED, Instance, fixed, integers


@dataclass(frozen=True)
class Trained(Instance):
    """An ensemble trained by SGD from random initialisation, of which ``keep`` nodes are to be kept."""

    d: int = fixed(10, integers(2))
    m: int = fixed(5, integers(1))
    n: int = fixed(20, integers(1))
    c: int = fixed(5, integers(1))
    keep: int = fixed(10, integers(1))
    networks: int = fixed(24, integers(3))
    steps: int = fixed(3000, integers(1))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """Orthonormal teachers, and no more nodes kept than there are."""
        if self.m > self.d:
            return "expected m <= d for orthonormal teachers"
        return "expected keep <= n" if self.keep > self.n else ""

    def start(self) -> TeacherStudent:
        """Orthonormal teachers, random unit fan-outs; students uniform on the sphere with fan-outs of norm 1/2."""
        rng = np.random.default_rng((self.seed, 3))
        S, d, m, n, c = (self.networks,), self.d, self.m, self.n, self.c
        teacher_V = np.swapaxes(teachers.random_unit(c, m, rng, S), -1, -2)
        student_V = 0.5 * np.swapaxes(teachers.random_unit(c, n, rng, S), -1, -2)
        teacher_W = teachers.orthonormal(d, m, rng, S)
        student_W = teachers.random_unit(d, n, rng, S)
        return TeacherStudent(teacher_W, student_W, teacher_V, student_V)


@lru_cache(maxsize=4)  # statements, controls and figures look at the same networks
def trained_weights(instance: Trained, device: str) -> tuple[Array, Array]:
    """``(W, V)`` of the ensemble after projected SGD of both layers."""
    students = TwoLayerStudents.from_problem(instance.start(), device)
    train(
        students,
        lr=0.1,
        batch_size=64,
        steps=instance.steps,
        seed=instance.seed,
        projected=True,
        train_V=True,
        record_at=[],
    )
    return students.weights()
