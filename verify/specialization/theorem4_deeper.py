"""After Theorem 4: does the lowest layer of a deeper student match the lowest layer of its teacher?"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from dynamics.arrays import Array
from dynamics.geometry.boundaries import Box, colinear
from dynamics.two_layer.critical.critical_points import dyadic_teacher
from dynamics.two_layer.critical.relu_network import TwoLayerNetwork
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
from verify.mathematics.families.two_layer_pairs import dyadic_points
from verify.mathematics.kinks.exact_critical_points import (
    UNCONFIRMED,
    augmented,
    fractions,
    multiples,
    outputs,
)
from verify.mathematics.precise.rational_pairs import exact
from verify.specialization.theorem4 import THEOREM4

POINTS = 60
HALF_WIDTH = 2.0


@dataclass(frozen=True)
class DeeperStudent(Instance):
    """A two-layer teacher on (-2, 2)^d and a three-layer student that computes it.

    ``first = "passes"``: the student's first layer hands the inputs on (always active), its second is the teacher's
    first; ``"copies"``: its first is the teacher's first and its second hands that on.
    """

    d: int = drawn(1, st.integers(1, 5), integers(1))
    teachers: int = drawn(1, st.integers(1, 5), integers(1))
    outputs: int = drawn(1, st.integers(1, 3), integers(1))
    first: str = fixed("passes", OneOf(("passes", "copies")))
    seed: int = drawn(0, st.integers(0, 2**16), SEED)

    def teacher(self) -> tuple[Box, TwoLayerNetwork]:
        """The region and the teacher."""
        region = Box.cube(self.d, HALF_WIDTH)
        return region, dyadic_teacher(region, self.teachers, self.outputs, np.random.default_rng(self.seed))

    def student(self) -> list[tuple[Array, Array]]:
        """Weights and biases of the student's layers, from the bottom up."""
        teacher = self.teacher()[1]
        top = (teacher.V, teacher.c)
        if self.first == "copies":
            return [(teacher.W, teacher.b), (np.eye(self.teachers), np.zeros(self.teachers)), top]
        lifted = (np.eye(self.d), np.full(self.d, HALF_WIDTH))
        return [lifted, (teacher.W, teacher.b - HALF_WIDTH * teacher.W.sum(axis=0)), top]


def values(layers: list[tuple[Array, Array]], x: Array) -> Array:
    """Outputs of the student at ``x (N, d)``."""
    for W, b in layers[:-1]:
        x = np.maximum(x @ W + b, 0.0)
    return np.asarray(x @ layers[-1][0] + layers[-1][1])


def computed(instance: DeeperStudent) -> TwoLayerNetwork:
    """The teacher; raises CannotJudgeError where rounding keeps the residual from being zero on dyadic points."""
    region, teacher = instance.teacher()
    x = dyadic_points(region, np.random.default_rng(instance.seed), POINTS)
    if (values(instance.student(), x) != teacher(x)).any():
        raise CannotJudgeError("the residual is not zero in float64")
    return teacher


@THEOREM4.claim(
    "reading",
    part="deeper",
    expected="refuted",
    on=DeeperStudent,
    cost=SEARCH.at_quick(40),
    place="paragraph 'Deeper Student than Teacher'",
    note="said in words; our reading: at every point where all per-sample gradients vanish",
    compares=("first-layer teachers without a co-linear student in the first layer", "=", "none"),
    telling=lambda instance: instance.d >= 2 and instance.teachers >= 2,
)
def lowest_layers_match(instance: DeeperStudent, context: Context) -> Evidence:
    """The lowest layer of a deeper student matches that of the teacher

    student deeper than the teacher, Assumption 1 at l = 1, every per-sample gradient zero
    ⇒  each teacher node of layer 1 has a co-linear student in layer 1

    A first layer that is always active hands the inputs on, and the second does what the teacher's first does: an exact
    critical point with nothing aligned in the first layer. Theorem 4 does not cover it: an identity layer added to the
    teacher has its gates flip where the teacher's own do, so no open region of constant coefficients crosses the
    teacher's boundary. Another reading, that the match is possible, is true: a student that copies the teacher first
    is critical too. Which of the two training finds is not said by either.
    """
    teacher = computed(instance)
    W, b = instance.student()[0]
    covered = colinear(np.concatenate([W, b[None]]), teacher.augmented).any(axis=0)
    return Evidence.at_most(float((~covered).sum()), bound=0.0, tolerance=0.0)


@lowest_layers_match.confirmed_precisely(digits=0)
def missing_in_fractions(instance: DeeperStudent) -> Evidence:
    """Equal outputs at exact points and no multiples, in fractions."""
    region, teacher = instance.teacher()
    layers = [(exact(W), exact(b)) for W, b in instance.student()]
    for x in exact(dyadic_points(region, np.random.default_rng(1), POINTS)):
        f = x
        for W, b in layers[:-1]:
            f = np.array([max(entry, Fraction(0)) for entry in f @ W + b], dtype=object)
        if (f @ layers[-1][0] + layers[-1][1] != outputs(fractions(teacher), x)).any():
            return UNCONFIRMED
    W, b = layers[0]
    columns = np.concatenate([W, b[None]])
    missing = sum(not any(multiples(columns, node)) for node in augmented(teacher).T)
    return Evidence.at_most(float(missing), bound=0.0, tolerance=0.0)


lowest_layers_match.accepts("a first layer that copies the teacher's", DeeperStudent(3, 3, 2, "copies"))
lowest_layers_match.rejects("five dimensions handed on", DeeperStudent(5, 4, 2))

lowest_layers_match.errs(
    says="Section 4.4, 'Deeper Student than Teacher': with identity layers added to the teacher Theorem 4 still holds,"
    " and the lowest layer of a deeper student would match the lowest layer of the teacher.",
    true="A student whose always-active first layer hands the inputs on and whose second computes the teacher's first"
    " is an exact critical point with nothing aligned in the lowest layer; an identity ReLU layer on the teacher"
    " flips its"
    " gates where the teacher's nodes do, so Theorem 4's open region does not exist.",
    impact="substance",
    matters="The match is possible but not forced: depth leaves open which layer learns the teacher's first.",
)
