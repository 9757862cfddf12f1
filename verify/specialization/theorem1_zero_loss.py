"""The paragraph after Theorem 1: zero training loss, which needs a trained output bias."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np

from verify.judging import SEARCH, Assumption, Context, Evidence, Instance, OneOf, drawn, integers
from verify.mathematics.kinks.exact_critical_points import UNCONFIRMED
from verify.specialization.theorem1 import THEOREM1


@dataclass(frozen=True)
class DeadStudent(Instance):
    """One teacher node on [-1, 1]; ``nodes`` equal students below or in reach of the inputs.

    Students ``sigma(x - depth_below)`` are dead on [-1, 1] for ``depth_below >= 1``, their fan-outs 1; the teacher is
    ``sigma(x + 1)`` with fan-out 2, which two students at -1 make up.
    """

    nodes: int = drawn(1, st.integers(1, 5), integers(1))
    samples: int = drawn(2, st.integers(2, 9), integers(2))
    depth_below: int = drawn(1, st.integers(0, 3), integers(-1))
    output_bias: bool = drawn(
        False, st.booleans(), OneOf((False, True)), note="whether an output bias is trained"
    )


ON_THE_TEACHER = DeadStudent(nodes=2, depth_below=-1)


def residual_and_gradient(student: DeadStudent) -> tuple[float, float]:
    """The largest residual and the largest gradient of a trained weight, over the samples."""
    x = np.linspace(-1, 1, student.samples)
    residual = 2 * np.maximum(x + 1, 0)
    z = np.tile(x[:, None] - student.depth_below, (1, student.nodes))
    residual = residual - np.maximum(z, 0).sum(axis=1)
    gradients = [np.where(z > 0, residual[:, None], 0.0), np.maximum(z, 0) * residual[:, None]]
    if student.output_bias:
        gradients.append(residual[:, None])
    return float(np.abs(residual).max()), max(float(np.abs(part).max()) for part in gradients)


def critical_point(student: DeadStudent) -> tuple[Assumption, ...]:
    """No sample has a gradient."""
    return (Assumption.equal("every per-sample gradient", residual_and_gradient(student)[1]),)


@THEOREM1.claim(
    "necessity",
    part="zero_loss",
    expected="needed",
    on=DeadStudent,
    assume=critical_point,
    cost=SEARCH,
    place="the paragraph after Theorem 1",
    compares=("largest residual at a critical point", "=", "zero"),
    telling=lambda student: student.nodes >= 2 and student.samples >= 5,
)
def loss_is_zero(student: DeadStudent, context: Context) -> Evidence:
    """Is the bias needed: zero loss at a critical point without a trained output bias

    at an SGD critical point  g_L(x_i) = f*_L(x_i) − f_L(x_i) = 0  for every sample: zero training loss

    The paper says it of networks with a bias term; the bias is left out here on purpose.
    At the top f_{L−1}(x_i) = 0 is the other way out: students dead on the data have no gradient at any loss.
    A trained output bias (f_{L−1} augmented by a 1) closes it; then the corrected Theorem 1 gives zero loss.
    """
    residual, _ = residual_and_gradient(student)
    return Evidence.at_most(residual, bound=0.0, tolerance=0.0)


@loss_is_zero.confirmed_precisely(digits=0)
def unmoved_by_any_weight(student: DeadStudent) -> Evidence:
    """In fractions: the output does not change when any weight of a node is lowered by a small step."""
    inputs = [Fraction(2 * i, max(student.samples - 1, 1)) - 1 for i in range(student.samples)]
    parameters = [Fraction(1), Fraction(-student.depth_below), Fraction(1)]  # of each identical node

    def residual(x: Fraction, w: Fraction, b: Fraction, v: Fraction) -> Fraction:
        others = (student.nodes - 1) * max(x - student.depth_below, Fraction(0))
        return 2 * max(x + 1, Fraction(0)) - others - v * max(w * x + b, Fraction(0))

    if student.output_bias:
        return UNCONFIRMED
    for x in inputs:
        start = residual(x, *parameters)
        for at in range(3):
            moved = list(parameters)
            moved[at] -= Fraction(1, 10**9)
            if residual(x, *moved) != start:
                return UNCONFIRMED
    largest = max(abs(residual(x, *parameters)) for x in inputs)
    return Evidence.at_most(float(largest), bound=0.0, tolerance=0.0)


loss_is_zero.accepts("two students on the teacher", ON_THE_TEACHER)
loss_is_zero.includes("two students on the teacher", ON_THE_TEACHER)
loss_is_zero.excludes(
    "dead students with a trained output bias", DeadStudent(output_bias=True), "every per-sample gradient"
)
loss_is_zero.rejects("one dead student", DeadStudent())

loss_is_zero.errs(
    says=(
        "Section 4.1, after Theorem 1: with a bias term f_{l−1} ≠ 0 and always g_l = 0; at the top this "
        "is zero training loss."
    ),
    true=(
        "The bias is needed at the output too: students dead on the data have no gradient at any loss "
        "unless an output bias is trained."
    ),
    impact="substance",
    matters=(
        "A condition that the sentence states of networks with a bias; without an output bias zero loss "
        "does not follow."
    ),
)
