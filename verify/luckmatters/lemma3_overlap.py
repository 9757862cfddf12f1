"""Lemma 3 (top bounds), second half: the weighted overlap of a student with another teacher, Eqn 31."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import hypothesis.strategies as st
import mpmath as mp
import numpy as np

from dynamics.measures.empirical import EmpiricalMeasure
from verify.judging import (
    LUCK_MATTERS,
    Assumption,
    Budget,
    Context,
    Control,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)
from verify.luckmatters.lemma3 import ROUNDING
from verify.mathematics.families.near_pairs import NearPair, isotropic_pairs
from verify.mathematics.first_moment_constants import lipschitz_l_isotropic
from verify.mathematics.precise.kernels import DIGITS


@dataclass(frozen=True)
class TwoInputs:
    """Two inputs in the plane, ``(1, -low)`` and ``(1, high)``, the second with weight ``weight``.

    Teachers at angle 0 and ``angle``; student j at ``theta0`` from its teacher, on the side of teacher k; student k on
    its teacher. Where both inputs open every gate on the balls, ``psi_l(w, w') = w^T C w'`` exactly, ``C = E[x x^T]``.
    """

    low: float = 0.5
    high: float = 6.0
    weight: float = 0.05
    angle: float = 1.0
    theta0: float = 1e-3

    def inputs(self) -> list[list[float]]:
        """The two inputs, one a row."""
        return [[1.0, -self.low], [1.0, self.high]]

    def probabilities(self) -> list[float]:
        """Their probabilities."""
        return [1 - self.weight, self.weight]


def second_moment(instance: TwoInputs, number: Any = float) -> list[list[Any]]:
    """``C = E[x x^T]`` in the arithmetic of ``number``."""
    points, p = instance.inputs(), [1 - number(instance.weight), number(instance.weight)]
    return [
        [sum(q * number(x[a]) * number(x[b]) for q, x in zip(p, points, strict=True)) for b in (0, 1)]
        for a in (0, 1)
    ]


def bilinear(C: list[list[Any]], first: Any, second: Any, real: Any) -> Any:
    """``w^T C w'`` of unit vectors at two angles."""
    a, b = (real.cos(first), real.sin(first)), (real.cos(second), real.sin(second))
    return sum(a[i] * C[i][j] * b[j] for i in (0, 1) for j in (0, 1))


def lipschitz_l_two_inputs(instance: TwoInputs, real: Any, number: Any = float) -> Any:
    """A rigorous ``K_l`` on the balls: largest slope over smallest value, arc over chord.

    The steps start from ``psi_l(w, w_1)`` with each vector within theta0 of a teacher and end within theta0 of it;
    the angles of both move by at most theta0, so value and slope change by at most ``2 theta0 ||C||``.
    """
    C, theta0, angle = second_moment(instance, number), number(instance.theta0), number(instance.angle)
    spread = 2 * theta0 * real.sqrt(sum(entry**2 for row in C for entry in row))
    quarter = real.acos(number(0))
    largest = number(0)
    for first in (number(0), angle):
        for second in (number(0), angle):
            slope = abs(bilinear(C, first, second + quarter, real)) + spread
            value = bilinear(C, first, second, real) - spread
            if value <= 0:
                return number("inf")
            largest = max(largest, slope / value)
    return largest * (theta0 / 2) / real.sin(theta0 / 2)


def assumptions(instance: TwoInputs) -> Sequence[Assumption]:
    """Every gate open on both balls (so that psi_l is bilinear there) and a finite K_l."""
    reach = [math.atan2(x[1], x[0]) for x in instance.inputs()]
    nearest = [-instance.theta0, instance.angle + instance.theta0]
    open_gates = min(math.cos(r - n) for r in reach for n in nearest)
    K_l = lipschitz_l_two_inputs(instance, math)
    return (
        Assumption("every gate is open on the balls", open_gates),
        Assumption("K_l is finite", 1.0 if math.isfinite(K_l) else -1.0),
    )


def two_input_overlap(instance: TwoInputs, second_factor: bool) -> Evidence:
    """(31) with ``dw_k = 0``, by the empirical measure; ``second_factor``: both factors for the step of j."""
    measure = EmpiricalMeasure(instance.inputs(), instance.probabilities())
    angles = np.array([0.0, instance.angle, instance.theta0])
    nodes = np.stack([np.cos(angles), np.sin(angles)])
    kernel = measure.psi_l(nodes, nodes)
    eps_l = kernel[0, 1] / min(kernel[0, 0], kernel[1, 1])
    K_l = lipschitz_l_two_inputs(instance, math)
    step = 1 + K_l * 2 * math.sin(instance.theta0 / 2)
    bound = float(eps_l * step ** (2 if second_factor else 1) * kernel[2, 0])
    return Evidence.at_most(
        float(kernel[2, 1]), bound=bound, tolerance=ROUNDING * bound, K_l=float(K_l), eps_l=float(eps_l)
    )


def printed_overlap(instance: TwoInputs, context: Context) -> Evidence:
    """Eqn 31 as printed: the factor of the other node."""
    return two_input_overlap(instance, second_factor=False)


def confirm_overlap(instance: TwoInputs) -> Evidence:
    """(31) from the bilinear form in mpmath, K_l included."""
    with mp.workdps(DIGITS):
        C, angle, theta0 = second_moment(instance, mp.mpf), mp.mpf(instance.angle), mp.mpf(instance.theta0)
        star, own = bilinear(C, theta0, angle, mp.mp), bilinear(C, theta0, 0, mp.mp)
        teachers = [bilinear(C, 0, angle, mp.mp), bilinear(C, 0, 0, mp.mp), bilinear(C, angle, angle, mp.mp)]
        eps_l = teachers[0] / min(teachers[1:])
        K_l = lipschitz_l_two_inputs(instance, mp.mp, mp.mpf)
        bound = eps_l * (1 + K_l * 2 * mp.sin(theta0 / 2)) * own
        return Evidence(predicted=float(bound), measured=float(star), margin=float(bound - star))


def two_inputs(budget: Budget) -> st.SearchStrategy[TwoInputs]:
    """Inputs on both sides of the first teacher, on small balls."""
    return st.builds(
        TwoInputs,
        low=st.floats(0.1, 0.6),
        high=st.floats(3, 10),
        weight=st.sampled_from((0.05, 0.02, 0.1)),
        angle=st.floats(0.5, 1.3),
        theta0=st.sampled_from((1e-3, 1e-4)),
    )


ALIGNED = TwoInputs(low=0.5, high=0.5, weight=0.5, angle=0.6)
SOURCE = Source(LUCK_MATTERS, "Lemma 3, Eqn 31")

PRINTED = Statement(
    key="luckmatters.lemma3.overlap",
    form=Form.PRINTED,
    title="Lemma 3: the weighted overlap of a student with another teacher",
    claim="l*_jk ≤ ε_l (1 + K_l ‖δw_k‖)(1 + K_l ‖δw_j‖) l*_jj",
    source=SOURCE,
    expected=Outcome.REFUTED,
    instance_type=TwoInputs,
    assumptions=assumptions,
    evidence=printed_overlap,
    instances=two_inputs,
    examples=(TwoInputs(),),
    confirm=confirm_overlap,
    controls=(
        Control(
            "both factors for the step of j", lambda c: two_input_overlap(TwoInputs(), True), must_hold=True
        ),
        Control("the second input taken away", lambda c: printed_overlap(ALIGNED, c), must_hold=True),
        Control("ε_l and the step both left out", lambda c: _bare(TwoInputs())),
    ),
    remark=(
        "Erratum, the slip of (20) again: l*_jk and l*_jj do not depend on w_k. For isotropic Gaussian "
        "input the printed bound happens to survive, because l*_jj falls only at second order in ‖δw_j‖ "
        "(Lemma 4) and the first factor has room to spare; for other inputs (two points in the plane) "
        "l*_jj falls at first order and the bound fails."
    ),
)


def _bare(instance: TwoInputs) -> Evidence:
    evidence = two_input_overlap(instance, second_factor=False)
    return Evidence.at_most(evidence.measured, bound=evidence.measured * 0.99, tolerance=evidence.tolerance)


def isotropic_overlap(pair: NearPair, factors: int) -> Evidence:
    """(31) under isotropic input with ``factors`` factors for the step of j (and none for k)."""
    teacher, student = pair.nodes()
    star = pair.measure.psi_l(student, teacher)
    teachers = pair.measure.psi_l(teacher, teacher)
    eps_l = float(teachers[0, 1] / min(teachers[0, 0], teachers[1, 1]))
    K_l = lipschitz_l_isotropic(pair.angle, pair.theta0)
    bound = eps_l * (1 + K_l * pair.displacements()[0]) ** factors * float(star[0, 0])
    return Evidence.at_most(float(star[0, 1]), bound=bound, tolerance=ROUNDING * bound, K_l=K_l, eps_l=eps_l)


CORRECTED = Statement(
    key="luckmatters.lemma3.overlap",
    form=Form.CORRECTED,
    title=PRINTED.title,
    claim="l*_jk ≤ ε_l (1 + K_l ‖δw_j‖)² l*_jj",
    source=SOURCE,
    expected=Outcome.HOLDS,
    instance_type=NearPair,
    assumptions=lambda pair: (Assumption("K_l exists: α_max + θ₀ < π", math.pi - pair.angle - pair.theta0),),
    evidence=lambda pair, context: isotropic_overlap(pair, 2),
    instances=isotropic_pairs,
    examples=(NearPair(), NearPair(theta0=0.5, angle=2.0)),
    controls=(
        Control("no factor for the step", lambda c: isotropic_overlap(NearPair(theta0=0.1), 0)),
        Control("ε_l at half its value", lambda c: _halved(replace(NearPair(), near_j=0.0))),
    ),
    remark="Isotropic Gaussian input, with the closed-form K_l of the balls.",
)


def _halved(pair: NearPair) -> Evidence:
    evidence = isotropic_overlap(pair, 2)
    return Evidence.at_most(evidence.measured, bound=evidence.predicted / 2, tolerance=evidence.tolerance)
