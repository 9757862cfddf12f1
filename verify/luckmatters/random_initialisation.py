"""Random initialisation (remark on Theorem 5): how likely lucky nodes are."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis.strategies as st
import numpy as np
from scipy.special import betainc, ndtr
from scipy.stats import binom

from dynamics.two_layer.teachers import orthonormal, random_unit
from verify.judging import (
    LUCK_MATTERS,
    SAMPLING,
    SEED,
    Assumption,
    Budget,
    CannotJudgeError,
    Context,
    Evidence,
    Instance,
    Item,
    Source,
    fixed,
    integers,
    reals,
)

RANDOM_INITIALISATION = Item(
    "luckmatters.theorem5.random_initialisation",
    Source(LUCK_MATTERS, "remark 'Random initialization'", version="v4", section="3.3"),
)


def cap_probability(d: int, theta0: float) -> float:
    """Share of the unit sphere in R^d within angle ``theta0 <= pi/2`` of a point.

    ``1/2 I_{sin^2 theta0}((d-1)/2, 1/2)``, I the regularised incomplete beta function.
    """
    if not 0 <= theta0 <= np.pi / 2:
        raise ValueError(f"theta0: expected an angle in [0, pi/2] (the formula's range), got {theta0!r}")
    return float(0.5 * betainc((d - 1) / 2, 0.5, np.sin(theta0) ** 2))


def lucky_probability(p_cap: float, n: int) -> float:
    """``1 - (1 - p_cap)^n`` without cancellation."""
    return float(-np.expm1(n * np.log1p(-p_cap)))


def all_lucky_probability(p_cap: float, n: int, m: int) -> float:
    """Each of m disjoint caps is hit by one of n: ``sum_k (-1)^k C(m, k) (1 - k p_cap)^n``.

    Node by node, as a chain in the number of caps hit so far: every term is positive, where the sum cancels.
    """
    hit = np.zeros(m + 1)
    hit[0] = 1.0
    new = (m - np.arange(m)) * p_cap  # the chance that the next node falls into a cap not hit before
    for _ in range(n):
        moved = hit[:-1] * new
        hit[:-1] -= moved
        hit[1:] += moved
    return float(hit[-1])


@dataclass(frozen=True)
class RandomStudents(Instance):
    """n students uniform on the sphere in R^d beside m orthonormal teachers; caps of half-angle theta0."""

    d: int = fixed(3, integers(2))
    m: int = fixed(2, integers(1))
    n: int = fixed(4, integers(1))
    theta0: float = fixed(0.5, reals(0.0, np.pi))
    seed: int = fixed(0, SEED)

    def impossible(self) -> str:
        """Orthonormal teachers."""
        return "expected m <= d for orthonormal teachers" if self.m > self.d else ""

    @property
    def p_cap(self) -> float:
        """Probability that one student is within theta0 of a given teacher."""
        return cap_probability(self.d, self.theta0)


def random_students(budget: Budget) -> st.SearchStrategy[RandomStudents]:
    """Dimensions and sizes; theta0 such that about one student is expected in a cap: counts then say something."""

    def build(d: int, m: int, n: int, expected: float, seed: int) -> RandomStudents:
        angles = np.linspace(0.02, 0.25 * np.pi, 400)
        hits = n * 0.5 * betainc((d - 1) / 2, 0.5, np.sin(angles) ** 2)
        theta0 = float(round(angles[np.argmin(np.abs(hits - expected))], 4))
        return RandomStudents(d, min(m, d), n, theta0, seed)

    return st.builds(
        build,
        st.integers(2, 8),
        st.integers(1, 5),
        st.integers(1, 60),
        st.sampled_from([0.3, 1.0, 3.0]),
        st.integers(0, 2**20),
    )


SMALLEST_ANGLE = 1e-6
"""Radians: cos is 1 to within 5e-13 there, three thousand roundings."""


def lucky_counts(instance: RandomStudents, trials: int, context: Context) -> tuple[int, int]:
    """Trials in which teacher 1 has a student within theta0, and in which every teacher has one."""
    if instance.theta0 < SMALLEST_ANGLE:
        raise CannotJudgeError(f"cosines do not resolve angles below {SMALLEST_ANGLE:g}")
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


def count_against(count: int, trials: int, p: float, context: Context, p_cap: float) -> Evidence:
    """A count against ``Binomial(trials, p)`` by its exact tail, at the context's share of false alarms."""
    tail = min(float(binom.cdf(count, trials, p)), float(binom.sf(count - 1, trials, p)))
    share = float(ndtr(-context.z()))
    error = float(np.sqrt(max(p * (1 - p), 0.25 / trials) / trials))
    return Evidence(
        predicted=p,
        measured=count / trials,
        margin=tail - share,
        standard_error=error,
        details={"p_cap": p_cap, "samples": trials},
    )


def trials_for(context: Context) -> int:
    """Draws of all students that one evaluation counts."""
    return 40_000 if context.budget.full else 10_000


def within_range(instance: RandomStudents) -> tuple[Assumption, ...]:
    """The cap formula is for caps up to a half-sphere."""
    return (
        Assumption.above("θ₀", instance.theta0, 0),
        Assumption.at_most("θ₀", instance.theta0, np.pi / 2, "rad"),
    )


@RANDOM_INITIALISATION.claim(
    "reading",
    expected="holds",
    on=RandomStudents,
    draw=random_students,
    assume=within_range,
    cost=SAMPLING.at_quick(40),
    note="our reading: said in words; the formula is that of a spherical cap",
    compares=("share of draws with a student within θ₀ of the teacher", "=", "1 − (1 − p)ⁿ"),
)
def one_teacher_is_lucky(instance: RandomStudents, context: Context, *, nodes_factor: int = 1) -> Evidence:
    """Random initialisation: a lucky node for one teacher

    More over-parameterisation makes lucky nodes more likely:
    P(some student within θ₀ of a teacher) = 1 − (1 − p)ⁿ,  p = ½ I_{sin²θ₀}((d − 1)/2, ½)

    The probability grows with n as it should but falls like sin^{d−1}θ₀ with the dimension. At the paper's own size
    (d = 20, 500 students) a given teacher has a student within 0.5 rad with probability 4e-5 and within 1 rad with
    0.94: at random initialisation the premise of Theorem 5 (all θ_j ≤ θ₀, θ₀ small) is not met.
    """
    trials = trials_for(context)
    one, _ = lucky_counts(instance, trials, context)
    p = lucky_probability(instance.p_cap, nodes_factor * instance.n)
    return count_against(one, trials, p, context, instance.p_cap)


one_teacher_is_lucky.excludes("caps beyond a half-sphere", RandomStudents(theta0=1.6), "θ₀ ≤")
one_teacher_is_lucky.excludes("caps of no size", RandomStudents(theta0=0.0), "θ₀ > 0")
one_teacher_is_lucky.includes("half-spheres", RandomStudents(theta0=np.pi / 2))
one_teacher_is_lucky.rejects("twice the students", RandomStudents(n=8, theta0=0.4), nodes_factor=2)


RARE = RandomStudents(6, 4, 31, 0.0986, 110)
"""All four teachers are lucky with probability 1e-16: the alternating sum cancels to a negative number."""


def disjoint_caps(instance: RandomStudents) -> tuple[Assumption, ...]:
    """Caps about orthonormal teachers are disjoint below pi/4."""
    return (
        Assumption.above("θ₀", instance.theta0, 0),
        Assumption.below("θ₀", instance.theta0, np.pi / 4, "rad"),
    )


@RANDOM_INITIALISATION.claim(
    "sharp",
    expected="holds",
    on=RandomStudents,
    draw=random_students,
    assume=disjoint_caps,
    examples=(RARE,),
    cost=SAMPLING.at_quick(40),
    note="the formula is ours",
    compares=("share of draws with a student within θ₀ of every teacher", "=", "Σ_k (−1)ᵏ C(m, k)(1 − kp)ⁿ"),
)
def all_teachers_are_lucky(
    instance: RandomStudents, context: Context, *, independent: bool = False, trials: int = 0
) -> Evidence:
    """Random initialisation: the whole u-set

    For orthonormal teachers and θ₀ < π/4:
    P(every teacher has a student within θ₀) = Σ_k (−1)ᵏ C(m, k) (1 − k p)ⁿ
    """
    # ``independent``: as if the teachers' luck were; ``trials``: 0 for the budget's own number.
    trials = trials or trials_for(context)
    _, every = lucky_counts(instance, trials, context)
    p = all_lucky_probability(instance.p_cap, instance.n, instance.m)
    if independent:
        p = lucky_probability(instance.p_cap, instance.n) ** instance.m
    return count_against(every, trials, p, context, instance.p_cap)


all_teachers_are_lucky.excludes("caps that overlap", RandomStudents(theta0=0.8), "θ₀ < π/4")
all_teachers_are_lucky.excludes("caps of no size", RandomStudents(theta0=0.0), "θ₀ > 0")
all_teachers_are_lucky.includes("caps that nearly touch", RandomStudents(theta0=0.785))
all_teachers_are_lucky.rejects(
    "teachers taken as independent", RandomStudents(2, 2, 2, 0.7), independent=True, trials=40_000
)

one_teacher_is_lucky.errs(
    says="v4, section 3.3, remark 'Random initialization': with more over-parameterisation it is more likely that "
    "W_u is quite close to W*",
    true="more likely, yes, but rare in high dimension: at d = 20, n = 500 a given teacher has a student within "
    "0.5 rad with probability 4e-5 (within 1 rad: 0.94)",
    impact="substance",
    matters="Theorem 5's premise, all θ_j ≤ θ₀ with small θ₀, is not met at random initialisation at the paper's own "
    "size",
)
