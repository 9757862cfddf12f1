"""Random initialisation (remark on Theorem 5): how likely lucky nodes are, and whether random columns
overlap little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np
from mpmath import mp
from scipy.special import betainc, comb, ndtr
from scipy.stats import binom

from dynamics.measures.isotropic_gaussian import IsotropicGaussian
from dynamics.two_layer.teachers import orthonormal, random_unit
from verify.judging import (
    LUCK_MATTERS,
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
from verify.mathematics.theorem4_constants import overlap_ratios

NUMBER = "Section 3.3, remark 'Random initialization'"


def cap_probability(d: int, theta0: float) -> float:
    """Share of the unit sphere in R^d within angle ``theta0 <= pi/2`` of a point: ``1/2 I_{sin^2}((d-1)/2,
    1/2)``."""
    if not 0 <= theta0 <= np.pi / 2:
        raise ValueError(f"theta0: expected an angle in [0, pi/2] (the formula's range), got {theta0!r}")
    return float(0.5 * betainc((d - 1) / 2, 0.5, np.sin(theta0) ** 2))


def lucky_probability(p_cap: float, n: int) -> float:
    """``1 - (1 - p_cap)^n`` without cancellation."""
    return float(-np.expm1(n * np.log1p(-p_cap)))


def all_lucky_probability(p_cap: float, n: int, m: int) -> float:
    """Each of m disjoint caps is hit by one of n: ``sum_k (-1)^k C(m, k) (1 - k p_cap)^n``."""
    k = np.arange(m + 1)
    return float(np.sum((-1.0) ** k * comb(m, k) * (1 - k * p_cap) ** n))


@dataclass(frozen=True)
class RandomStudents:
    """n students uniform on the sphere in R^d beside m orthonormal teachers; caps of half-angle theta0."""

    d: int = 3
    m: int = 2
    n: int = 4
    theta0: float = 0.5
    seed: int = 0


def random_students(budget: Budget) -> st.SearchStrategy[RandomStudents]:
    """Dimensions and sizes; theta0 is chosen so that about one student is expected in a cap (counts then
    inform)."""

    def build(d: int, m: int, n: int, expected: float, seed: int) -> RandomStudents:
        angles = np.linspace(0.02, 0.25 * np.pi, 400)
        hits = n * 0.5 * betainc((d - 1) / 2, 0.5, np.sin(angles) ** 2)
        theta0 = float(round(angles[np.argmin(np.abs(hits - expected))], 4))
        return RandomStudents(d, min(m, d), n, theta0, seed)

    integers = st.integers
    return st.builds(
        build,
        integers(2, 8),
        integers(1, 5),
        integers(1, 60),
        st.sampled_from([0.3, 1.0, 3.0]),
        integers(0, 2**20),
    )


def lucky_counts(instance: RandomStudents, trials: int, context: Context) -> tuple[int, int]:
    """Trials in which teacher 1 has a student within theta0, and in which every teacher has one."""
    rng = context.rng(instance.seed, 7)
    teacher = orthonormal(instance.d, instance.m, rng)
    one = every = 0
    chunk = max(1, 200_000 // (instance.d * instance.n))
    for start in range(0, trials, chunk):
        size = min(chunk, trials - start)
        students = random_unit(instance.d, instance.n, rng, (size,))
        inside = np.swapaxes(students, -1, -2) @ teacher >= np.cos(instance.theta0)
        hit = inside.any(axis=-2)
        one += int(hit[:, 0].sum())
        every += int(hit.all(axis=-1).sum())
    return one, every


def count_evidence(count: int, trials: int, p: float, context: Context, **details: Any) -> Evidence:
    """A count against ``Binomial(trials, p)`` by its exact tail, at the context's share of false alarms."""
    tail = min(float(binom.cdf(count, trials, p)), float(binom.sf(count - 1, trials, p)))
    share = float(ndtr(-context.z()))
    error = float(np.sqrt(max(p * (1 - p), 0.25 / trials) / trials))
    return Evidence(
        predicted=p, measured=count / trials, margin=tail - share, standard_error=error, details=details
    )


def trials_for(context: Context) -> int:
    """Draws of all students that one evaluation counts."""
    return 40_000 if context.budget.full else 10_000


def lucky_evidence(instance: RandomStudents, context: Context, nodes: int | None = None) -> Evidence:
    """Share of draws with a student within θ₀ of a given teacher, against ``1 - (1 - p_cap)^n``."""
    trials = trials_for(context)
    one, _ = lucky_counts(instance, trials, context)
    p_cap = cap_probability(instance.d, instance.theta0)
    p = lucky_probability(p_cap, instance.n if nodes is None else nodes)
    return count_evidence(one, trials, p, context, p_cap=p_cap, samples=trials)


def within_range(instance: RandomStudents) -> tuple[Assumption, ...]:
    """The cap formula is for caps up to a half-sphere."""
    return (Assumption("0 < θ₀ ≤ π/2", min(instance.theta0, np.pi / 2 + 1e-12 - instance.theta0)),)


def disjoint_caps(instance: RandomStudents) -> tuple[Assumption, ...]:
    """Caps about orthonormal teachers are disjoint below pi/4."""
    return (Assumption("0 < θ₀ < π/4", min(instance.theta0, np.pi / 4 - instance.theta0)),)


def all_lucky_evidence(
    instance: RandomStudents, context: Context, independent: bool = False, trials: int = 0
) -> Evidence:
    """Share of draws in which every teacher has a student within θ₀, against the formula (or independence)."""
    trials = trials or trials_for(context)
    _, every = lucky_counts(instance, trials, context)
    p_cap = cap_probability(instance.d, instance.theta0)
    p = all_lucky_probability(p_cap, instance.n, instance.m)
    if independent:
        p = lucky_probability(p_cap, instance.n) ** instance.m
    return count_evidence(every, trials, p, context, p_cap=p_cap, samples=trials)


PRINTED = Statement(
    key="luckmatters.theorem5.random_initialisation",
    form=Form.PRINTED,
    title="Random initialisation: a lucky node for one teacher",
    claim="More over-parameterisation makes lucky nodes more likely:\n"
    "P(some student within θ₀ of a teacher) = 1 − (1 − p)ⁿ,  p = ½ I_{sin²θ₀}((d − 1)/2, ½)",
    source=Source(LUCK_MATTERS, NUMBER, "said in words; the formula is that of a spherical cap"),
    expected=Outcome.HOLDS,
    instance_type=RandomStudents,
    instances=random_students,
    assumptions=within_range,
    evidence=lucky_evidence,
    controls=[
        Control(
            "twice the students",
            lambda context: lucky_evidence(RandomStudents(n=8, theta0=0.4), context, nodes=16),
        )
    ],
    cost=Cost(40, 400, 4000),
    remark="The probability grows with n as it should but falls like sin^{d−1}θ₀ with the dimension. At the "
    "paper's own size "
    "(d = 20, 500 students) a given teacher has a student within 0.5 rad with probability 4e-5 and within 1 "
    "rad with 0.94: "
    "at random initialisation the premise of Theorem 5 (all θ_j ≤ θ₀, θ₀ small) is not met.",
)

SHARP = Statement(
    key="luckmatters.theorem5.random_initialisation",
    form=Form.SHARP,
    title="Random initialisation: the whole u-set",
    claim="For orthonormal teachers and θ₀ < π/4:\nP(every teacher has a student within θ₀) = Σ_k (−1)ᵏ "
    "C(m, k) (1 − k p)ⁿ",
    source=Source(LUCK_MATTERS, NUMBER, "the formula is ours"),
    expected=Outcome.HOLDS,
    instance_type=RandomStudents,
    instances=random_students,
    assumptions=disjoint_caps,
    evidence=all_lucky_evidence,
    controls=[
        Control(
            "teachers taken as independent",
            lambda context: all_lucky_evidence(
                RandomStudents(2, 2, 2, 0.7), context, independent=True, trials=40_000
            ),
        )
    ],
    cost=Cost(40, 400, 4000),
)

SMALL_OVERLAP = 0.1
"""'epsilon << 1', read generously."""


@dataclass(frozen=True)
class RandomColumns:
    """n random unit columns in R^d, zero bias, isotropic Gaussian input."""

    d: int = 2
    n: int = 2
    seed: int = 0


def random_columns(budget: Budget) -> st.SearchStrategy[RandomColumns]:
    """Two to twenty columns in up to 200 dimensions."""
    return st.builds(RandomColumns, st.integers(2, 200), st.integers(2, 20), st.integers(0, 2**20))


def columns_of(instance: RandomColumns, orthogonal: bool = False) -> tuple[np.ndarray, IsotropicGaussian]:
    """The instance's unit columns (orthonormal ones on request) and the measure."""
    rng = np.random.default_rng((instance.seed, 8))
    n = min(instance.n, instance.d) if orthogonal else instance.n
    W = (orthonormal if orthogonal else random_unit)(instance.d, n, rng)
    return W, IsotropicGaussian(instance.d)


def overlap_evidence(instance: RandomColumns, context: Context) -> Evidence:
    """``eps_d`` of random columns against a generous reading of small."""
    eps_d, eps_l = (float(value) for value in overlap_ratios(*columns_of(instance)))
    return Evidence.at_most(eps_d, bound=SMALL_OVERLAP, tolerance=0.0, eps_l=eps_l)


def pair_evidence(context: Context, along: float) -> Evidence:
    """Two columns, the second nearly opposite (along = -1) or nearly equal (along = 1) to the first."""
    W = np.array([[1.0, along], [0.0, 0.1]])
    return Evidence.at_most(
        float(overlap_ratios(W, IsotropicGaussian(2))[0]), bound=SMALL_OVERLAP, tolerance=0.0
    )


def confirm_overlap(instance: RandomColumns) -> Evidence:
    """``(pi - theta) / pi`` of the nearest pair at 40 digits, from the exact values of the doubles."""
    mp.dps = 40
    W, _ = columns_of(instance)
    columns = [[mp.mpf(float(value)) for value in column] for column in W.T]

    def ratio(a: list[Any], b: list[Any]) -> Any:
        cosine = mp.fdot(a, b) / mp.sqrt(mp.fdot(a, a) * mp.fdot(b, b))
        return 1 - mp.acos(cosine) / mp.pi

    worst = max(ratio(a, b) for index, a in enumerate(columns) for b in columns[:index])
    return Evidence.at_most(float(worst), bound=SMALL_OVERLAP, tolerance=0.0)


def orthogonal_evidence(instance: RandomColumns, context: Context, expected: float = 0.5) -> Evidence:
    """``(eps_d, eps_l)`` of orthonormal columns against ``(1/2, 1/pi)``."""
    eps_d, eps_l = (float(value) for value in overlap_ratios(*columns_of(instance, orthogonal=True)))
    off = max(abs(eps_d - expected), abs(eps_l - 1 / np.pi))
    # Columns of a QR factor are orthogonal to a few ulp times sqrt(d); both ratios move by at most as much.
    return Evidence.close(
        off, predicted=0.0, tolerance=16 * float(np.sqrt(instance.d) * np.finfo(float).eps), eps_d=eps_d
    )


ORTHOGONALITY_SOURCE = "'orthogonal weight vectors, which naturally leads to Assumption 3'"
ORTHOGONALITY = (
    Statement(
        key="luckmatters.theorem5.random_initialisation.overlap",
        form=Form.PRINTED,
        title="Random columns and Assumption 3",
        claim="Random initialisation gives nearly orthogonal columns, and so small overlaps: ε_d ≪ 1 "
        "(judged: ε_d ≤ 0.1)",
        source=Source(LUCK_MATTERS, NUMBER, ORTHOGONALITY_SOURCE),
        expected=Outcome.REFUTED,
        instance_type=RandomColumns,
        instances=random_columns,
        evidence=overlap_evidence,
        confirm=confirm_overlap,
        controls=[
            Control("nearly opposite columns", lambda context: pair_evidence(context, -1.0), must_hold=True),
            Control("nearly equal columns", lambda context: pair_evidence(context, 1.0)),
        ],
        remark="Orthogonal is not small overlap: half-spaces of orthogonal columns share half their mass in "
        "any dimension "
        "(next statement). Small overlaps need negative biases, not random directions.",
    ),
    Statement(
        key="luckmatters.theorem5.random_initialisation.overlap",
        form=Form.CORRECTED,
        title="Orthogonal columns and Assumption 3",
        claim="Orthogonal columns, zero bias, isotropic Gaussian input: ε_d = ½ and ε_l = 1/π in every dimension",
        source=Source(LUCK_MATTERS, NUMBER, ORTHOGONALITY_SOURCE),
        expected=Outcome.HOLDS,
        instance_type=RandomColumns,
        instances=random_columns,
        assumptions=lambda instance: (Assumption("n ≤ d", float(instance.d - instance.n + 1)),),
        evidence=orthogonal_evidence,
        controls=[
            Control(
                "ε_d = 0.51", lambda context: orthogonal_evidence(RandomColumns(), context, expected=0.51)
            )
        ],
    ),
)
