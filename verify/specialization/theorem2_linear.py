"""After Theorem 2: deep linear models do not align, because other bases span the same space."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box, colinear
from dynamics.two_layer.critical.critical_points import dyadic_teacher
from verify.judging import (
    SEARCH,
    SEED,
    CannotJudgeError,
    Context,
    Evidence,
    Instance,
    OneOf,
    drawn,
    fixed,
    integers,
)
from verify.mathematics.kinks.exact_critical_points import UNCONFIRMED, multiples
from verify.mathematics.precise.rational_pairs import exact
from verify.specialization.theorem2 import THEOREM2


@dataclass(frozen=True)
class LinearPair(Instance):
    """Two-layer linear networks with biases, ``f(x) = V^T (W^T x + b) + c``, with equal outputs everywhere.

    Student columns are integer combinations of the teacher's: ``W = W* R`` with ``R = (U, Z)``, U unit upper
    triangular. ``basis = "same"``: U = I, the student's first nodes are the teacher's.
    """

    d: int = drawn(2, st.integers(1, 5), integers(1))
    teachers: int = drawn(2, st.integers(1, 4), integers(1, 12))
    spare: int = drawn(1, st.integers(0, 4), integers(0, 20))
    outputs: int = drawn(1, st.integers(1, 3), integers(1))
    basis: str = fixed("other", OneOf(("other", "same")))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def weights(self) -> tuple[Array, Array, Array, Array]:
        """Augmented columns and fan-outs of teacher and student; integers and dyadic numbers, so exact."""
        rng = np.random.default_rng(self.seed)
        teacher = dyadic_teacher(Box.cube(self.d, 2.0), self.teachers, self.outputs, rng)
        m = self.teachers
        U = np.eye(m)
        if self.basis == "other":
            U = U + np.triu(rng.integers(1, 4, (m, m)), 1)
            U = U @ (np.eye(m) + np.tril(rng.integers(1, 3, (m, m)), -1))
        Z = rng.integers(1, 4, (m, self.spare)).astype(np.float64)
        theirs = rng.integers(1, 4, (self.spare, self.outputs)).astype(np.float64)
        inverse = np.rint(np.linalg.inv(U))  # of determinant one: integers
        V = np.concatenate([inverse @ (teacher.V - Z @ theirs), theirs])
        return teacher.augmented, teacher.V, teacher.augmented @ np.concatenate([U, Z], axis=1), V


@THEOREM2.claim(
    "necessity",
    part="linear",
    expected="needed",
    on=LinearPair,
    cost=SEARCH,
    place="Theorem 2 and its proof sketch: for deep linear models alignment does not happen",
    compares=("teachers without a co-linear student", "=", "none"),
    telling=lambda instance: instance.teachers >= 2 and instance.spare >= 1,
)
def linear_students_are_aligned(instance: LinearPair, context: Context) -> Evidence:
    """Is the ReLU needed: student specialization of linear networks

    linear nodes in place of ReLUs, every per-sample gradient zero
    ⇒  each teacher has a co-linear student

    Linear nodes are active everywhere, and every teacher is observed with α ≠ 0, since its fan-out is in the span of
    the students'. The paper says that alignment does not happen in deep linear models, since other bases span the same
    space. It need not happen: any invertible change of basis gives another student with the same output, and with
    n > m nodes even the spare ones need not vanish. It is not ruled out either: the teacher's own basis is one of them.
    What random starts lead to is ``theorem2.linear.trained``.
    """
    teacher_W, teacher_V, W, V = instance.weights()
    if (teacher_W @ teacher_V != W @ V).any():
        raise CannotJudgeError("the outputs are not equal in float64")
    return Evidence.at_most(float((~colinear(W, teacher_W).any(axis=0)).sum()), bound=0.0, tolerance=0.0)


@linear_students_are_aligned.confirmed_precisely(digits=0)
def missing_in_fractions(instance: LinearPair) -> Evidence:
    """Equal products of the weights and no multiples, in fractions."""
    teacher_W, teacher_V, W, V = (exact(part) for part in instance.weights())
    if (teacher_W @ teacher_V != W @ V).any():
        return UNCONFIRMED
    missing = sum(not any(multiples(W, node)) for node in teacher_W.T)
    return Evidence.at_most(float(missing), bound=0.0, tolerance=0.0)


linear_students_are_aligned.accepts("the teacher's own basis", LinearPair(3, 3, 2, 2, "same"))
linear_students_are_aligned.rejects("three teachers in another basis", LinearPair(3, 3, 2, 2))
