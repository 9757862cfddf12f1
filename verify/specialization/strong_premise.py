"""The premise of "strong teachers first": that the strongest teacher has the largest alpha_kj for every student."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import hypothesis.strategies as st
import numpy as np
from scipy.stats import beta

from dynamics.arrays import Array
from dynamics.two_layer.teachers import polarised, random_unit
from verify.judging import (
    SPECIALIZATION,
    Assumption,
    Budget,
    Context,
    Control,
    Cost,
    Evidence,
    Form,
    Outcome,
    Source,
    Statement,
)


@dataclass(frozen=True)
class Student:
    """One student with a random fan-out v, m teachers with random fan-outs of norms 1/j^p (Eqn 13), C outputs.

    ``positive`` takes every entry by its size.
    """

    m: int = 2
    outputs: int = 2
    p: float = 2.0
    positive: bool = False
    seed: int = 0

    def fan_outs(self) -> tuple[Array, Array]:
        """``v (C,)`` and ``v* (m, C)``."""
        rng = np.random.default_rng(self.seed)
        v, teachers = rng.standard_normal(self.outputs), random_unit(self.outputs, self.m, rng).T
        if self.positive:
            v, teachers = np.abs(v), np.abs(teachers)
        return v, polarised(teachers, self.p)


def largest_is_first(student: Student, context: Context) -> Evidence:
    """``alpha_1 - max_{j > 1} alpha_j >= 0``."""
    v, teachers = student.fan_outs()
    alpha = teachers @ v
    rival = float(alpha[1:].max())
    return Evidence(predicted=float(alpha[0]), measured=rival, margin=float(alpha[0]) - rival)


def confirm(student: Student) -> Evidence:
    """The same in exact rational arithmetic on the float64 entries."""
    v, teachers = student.fan_outs()
    exact = [
        sum(Fraction(float(a)) * Fraction(float(b)) for a, b in zip(row, v, strict=True)) for row in teachers
    ]
    return Evidence(
        predicted=float(exact[0]), measured=float(max(exact[1:])), margin=float(exact[0] - max(exact[1:]))
    )


@dataclass(frozen=True)
class Odds:
    """Teachers of polarity p and students in C > 1 outputs, all drawn at random."""

    m: int = 10
    outputs: int = 50
    p: float = 1.0
    seed: int = 0


def probability(odds: Odds) -> float:
    """``P(alpha_1 = max_j alpha_j)`` by quadrature, exact for random directions.

    Given v, ``alpha_j = ||v|| x_j / j^p`` with independent x_j, each a coordinate of a random unit vector: density f
    and distribution F of ``(1 + x)/2 ~ Beta((C-1)/2, (C-1)/2)``. So ``P = int f(x) prod_{j>1} F(x j^p) dx``.
    """
    shape, scale = (odds.outputs - 1) / 2, np.arange(2, odds.m + 1) ** odds.p
    # Panels end where an F reaches 0 or 1, and are short where f has its mass; x = sin p takes the ends of C = 2 away.
    ends = np.arcsin(
        np.concatenate([1 / scale, np.linspace(0, 1, 5), np.linspace(0, 1, 5) / odds.outputs**0.5])
    )
    edges = np.unique(np.concatenate([-ends, ends]))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    half = np.diff(edges)[:, None] / 2
    angle = (edges[:-1, None] + half * (1 + nodes)).ravel()
    x = np.sin(angle)
    below = beta.cdf((1 + np.clip(x[:, None] * scale, -1, 1)) / 2, shape, shape).prod(axis=1)
    density = beta.pdf((1 + x) / 2, shape, shape) / 2 * np.cos(angle)
    return float((half * weights).ravel() @ (density * below))


def sampled_odds(odds: Odds, context: Context, claimed: float | None = None, sizes: bool = False) -> Evidence:
    """The share of random draws in which teacher 1 has the largest alpha (or |alpha|) against the quadrature."""
    rng, draws = context.rng(odds.seed, odds.m), 40_000 if context.budget.full else 2_000
    strength = np.arange(1, odds.m + 1) ** -odds.p
    first, done = 0, 0
    while done < draws:
        chunk = min(draws - done, 1 + 2**21 // (odds.m * odds.outputs))
        teachers = random_unit(odds.outputs, odds.m, rng, (chunk,))
        alpha = (rng.standard_normal((chunk, 1, odds.outputs)) @ teachers)[:, 0] * strength
        first += int((np.argmax(np.abs(alpha) if sizes else alpha, axis=1) == 0).sum())
        done += chunk
    measured = first / draws
    predicted = probability(odds) if claimed is None else claimed
    error = np.sqrt(max(predicted * (1 - predicted), 1 / draws) / draws)
    limit = context.z()
    # A binomial of fewer than some 50 expected hits is not normal that far out; its tail is then bounded by one more.
    tolerance = limit * float(error) + limit**2 / draws
    below_half = 0.5 + 0.5**odds.m
    margin = min(tolerance - abs(measured - predicted), below_half + tolerance - measured)
    return Evidence(
        predicted=predicted,
        measured=measured,
        margin=margin,
        tolerance=tolerance,
        standard_error=float(error),
    )


def students(budget: Budget) -> st.SearchStrategy[Student]:
    """Up to 20 teachers and 50 outputs at several polarities."""
    return st.builds(
        Student,
        m=st.integers(2, 20),
        outputs=st.integers(2, 50),
        p=st.sampled_from([2.0, 1.0, 0.5, 0.0, 2.5]),
        seed=st.integers(0, 2**16),
    )


def odds(budget: Budget) -> st.SearchStrategy[Odds]:
    """Up to 20 teachers and 50 outputs at several polarities."""
    return st.builds(
        Odds,
        m=st.integers(2, 20),
        outputs=st.integers(2, 50),
        p=st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 2.5]),
        seed=st.integers(0, 2**16),
    )


def _several_outputs(student: Student) -> tuple[Assumption, ...]:
    """Teacher 1 strictly strongest."""
    return (Assumption("‖v*_1‖ largest", student.p),)


_SOURCE = Source(
    SPECIALIZATION, "section 5.3, strong teacher nodes are learned first", "words; formulas lost"
)

PRINTED = Statement(
    key="specialization.strong_first.premise",
    form=Form.PRINTED,
    title="The strongest teacher pulls hardest at every student",
    claim="‖v*_1‖ largest  ⇒  α_k1 = v_kᵀv*_1 ≥ α_kj for every student k and every j",
    source=_SOURCE,
    expected=Outcome.REFUTED,
    instance_type=Student,
    instances=students,
    assumptions=_several_outputs,
    evidence=largest_is_first,
    confirm=confirm,
    controls=(
        Control(
            "one output, all fan-outs positive",
            lambda c: largest_is_first(Student(m=10, outputs=1, p=1.0, positive=True), c),
            must_hold=True,
        ),
    ),
    cost=Cost(60, 200, 1000),
    remark="v_k may point away from v*_1, and does so for half of all students. A tendency is left: see the corrected "
    "form for how often, and strong_first for what it does to training.",
)

CORRECTED = Statement(
    key="specialization.strong_first.premise",
    form=Form.CORRECTED,
    title="How often the strongest teacher pulls hardest",
    claim="random directions, C > 1:   P(α_k1 = max_j α_kj) = ∫ f_C(x) Π_{j>1} F_C(x j^p) dx ≤ ½ + 2^{−m}",
    source=Source(SPECIALIZATION, "section 5.3, strong teacher nodes are learned first", "ours"),
    expected=Outcome.HOLDS,
    instance_type=Odds,
    instances=odds,
    evidence=sampled_odds,
    examples=tuple(Odds(p=p) for p in (0.0, 0.5, 1.0, 2.0, 2.5)),
    controls=(
        Control("certain", lambda c: sampled_odds(Odds(), c, claimed=1.0)),
        Control("by chance alone, 1/m", lambda c: sampled_odds(Odds(), c, claimed=0.1)),
        Control("largest in size", lambda c: sampled_odds(Odds(), c, sizes=True)),
    ),
    cost=Cost(8, 100, 1000),
    remark="m = 10, C = 50: 0.100, 0.257, 0.359, 0.445, 0.464 for p = 0, ½, 1, 2, 2½. Never much above one half: the "
    "student must point towards v*_1 in the first place.",
)
