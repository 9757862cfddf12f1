"""Theorem 4: as many students as teachers, uniform top-down modulation; the printed and the corrected rate."""

from __future__ import annotations

import matplotlib.pyplot as plt
import mpmath as mp
import numpy as np
from matplotlib.figure import Figure

from verify.judging import (
    ALGEBRA,
    LUCK_MATTERS,
    SEARCH,
    Context,
    Evidence,
    Item,
    Source,
    Verdict,
)
from verify.judging.enclosing.balls import REAL
from verify.judging.enclosing.enclosure import Attained, Margin
from verify.mathematics.enclosed.constants import lipschitz_d
from verify.mathematics.families.theorem4_starts import (
    Theorem4Instance,
    assumptions,
    constants_of,
    instances,
    problem_of,
    slowest_decay,
)
from verify.mathematics.precise.kernels import (
    DIGITS,
    angle,
    columns,
    dot,
    projected_field,
    psi_d_biased,
    psi_d_isotropic,
    unit,
)

THEOREM4 = Item(
    "luckmatters.theorem4", Source(LUCK_MATTERS, "Theorem 4 and Eqns 33-40", version="v4", section="3.2")
)


def judge_rate(instance: Theorem4Instance, rate: float) -> Evidence:
    """Evidence for ``sin theta_j(t) <= exp(-rate t) sin theta0`` along the integrated flow."""
    measured, tolerance = slowest_decay(instance)
    constants = constants_of(instance)
    return Evidence(
        predicted=rate,
        measured=measured,
        margin=measured - rate + tolerance,
        tolerance=tolerance,
        details={
            "gamma": constants.gamma,
            "K_d": constants.K_d,
            "eps_d": constants.eps_d,
            "M_d": constants.M_d,
        },
    )


CLOSED = Theorem4Instance(m=1, d=3, theta0=1.0)
PAIR = Theorem4Instance(m=2, d=4, theta0=0.05)
NEAR_PAIR = Theorem4Instance(m=2, d=4, theta0=0.1, alpha=0.5, seed=3)
THRESHOLDED = Theorem4Instance(m=20, d=24, theta0=1e-3, threshold=4.0)
EXAMPLES = (
    CLOSED,
    PAIR,
    Theorem4Instance(m=2, d=4, theta0=1e-3, threshold=2.0),
    Theorem4Instance(m=5, d=8, theta0=1e-3, threshold=3.0),
    # Fell by the rounding of cos θ near a right angle:
    Theorem4Instance(m=1, d=2, theta0=1.5697066107426112, seed=6621),
    THRESHOLDED,
)


def exact_printed(instance: Theorem4Instance, *, factor: float = 1.0, infimum: bool = False) -> Margin | None:
    """The margin of one teacher in balls: there the decay ``cos t (pi - t) / 2 pi`` is slowest at the start.

    It grows as the angle t < pi/2 falls. None for more teachers, whose path has no closed form, or with a threshold.
    """
    if instance.m != 1 or instance.threshold != 0:
        return None
    theta0 = instance.theta0
    decay = REAL.cos(theta0) * (REAL.pi - theta0) / (2 * REAL.pi)
    if infimum:
        margin = decay - factor * decay
        return Attained(margin, "one teacher: the bound is attained at the start") if factor == 1 else margin
    return decay - factor * (1 + 2 * lipschitz_d(0, theta0) * REAL.sin(theta0 / 2)) * decay


@THEOREM4.claim(
    "printed",
    expected="refuted",
    enclose=exact_printed,
    on=Theorem4Instance,
    draw=instances,
    assume=assumptions,
    cost=SEARCH.at_quick(40),
    compares=("slowest decay rate of max sin θ_j over the path", "≥", "printed rate d̄γ"),
    telling=lambda instance: instance.threshold > 0,
)
def printed_rate(
    instance: Theorem4Instance, context: Context, *, factor: float = 1.0, infimum: bool = False
) -> Evidence:
    """Weight recovery at the printed rate

    γ = cos θ₀ − (m−1) ε_d M_d > 0  ⇒  sin θ_j(t) ≤ exp(−d̄ γ t) sin θ₀,
    d̄ = [1 + 2 K_d sin(θ₀/2)] min_j d*_jj(0),  M_d = (1+K_d) [1 + 2 K_d sin(θ₀/2)]² / cos(θ₀/2)

    The printed d̄ is larger than d*_jj itself: the factor belongs on the other side. With one teacher the start already
    decays more slowly than claimed. Of the whole path; as a late rate without thresholds d̄γ was not exceeded.
    """
    constants = constants_of(instance)
    return judge_rate(instance, factor * (constants.rate_corrected if infimum else constants.rate_printed))


@printed_rate.confirmed_precisely(digits=DIGITS)
def at_the_start_in_fifty_digits(
    instance: Theorem4Instance, *, factor: float = 1.0, infimum: bool = False
) -> Evidence:
    """The decay of ``max_j sin theta_j`` at the start in 50 digits against the printed rate.

    At t = 0 the bound is met with equality, so a slower derivative there breaks it at once.
    """
    problem = problem_of(instance)
    constants = constants_of(instance)
    with mp.workdps(DIGITS):
        students = [unit(w) for w in columns(problem.student_W)]
        teachers = [unit(w) for w in columns(problem.teacher_W)]
        kernel = psi_d_biased if instance.threshold > 0 else psi_d_isotropic
        overlaps = [kernel(w, u) for w, u in zip(students, teachers, strict=True)]
        thetas = [angle(w, u) for w, u in zip(students, teachers, strict=True)]
        field = projected_field(students, teachers, kernel)
        decays = [
            mp.cos(t) * dot(u, velocity) / mp.sin(t) ** 2
            for t, u, velocity in zip(thetas, teachers, field, strict=True)
        ]
        stretch = 1 + 2 * mp.mpf(constants.K_d) * mp.sin(max(thetas) / 2)
        overlap = mp.mpf(constants.d_lower) if infimum else stretch * min(overlaps)
        rate = factor * overlap * mp.mpf(constants.gamma)
        measured = min(decays)
        return Evidence(
            predicted=float(rate),
            measured=float(measured),
            margin=float(measured - rate),
            details={"digits": DIGITS},
        )


def exact_corrected(
    instance: Theorem4Instance, *, factor: float = 1.0, with_overlap: bool = True
) -> Margin | None:
    """The margin of one teacher in balls; without other teachers there is no overlap to leave out."""
    return exact_printed(instance, factor=factor, infimum=True)


@THEOREM4.claim(
    "corrected",
    expected="holds",
    enclose=exact_corrected,
    on=Theorem4Instance,
    draw=instances,
    assume=assumptions,
    examples=EXAMPLES,
    cost=ALGEBRA.at_quick(30),
    note="d̄ replaced by the infimum that Eqn 38 needs",
    compares=("slowest decay rate of max sin θ_j over the path", "≥", "rate inf d*_jj γ"),
)
def corrected_rate(
    instance: Theorem4Instance, context: Context, *, factor: float = 1.0, with_overlap: bool = True
) -> Evidence:
    """Weight recovery at a rate with a true lower bound of d*_jj

    γ > 0  ⇒  sin θ_j(t) ≤ exp(−d̲ γ t) sin θ₀,  d̲ = inf d*_jj over the balls θ_j ≤ θ₀
    (isotropic input: d̲ = (π − θ₀)/2π)

    Without thresholds γ > 0 needs m ≤ 2: for m ≥ 3 unbiased Gaussian input makes the theorem vacuous.
    """
    constants = constants_of(instance)
    rate = constants.rate_corrected if with_overlap else np.cos(instance.theta0) * constants.d_lower
    return judge_rate(instance, factor * rate)


printed_rate.accepts("the infimum of d*_jj in place of d̄, two teachers", PAIR, infimum=True)
printed_rate.accepts("65 % of the printed rate", CLOSED, factor=0.65)
printed_rate.rejects("twice the printed rate is rejected", CLOSED, factor=2)
printed_rate.rejects(
    "the true decay at the start, a share 1 − 1/π of the printed rate, × (1 + 1e-9)",
    CLOSED,
    factor=(1 - 1 / np.pi) * (1 + 1e-9),
)
corrected_rate.rejects("the rate × (1 + 1e-9), one teacher", CLOSED, factor=1 + 1e-9)
corrected_rate.rejects("the rate × 1.1 is rejected where the bound is sharp (m = 1)", CLOSED, factor=1.1)
corrected_rate.rejects(
    "leaving out the overlap term (γ := cos θ₀) and starting from two near teachers is rejected",
    NEAR_PAIR,
    with_overlap=False,
)


for rate in (printed_rate, corrected_rate):
    rate.excludes("three orthonormal teachers without thresholds", Theorem4Instance(3, 4, 0.01), "γ = cos")
    rate.excludes(
        "a ball that reaches the bias axis", Theorem4Instance(1, 2, 0.5, threshold=2.0), "inf d*_jj"
    )
    rate.includes("two orthonormal teachers at 0.1 rad", Theorem4Instance(2, 4, 0.1))


@corrected_rate.drawn_by
def figure(verdict: Verdict) -> Figure:
    """Rate bound over the slowest measured decay, a mark for each instance: the claim asks for marks below the line."""
    fig, axes = plt.subplots(figsize=(5.6, 4.2), layout="constrained")
    families = {"one teacher": [], "two teachers": [], "thresholded": []}  # type: dict[str, list[tuple[float, float]]]
    for record in verdict.judged:
        instance, evidence = record.instance, record.evidence
        assert evidence is not None
        family = (
            "thresholded" if instance.threshold > 0 else "one teacher" if instance.m == 1 else "two teachers"
        )
        families[family].append((evidence.measured, evidence.predicted))
    for (name, points), marker in zip(families.items(), "osd", strict=True):
        if points:
            measured, predicted = np.array(points).T
            axes.plot(measured, predicted, marker, alpha=0.6, markersize=4, label=f"{name} ({len(points)})")
    low, high = axes.get_xlim() if any(families.values()) else (1e-4, 1.0)
    axes.set(xscale="log", yscale="log")
    line = np.array([max(low, 1e-8), high])
    axes.plot(line, line, color="0.4", linewidth=1, label="bound = measured")
    axes.set(xlabel="slowest measured decay of max sin θ", ylabel="rate bound")
    axes.legend(frameon=False)
    return fig


printed_rate.errs(
    says="v4, section 3.2, Theorem 4 (v1 likewise): sin θ_j falls at rate d̄γ with d̄ = [1 + 2K_d sin(θ₀/2)] "
    "min_j d*_jj(0)",
    true="that d̄ exceeds d*_jj itself and is no lower bound: one teacher at θ₀ = 1 has claimed rate 0.270 and "
    "true decay 0.184 at the start; with the infimum of d*_jj over the balls the statement holds; as a late "
    "rate without thresholds d̄γ was not exceeded, with thresholds it is (m = 2, b = 4, θ₀ = 1e-3: 3.40e-5 "
    "against 3.07e-5)",
    impact="constant",
    matters="the conclusion, recovery at an exponential rate, survives with the smaller constant",
)
